// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"errors"

	lru "github.com/hashicorp/golang-lru/v2"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
	"github.com/wippyrun/kit/luart/modules/internal/host"
)

// maxCached is how many expressions of eval are kept compiled.
const maxCached = 1000

// Module returns the Lua module `expr` with the functions eval and compile. No call yields. Compiled expressions are
// shared by all programs of the engine that the module is registered with.
func Module() engine.Module {
	return engine.Module{
		Name:    "expr",
		Classes: []string{"deterministic"},
		Build: func(b *engine.Builder) error {
			cache, err := lru.New[string, *program](maxCached)
			if err != nil {
				return err
			}
			m := &module{cache: cache}
			m.programs = b.Type("Program", map[string]lua.LGFunction{"run": runProgram}, nil)
			b.Func("eval", m.eval)
			b.Func("compile", m.compile)
			return nil
		},
	}
}

type module struct {
	cache    *lru.Cache[string, *program]
	programs *engine.Class
}

// source takes the expression from the first argument. When it is no good, the two results of the call are pushed.
func source(L *lua.LState) (string, bool) {
	s := L.CheckString(1)
	switch {
	case s == "":
		call.Invalid(L, "expression cannot be empty")
	case len(s) > maxSource:
		call.Invalid(L, "expression is longer than 65536 bytes")
	default:
		return s, true
	}
	return "", false
}

var errEnvironment = errors.New("environment must be a table with names, not a list")

// environment takes the environment from argument n, nil when there is none. Only what the names say is converted, all
// of it when names is nil. When it is no good, the two results of the call are pushed.
func environment(L *lua.LState, n int, names []string) (map[string]any, bool) {
	if L.Get(n) == lua.LNil {
		return nil, true
	}
	var env map[string]any
	var ok bool
	var err error
	if names == nil {
		env, ok, err = host.Map(L, L.CheckTable(n))
	} else {
		env, ok, err = host.Members(L, L.CheckTable(n), names)
	}
	switch {
	case err != nil:
		call.Failed(L, "convert environment", err)
	case !ok:
		call.Refused(L, "convert environment", errEnvironment)
	}
	return env, ok && err == nil
}

// eval implements expr.eval(expression, env).
func (m *module) eval(L *lua.LState) int {
	s, ok := source(L)
	if !ok {
		return 2
	}
	p, ok := m.cache.Get(s)
	if !ok {
		var err error
		if p, err = compile(s, nil); err != nil {
			return call.Failed(L, "compile failed", err)
		}
		m.cache.Add(s, p)
	}
	return run(L, p, "eval failed")
}

// compile implements expr.compile(expression, env).
func (m *module) compile(L *lua.LState) int {
	s, ok := source(L)
	if !ok {
		return 2
	}
	env, ok := environment(L, 2, nil)
	if !ok {
		return 2
	}
	p, err := compile(s, env)
	if err != nil {
		return call.Failed(L, "compile failed", err)
	}
	return call.Value(L, m.programs.New(p))
}

// runProgram implements program:run(env).
func runProgram(L *lua.LState) int {
	return run(L, engine.Check[*program](L, 1, "Program"), "run failed")
}

// run runs a program with the environment in the second argument.
func run(L *lua.LState, p *program, label string) int {
	env, ok := environment(L, 2, p.names)
	if !ok {
		return 2
	}
	out, err := p.run(engine.From(L).Context(), env)
	if err != nil {
		return call.Failed(L, label, err)
	}
	v, err := host.Lua(out)
	if err != nil {
		return call.Failed(L, "failed to convert result", err)
	}
	return call.Value(L, v)
}
