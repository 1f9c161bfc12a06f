// SPDX-License-Identifier: Apache-2.0

package sql_test

import (
	"context"
	stdsql "database/sql"
	"fmt"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/service/sql"
	"github.com/wippyrun/kit/wippy/service/sql/sqltest"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// services stands in for the supervisor: it keeps what was registered.
type services map[string]supervisor.Service

func (s services) Register(id string, service supervisor.Service, _ supervisor.Lifecycle, _ []string) error {
	s[id] = service
	return nil
}

func (s services) Remove(id string) error {
	delete(s, id)
	return nil
}

// system is a listener with what it works on.
type system struct {
	*sql.Listener
	services
	sql.Table
	warnings []fields.Warning
}

func newSystem(t testing.TB) *system {
	s := &system{services: services{}}
	s.Listener = sql.NewListener(sql.Deps{
		Databases: &s.Table, Supervisor: s.services,
		Warn: func(_ registry.Entry, w []fields.Warning) { s.warnings = append(s.warnings, w...) },
	})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := s.Listener.Close(ctx); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return s
}

func entry(id, kind string, data map[string]any) registry.Entry {
	return registry.Entry{ID: registry.ParseID(id), Kind: kind, Data: data}
}

// open makes the database of an entry.
func (s *system) open(t testing.TB, e registry.Entry) *sql.Database {
	t.Helper()
	if err := s.Create(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	s.Committed(t.Context())
	return s.database(t, e.ID.String())
}

func (s *system) database(t testing.TB, id string) *sql.Database {
	t.Helper()
	d, err := s.Get(id)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// each runs a test on a database of every kind that there is a server for. mark is how the kind writes its first
// parameter.
func each(t *testing.T, test func(t *testing.T, s *system, d *sql.Database, mark string)) {
	run := func(name, kind, mark string, data map[string]any) {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t)
			test(t, s, s.open(t, entry("app:db", kind, data)), mark)
		})
	}
	run("memory", sql.KindSQLite, "?", map[string]any{"file": ":memory:"})
	run("file", sql.KindSQLite, "?", map[string]any{"file": filepath.Join(t.TempDir(), "a %#.db")})
	if server := sqltest.Postgres(t); server != nil {
		run("postgres", server.Kind, "$1", server.Data(nil))
	}
	if server := sqltest.MariaDB(t); server != nil {
		run("mariadb", server.Kind, "?", server.Data(nil))
	}
}

// with returns a copy of data with other fields.
func with(data map[string]any, more map[string]any) map[string]any {
	out := maps.Clone(data)
	maps.Copy(out, more)
	return out
}

// exec runs statements that must not fail.
func exec(t testing.TB, r interface {
	Exec(ctx context.Context, text string, args []any) (sql.Result, error)
}, statements ...string) {
	t.Helper()
	for _, text := range statements {
		if _, err := r.Exec(t.Context(), text, nil); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

// querier is what queries run on.
type querier interface {
	Query(ctx context.Context, text string, args []any, visit sql.Visit) error
}

// value returns the first column of the only row as text.
func value(ctx context.Context, q querier, text string, args ...any) (string, error) {
	var out any
	n := 0
	err := q.Query(ctx, text, args, func(rows *stdsql.Rows) error {
		for rows.Next() {
			n++
			if err := rows.Scan(&out); err != nil {
				return err
			}
		}
		return nil
	})
	if b, ok := out.([]byte); ok {
		out = string(b)
	}
	if err == nil && n != 1 {
		err = fmt.Errorf("%d rows", n)
	}
	return fmt.Sprint(out), err
}

// expect checks the value of a query.
func expect(t testing.TB, q querier, want, text string, args ...any) {
	t.Helper()
	if got, err := value(t.Context(), q, text, args...); err != nil || got != want {
		t.Errorf("%s = %q, %v; want %q", text, got, err, want)
	}
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
