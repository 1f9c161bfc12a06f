// SPDX-License-Identifier: Apache-2.0

package sql_test

import (
	"context"
	stdsql "database/sql"
	"strings"
	"testing"
	"time"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/lua/funcs"
	"github.com/wippyrun/kit/wippy/lua/luatest"
	luasql "github.com/wippyrun/kit/wippy/lua/sql"
	luatime "github.com/wippyrun/kit/wippy/lua/time"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/service/sql"
	"github.com/wippyrun/kit/wippy/service/sql/sqltest"
	"github.com/wippyrun/kit/wippy/system/clock"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// services keeps what would be supervised.
type services map[string]supervisor.Service

func (s services) Register(id string, service supervisor.Service, _ supervisor.Lifecycle, _ []string) error {
	s[id] = service
	return nil
}

func (s services) Remove(id string) error {
	delete(s, id)
	return nil
}

// system runs programs beside databases.
type system struct {
	*luatest.System
	*sql.Listener
	services
	sql.Table
	allow access.Check
}

// newSystem has a database app:db in memory, app:sqlite in the table when more is "", else those of more.
func newSystem(t testing.TB, entries ...registry.Entry) *system {
	t.Helper()
	s := &system{services: services{}}
	s.Listener = sql.NewListener(sql.Deps{
		Databases: &s.Table, Supervisor: s.services, Warn: func(registry.Entry, []fields.Warning) {},
	})
	for _, e := range append(entries, entry("app:db", sql.KindSQLite, map[string]any{"file": ":memory:"})) {
		if err := s.Listener.Create(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	s.Committed(t.Context())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := s.Listener.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	ticking := clock.New()
	s.System = luatest.New(t, func(system *luatest.System) {
		system.Register(
			luasql.Module(luasql.Deps{
				Databases: &s.Table,
				Allow: func(p *engine.Process, action, resource string, meta map[string]any) bool {
					return s.allow == nil || s.allow(p, action, resource, meta)
				},
				Kind: func(id string) string {
					if id == "app:store" {
						return "store.memory"
					}
					return ""
				},
			}),
			funcs.Module(nil),
			luatime.Module(ticking, system.Router.Send),
		)
		luasql.Register(system.Dispatch)
		funcs.Register(system.Dispatch, system.Functions)
		ticking.Register(system.Dispatch)
	})
	return s
}

func entry(id, kind string, data map[string]any) registry.Entry {
	return registry.Entry{ID: registry.ParseID(id), Kind: kind, Data: data}
}

// check runs a program that has the modules and the database db.
func (s *system) check(t testing.TB, body string, args ...any) {
	t.Helper()
	s.System.Check(t, prelude+body, args...)
}

const prelude = `
local sql, funcs, time = require("sql"), require("funcs"), require("time")
local db = assert(sql.get("app:db"))
local function eq(got, want, what)
	if got ~= want then error((what or "value") .. ": got " .. tostring(got) .. ", want " .. tostring(want), 2) end
end
local function fails(kind, text, v, err)
	eq(v, nil)
	eq(err:kind(), kind, "kind of " .. tostring(err))
	if text then eq(err:message(), text) end
	return err
end
`

// value asks the database beside the programs.
func (s *system) value(t testing.TB, id, text string) string {
	t.Helper()
	d, err := s.Get(id)
	if err != nil {
		t.Fatal(err)
	}
	var out stdsql.NullString
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	err = d.Query(ctx, text, nil, func(rows *stdsql.Rows) error {
		for rows.Next() {
			if err := rows.Scan(&out); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return out.String
}

// until waits for a condition.
func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	tick, limit := time.NewTicker(time.Millisecond), time.NewTimer(2*time.Minute)
	defer tick.Stop()
	defer limit.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatal("in vain: " + what)
		}
	}
}

// servers are the entries of the servers there are.
func servers(t testing.TB) (out []registry.Entry) {
	if server := sqltest.Postgres(t); server != nil {
		out = append(out, entry("app:postgres", server.Kind, server.Data(nil)))
	}
	if server := sqltest.MariaDB(t); server != nil {
		out = append(out, entry("app:mariadb", server.Kind, server.Data(map[string]any{"options": map[string]any{"parseTime": true}})))
	}
	return out
}

// dialect is the name of the kind of an entry.
func dialect(e registry.Entry) string { return strings.TrimPrefix(e.Kind, "db.sql.") }
