// SPDX-License-Identifier: Apache-2.0

package sql

import (
	"context"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/owned"
	"github.com/wippyrun/kit/wippy/service/sql"
)

// statement is the value behind a Statement. It belongs to one process.
type statement struct {
	*sql.Stmt
	queue  *queue // that of its transaction; nil for a statement of a database
	closed bool
	forget func() bool // from what the process has open
}

// prepare implements db:prepare(text).
func (m *module) prepare(L *lua.LState) int { return m.prepareOn(L, nil, checkDatabase(L).Prepare) }

// prepareOn makes a statement that is closed with the process.
func (m *module) prepareOn(L *lua.LState, q *queue, prepare func(ctx context.Context, text string) (*sql.Stmt, error)) int {
	text := L.CheckString(2)
	s := &statement{queue: q}
	onWay := &parcel[*sql.Stmt]{discard: func(s *sql.Stmt) { closeAside(q, func() { _ = s.Close() }) }}
	s.forget = owned.Add(engine.From(L), onWay.drop)
	return engine.Yield(L, &operation{queue: q, run: func(ctx context.Context) (any, error) {
		made, err := prepare(ctx, text)
		if err == nil {
			onWay.put(made)
		}
		return made, err
	}}, func(_ *lua.LState, data any, err error) []lua.LValue {
		if err != nil {
			s.forget()
			return []lua.LValue{lua.LNil, engine.ErrorValue(err)}
		}
		s.Stmt = data.(*sql.Stmt)
		return []lua.LValue{m.statements.New(s), lua.LNil}
	})
}

// prepared lets a statement be queried like a database.
type prepared struct{ *sql.Stmt }

// Query runs the statement; its text is known.
func (p prepared) Query(ctx context.Context, _ string, args []any, visit sql.Visit) error {
	return p.Stmt.Query(ctx, args, visit)
}

func (m *module) statementMethods() map[string]lua.LGFunction {
	run := func(f func(ctx context.Context, s *sql.Stmt, args []any) (lua.LValue, error)) lua.LGFunction {
		return func(L *lua.LState) int {
			s := checkStatement(L)
			if s.closed {
				return engine.PushError(L, sql.ErrStatementClosed)
			}
			args, err := params(L, 2)
			if err != nil {
				return engine.PushError(L, err)
			}
			return yield(L, s.queue, func(ctx context.Context) (lua.LValue, error) { return f(ctx, s.Stmt, args) })
		}
	}
	return map[string]lua.LGFunction{
		"query": run(func(ctx context.Context, s *sql.Stmt, args []any) (lua.LValue, error) {
			return query(ctx, prepared{s}, "", args)
		}),
		"execute": run(func(ctx context.Context, s *sql.Stmt, args []any) (lua.LValue, error) {
			return resultTable(s.Exec(ctx, args))
		}),
		"close": func(L *lua.LState) int {
			s := checkStatement(L)
			if s.closed {
				return engine.PushError(L, invalid("statement is already closed"))
			}
			s.closed = true
			s.forget()
			return yield(L, s.queue, func(context.Context) (lua.LValue, error) { return done(s.Close()) })
		},
	}
}

func checkStatement(L *lua.LState) *statement { return engine.Check[*statement](L, 1, "sql.Statement") }
