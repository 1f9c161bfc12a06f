// SPDX-License-Identifier: Apache-2.0

package evalrunner

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
)

// program is the value behind Program objects: what compile found out.
type program struct {
	method  string
	modules []string
}

func checkProgram(L *lua.LState) *program {
	return engine.Check[*program](L, 1, "eval_runner.Program")
}

var programMethods = map[string]lua.LGFunction{
	"method": func(L *lua.LState) int {
		L.Push(lua.LString(checkProgram(L).method))
		return 1
	},
	"modules": func(L *lua.LState) int {
		L.Push(call.Array(checkProgram(L).modules))
		return 1
	},
}

// compile implements eval_runner.compile(source, method?, options?).
func (r *Runner) compile(L *lua.LState, programs *engine.Class) int {
	p, q := engine.From(L), &request{source: L.CheckString(1)}
	if err := r.check(p, "eval.compile", "", nil); err != nil {
		return engine.PushError(L, err)
	}
	q.method = L.OptString(2, "")
	err := q.readImports(call.Table(L, 3))
	if err == nil {
		err = r.permit(p, q)
	}
	if err != nil {
		return engine.PushError(L, plain(err))
	}
	l, err := r.link(p, q)
	if err != nil {
		return engine.PushError(L, failure("", err))
	}
	return call.Value(L, programs.New(&program{method: q.method, modules: l.modules}))
}
