// SPDX-License-Identifier: Apache-2.0

package sql

import (
	"context"
	stdsql "database/sql"
	"errors"
	"fmt"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/service/sql"
)

// runner is what executors run on.
type runner interface {
	queryer
	Exec(ctx context.Context, text string, args []any) (sql.Result, error)
}

// executor is the value behind a QueryExecutor: a statement that was built, and what it runs on.
type executor struct {
	runner runner
	queue  *queue // that of the transaction
	text   string
	args   []any
}

func checkExecutor(L *lua.LState) *executor {
	return engine.Check[*executor](L, 1, "sql.builder.QueryExecutor")
}

var executorMethods = map[string]lua.LGFunction{
	"query": func(L *lua.LState) int {
		e := checkExecutor(L)
		return yield(L, e.queue, func(ctx context.Context) (lua.LValue, error) {
			rows, err := query(ctx, e.runner, e.text, e.args)
			return rows, finished(err)
		})
	},
	"exec": func(L *lua.LState) int {
		e := checkExecutor(L)
		return yield(L, e.queue, func(ctx context.Context) (lua.LValue, error) {
			r, err := e.runner.Exec(ctx, e.text, e.args)
			return resultTable(r, finished(err))
		})
	},
	"to_sql": func(L *lua.LState) int {
		e := checkExecutor(L)
		L.Push(lua.LString(e.text))
		L.Push(argsTable(e.args))
		return 2
	},
}

// finished is the error of an executor, which says like the standard library that its transaction has ended.
func finished(err error) error {
	if errors.Is(err, sql.ErrInactive) {
		return stdsql.ErrTxDone
	}
	return err
}

func executorText(L *lua.LState) int {
	e := checkExecutor(L)
	L.Push(lua.LString(fmt.Sprintf("QueryExecutor: %s [Args: %d]", e.text, len(e.args))))
	return 1
}
