// SPDX-License-Identifier: Apache-2.0

package sql

import (
	"context"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/service/sql"
)

// transaction is the value behind a Transaction. It belongs to one process. Its operations run one at a time.
type transaction struct {
	*sql.Tx
	queue  queue
	forget func() bool // from what the process has open
}

// onTransaction makes a method, which needs an active transaction.
func onTransaction(f func(L *lua.LState, t *transaction) int) lua.LGFunction {
	return func(L *lua.LState) int {
		t := engine.Check[*transaction](L, 1, "sql.Transaction")
		if !t.Active() {
			return engine.PushError(L, sql.ErrInactive)
		}
		return f(L, t)
	}
}

func (m *module) transactionMethods() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"db_type": onTransaction(func(L *lua.LState, t *transaction) int { return push(L, lua.LString(t.Type())) }),
		"query": onTransaction(func(L *lua.LState, t *transaction) int {
			return t.run(L, func(ctx context.Context, text string, args []any) (lua.LValue, error) {
				return query(ctx, t, text, args)
			})
		}),
		"execute": onTransaction(func(L *lua.LState, t *transaction) int {
			return t.run(L, func(ctx context.Context, text string, args []any) (lua.LValue, error) {
				return resultTable(t.Exec(ctx, text, args))
			})
		}),
		"prepare": onTransaction(func(L *lua.LState, t *transaction) int {
			return m.prepareOn(L, &t.queue, t.Prepare)
		}),
		"commit":      onTransaction(func(L *lua.LState, t *transaction) int { return t.end(L, t.Commit) }),
		"rollback":    onTransaction(func(L *lua.LState, t *transaction) int { return t.end(L, t.Rollback) }),
		"savepoint":   savepoint("SAVEPOINT "),
		"rollback_to": savepoint("ROLLBACK TO SAVEPOINT "),
		"release":     savepoint("RELEASE SAVEPOINT "),
	}
}

// run is a call with a statement and parameters.
func (t *transaction) run(L *lua.LState, f func(ctx context.Context, text string, args []any) (lua.LValue, error)) int {
	text := L.CheckString(2)
	args, err := params(L, 3)
	if err != nil {
		return engine.PushError(L, err)
	}
	return yield(L, &t.queue, func(ctx context.Context) (lua.LValue, error) { return f(ctx, text, args) })
}

// end commits or rolls back. A failure ends the transaction all the same.
func (t *transaction) end(L *lua.LState, f func(ctx context.Context) error) int {
	return engine.Yield(L, &operation{queue: &t.queue, run: func(ctx context.Context) (any, error) {
		return done(f(ctx))
	}}, func(L *lua.LState, data any, err error) []lua.LValue {
		if !t.Active() {
			t.forget()
		}
		return outcome(L, data, err)
	})
}

// savepoint makes a method that runs a statement with the name of a savepoint.
func savepoint(statement string) lua.LGFunction {
	return onTransaction(func(L *lua.LState, t *transaction) int {
		name := L.CheckString(2)
		if err := sql.CheckSavepoint(name); err != nil {
			return engine.PushError(L, err)
		}
		return yield(L, &t.queue, func(ctx context.Context) (lua.LValue, error) {
			_, err := t.Exec(ctx, statement+name, nil)
			return done(err)
		})
	})
}
