// SPDX-License-Identifier: Apache-2.0

// Package exec is the Lua module exec: running commands of the operating system.
//
// exec.get returns an executor, executor:exec makes a process of a command line, process:start starts
// it. Waiting for the end and writing to the standard input suspend the calling coroutine, and so
// does reading what the command writes: its outputs are stream objects. Everything else is immediate.
//
// A process belongs to the call or the process that made it. When that ends, the command and all it
// has started are ended, and its streams are closed.
package exec

import (
	"errors"
	"fmt"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/owned"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/lua/stream"
	"github.com/wippyrun/kit/wippy/service/exec"
)

// Deps is what the module works with.
type Deps struct {
	Executors *exec.Executors
	// Kind returns the kind of an entry, "" when there is none. It makes the error for an id that is
	// something else than an executor; nil leaves that out.
	Kind func(id string) string
	// Allow decides on exec.get for an executor and on exec.run for a command line.
	Allow access.Check
}

type module struct {
	Deps
	executors, processes *engine.Class
	streams              *stream.Class
}

// Module returns the Lua module. It needs the handlers that [Register] adds, and those of streams.
func Module(d Deps) engine.Module {
	return engine.Module{
		Name:    "exec",
		Classes: []string{"io", "process", "nondeterministic"},
		Build: func(b *engine.Builder) error {
			m := &module{Deps: d, streams: stream.Define(b)}
			m.executors = b.Type("Executor", map[string]lua.LGFunction{"exec": m.exec, "release": release},
				map[string]lua.LGFunction{"__tostring": executorText})
			m.processes = b.Type("Process", m.methods(), nil)
			b.Func("get", m.get)
			return nil
		},
	}
}

// executor is the value behind Executor objects.
type executor struct {
	from     *exec.Executor // nil once it was released
	released func() bool
}

func invalid(message string) *engine.Error { return engine.NewError(engine.KindInvalid, message) }

// internal is an error of kind Internal with the text of its cause; that there are too many commands is an
// error of a kind of its own.
func internal(err error) *engine.Error {
	if errors.Is(err, exec.ErrTooMany) {
		return engine.WrapError(err)
	}
	e := engine.NewError(engine.KindInternal, err.Error()).WithCause(err)
	for key, value := range engine.WrapError(err).Details() {
		e = e.With(key, value)
	}
	return e
}

func done(L *lua.LState, v lua.LValue) int {
	L.Push(v)
	L.Push(lua.LNil)
	return 2
}

// get implements exec.get(id).
func (m *module) get(L *lua.LState) int {
	p, id := engine.From(L), L.CheckString(1)
	if id == "" {
		return engine.PushError(L, invalid("resource id is required"))
	}
	if !m.Allow.Allowed(p, "exec.get", id) {
		return engine.PushError(L, invalid("permission denied: access executor"))
	}
	found, err := m.Executors.Get(id)
	if err != nil {
		if m.Kind != nil {
			if kind := m.Kind(id); kind != "" {
				return engine.PushError(L, engine.NewError(engine.KindInternal, fmt.Sprintf("resource is not an executor: %s is a %s", id, kind)))
			}
		}
		return engine.PushError(L, internal(err))
	}
	x := &executor{from: found}
	x.released = owned.Add(p, func() { x.from = nil })
	return done(L, m.executors.New(x))
}

func checkExecutor(L *lua.LState) *executor { return engine.Check[*executor](L, 1, "executor") }

func executorText(L *lua.LState) int {
	text := "exec.Executor{}"
	if checkExecutor(L).from == nil {
		text = "exec.Executor{released}"
	}
	L.Push(lua.LString(text))
	return 1
}

// release implements executor:release().
func release(L *lua.LState) int {
	x := checkExecutor(L)
	x.released()
	x.from = nil
	return done(L, lua.LTrue)
}

// exec implements executor:exec(command, options?).
func (m *module) exec(L *lua.LState) int {
	x, p, line := checkExecutor(L), engine.From(L), L.CheckString(2)
	switch {
	case x.from == nil:
		return engine.PushError(L, invalid("executor is released"))
	case line == "":
		return engine.PushError(L, invalid("command is required"))
	case !m.Allow.Allowed(p, "exec.run", line):
		return engine.PushError(L, invalid("permission denied: execute command"))
	}
	command, err := x.from.Command(line, options(L.Get(3)))
	switch e := engine.WrapError(err); {
	case err == nil:
	case e.Kind() == engine.KindInvalid:
		return engine.PushError(L, e)
	default:
		return engine.PushError(L, internal(err))
	}
	return done(L, m.processes.New(newProcess(p, command)))
}

// options reads the options of a command. What is of a wrong type counts as not given.
func options(v lua.LValue) (o exec.Options) {
	t, ok := v.(*lua.LTable)
	if !ok {
		return o
	}
	t = engine.Unwrap(t)
	if dir, ok := t.RawGetString("work_dir").(lua.LString); ok {
		o.Dir = string(dir)
	}
	if env, ok := t.RawGetString("env").(*lua.LTable); ok {
		o.Env = map[string]string{}
		engine.Unwrap(env).ForEach(func(name, value lua.LValue) { o.Env[name.String()] = value.String() })
	}
	return o
}
