// SPDX-License-Identifier: Apache-2.0

// Package funcs is the Lua module funcs: calling functions by entry id, waiting for them or not.
//
// A call suspends the calling coroutine only. Arguments and results are copied; the callee inherits the caller's
// context values and is cancelled with it.
package funcs

import (
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/lua/ctxvalues"
	"github.com/wippyrun/kit/wippy/lua/future"
	"github.com/wippyrun/kit/wippy/system/frames"
	"github.com/wippyrun/kit/wippy/system/functions"
)

// module holds the classes of the values the functions make.
type module struct {
	allow     access.Check
	executors *engine.Class
	futures   *future.Class
}

// Module returns the Lua module. Its calls need the handlers that [Register] adds. allow may be nil.
func Module(allow access.Check) engine.Module {
	return engine.Module{
		Name:    "funcs",
		Classes: []string{"workflow", "nondeterministic"},
		Build: func(b *engine.Builder) error {
			m := &module{allow: allow, futures: future.NewClass(b)}
			m.executors = b.Type("Executor", map[string]lua.LGFunction{
				"call":         func(L *lua.LState) int { return m.call(L, checkExecutor(L), 2) },
				"async":        func(L *lua.LState) int { return m.async(L, checkExecutor(L), 2) },
				"with_context": m.withContext,
				"with_options": m.withOptions,
				"with_actor":   m.withActor,
				"with_scope":   m.withScope,
			}, nil)
			b.Func("call", func(L *lua.LState) int { return m.call(L, nil, 1) })
			b.Func("async", func(L *lua.LState) int { return m.async(L, nil, 1) })
			b.Func("new", func(L *lua.LState) int {
				L.Push(m.executors.New(&executor{}))
				return 1
			})
			return nil
		},
	}
}

// executor is the value behind Executor objects. It is immutable.
type executor struct {
	values   map[string]any // over those of the caller
	options  map[string]any
	identity access.Identity
}

func checkExecutor(L *lua.LState) *executor { return engine.Check[*executor](L, 1, "executor") }

// withContext implements executor:with_context(values).
func (m *module) withContext(L *lua.LState) int {
	e := *checkExecutor(L)
	more := ctxvalues.FromTable(L.CheckTable(2))
	if !m.allow.Allowed(engine.From(L), "funcs.context", "context") {
		return engine.PushError(L, access.Denied("not allowed to call functions with custom context"))
	}
	e.values = frames.Merge(e.values, more)
	L.Push(m.executors.New(&e))
	return 1
}

// withActor implements executor:with_actor(actor).
func (m *module) withActor(L *lua.LState) int {
	e := *checkExecutor(L)
	e.identity.Actor = access.CheckActor(L, 2)
	return m.withIdentity(L, &e)
}

// withScope implements executor:with_scope(scope).
func (m *module) withScope(L *lua.LState) int {
	e := *checkExecutor(L)
	e.identity.Scope = access.CheckScope(L, 2)
	return m.withIdentity(L, &e)
}

func (m *module) withIdentity(L *lua.LState, e *executor) int {
	if !m.allow.Allowed(engine.From(L), "funcs.security", "security") {
		return engine.PushError(L, access.Denied("not allowed to call functions with custom security context"))
	}
	L.Push(m.executors.New(e))
	return 1
}

// withOptions implements executor:with_options(options): they replace earlier ones.
func (m *module) withOptions(L *lua.LState) int {
	e := *checkExecutor(L)
	e.options = Options(L.CheckTable(2))
	if network, ok := e.options["network"].(string); ok && !m.allow.Allowed(engine.From(L), "network.select", network) {
		L.RaiseError("not allowed: network %s", network)
	}
	L.Push(m.executors.New(&e))
	return 1
}

// Options reads a table of call options.
func Options(t *lua.LTable) map[string]any {
	all := map[string]any{}
	engine.Unwrap(t).ForEach(func(k, v lua.LValue) {
		all[k.String()] = engine.ToGo(v)
	})
	return all
}

// command makes the call that the arguments from the first on describe.
func (m *module) command(L *lua.LState, e *executor, first int) (*callCommand, error) {
	id := L.CheckString(first)
	namespace, name, ok := strings.Cut(id, ":")
	switch {
	case id == "":
		return nil, engine.NewError(engine.KindInvalid, "function ID required")
	case !ok || namespace == "":
		return nil, engine.NewError(engine.KindInvalid, "namespace required in function ID")
	case name == "":
		return nil, engine.NewError(engine.KindInvalid, "name required in function ID")
	}
	p := engine.From(L)
	if !m.allow.Allowed(p, "funcs.call", id) {
		return nil, access.Denied("not allowed: " + id)
	}
	c := &callCommand{task: functions.Task{ID: id, Frame: access.Frame(p), Caller: p.PID()}}
	task := &c.task
	if e != nil {
		task.Options = e.options
		if len(e.values) > 0 || !e.identity.IsZero() {
			task.Frame = frames.Fork(task.Frame)
			if err := frames.Add(task.Frame, e.values); err != nil {
				return nil, err
			}
			if err := e.identity.Enter(task.Frame); err != nil {
				return nil, err
			}
		}
	}
	task.Input = engine.AppendPayloads(c.one[:0], L, first+1)
	return c, nil
}

// call runs a function and waits for its outcome.
func (m *module) call(L *lua.LState, e *executor, first int) int {
	c, err := m.command(L, e, first)
	if err != nil {
		return engine.PushError(L, err)
	}
	return c.call(L)
}

// async runs a function in the background.
func (m *module) async(L *lua.LState, e *executor, first int) int {
	c, err := m.command(L, e, first)
	if err != nil {
		return engine.PushError(L, err)
	}
	return c.async(L, m.futures)
}
