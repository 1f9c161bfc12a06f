// SPDX-License-Identifier: Apache-2.0

package sql

import (
	"context"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/owned"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/service/sql"
)

// database is the value behind a DB. It belongs to one process.
type database struct {
	*sql.Database
	release func()      // of the handle
	forget  func() bool // from what the process has open
}

func checkDatabase(L *lua.LState) *database { return engine.Check[*database](L, 1, "sql.DB") }

// get implements sql.get(id).
func (m *module) get(L *lua.LState) int {
	p, id := engine.From(L), L.CheckString(1)
	if id == "" {
		return engine.PushError(L, invalid("resource id is required"))
	}
	if !m.Allow.Allowed(p, "db.get", id) {
		return engine.PushError(L, access.Denied("not allowed to access database: "+id))
	}
	d, err := m.Databases.Get(id)
	if err != nil {
		if m.Kind != nil && isResource(m.Kind(id)) {
			err = invalid("resource is not a database: " + id)
		}
		return engine.PushError(L, err)
	}
	release, err := d.Acquire()
	if err != nil {
		return engine.PushError(L, err)
	}
	h := &database{Database: d, release: release}
	h.forget = owned.Add(p, release)
	return push(L, m.databases.New(h))
}

// isResource tells whether entries of a kind offer something to programs under their id.
func isResource(kind string) bool {
	family, _, _ := strings.Cut(kind, ".")
	switch family {
	case "store", "fs", "cloudstorage", "exec", "queue", "template", "db":
		return true
	}
	return false
}

func (m *module) databaseMethods() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"type": func(L *lua.LState) int { return push(L, lua.LString(checkDatabase(L).Type())) },
		"query": func(L *lua.LState) int {
			return m.run(L, checkDatabase(L).query)
		},
		"execute": func(L *lua.LState) int {
			return m.run(L, checkDatabase(L).execute)
		},
		"prepare": m.prepare,
		"begin":   m.begin,
		"stats":   stats,
		"release": func(L *lua.LState) int {
			h := checkDatabase(L)
			if h.forget() {
				h.release()
			}
			return push(L, lua.LTrue)
		},
	}
}

// run is a call with a statement and parameters that waits.
func (m *module) run(L *lua.LState, f func(ctx context.Context, text string, args []any) (lua.LValue, error)) int {
	text := L.CheckString(2)
	args, err := params(L, 3)
	if err != nil {
		return engine.PushError(L, err)
	}
	return yield(L, nil, func(ctx context.Context) (lua.LValue, error) { return f(ctx, text, args) })
}

func (h *database) query(ctx context.Context, text string, args []any) (lua.LValue, error) {
	return query(ctx, h, text, args)
}

func (h *database) execute(ctx context.Context, text string, args []any) (lua.LValue, error) {
	return resultTable(h.Exec(ctx, text, args))
}

// begin implements db:begin(options).
func (m *module) begin(L *lua.LState) int {
	h, o := checkDatabase(L), sql.TxOptions{}
	if t, ok := L.Get(2).(*lua.LTable); ok {
		t = engine.Unwrap(t)
		if level, ok := t.RawGetString("isolation").(lua.LString); ok {
			o.Isolation = string(level)
		}
		if only, ok := t.RawGetString("read_only").(lua.LBool); ok {
			o.ReadOnly = bool(only)
		}
	}
	if err := o.Check(); err != nil {
		return engine.PushError(L, err)
	}
	t := &transaction{}
	onWay := &parcel[*sql.Tx]{discard: func(tx *sql.Tx) { closeAside(&t.queue, tx.Close) }}
	t.forget = owned.Add(engine.From(L), onWay.drop)
	return engine.Yield(L, &operation{run: func(ctx context.Context) (any, error) {
		tx, err := h.Begin(ctx, o)
		if err == nil {
			onWay.put(tx)
		}
		return tx, err
	}}, func(_ *lua.LState, data any, err error) []lua.LValue {
		if err != nil {
			t.forget()
			return []lua.LValue{lua.LNil, engine.ErrorValue(err)}
		}
		t.Tx = data.(*sql.Tx)
		return []lua.LValue{m.transactions.New(t), lua.LNil}
	})
}

// stats implements db:stats().
func stats(L *lua.LState) int {
	s := checkDatabase(L).Stats()
	t := engine.NewObject(9)
	for name, n := range map[string]int64{
		"max_open_connections": int64(s.MaxOpenConnections), "open_connections": int64(s.OpenConnections),
		"in_use": int64(s.InUse), "idle": int64(s.Idle), "wait_count": s.WaitCount, "max_idle_closed": s.MaxIdleClosed,
		"max_idle_time_closed": s.MaxIdleTimeClosed, "max_lifetime_closed": s.MaxLifetimeClosed,
	} {
		t.RawSetString(name, lua.LNumber(n))
	}
	t.RawSetString("wait_duration", lua.LString(s.WaitDuration.String()))
	return push(L, engine.ReadOnly(t))
}

// closeAside calls f on a goroutine of its own: what belongs to a process is closed on a worker, which must not wait.
func closeAside(q *queue, f func()) {
	if q == nil {
		q = &queue{}
	}
	q.add(f, func(run func()) { go run() })
}
