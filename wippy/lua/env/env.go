// SPDX-License-Identifier: Apache-2.0

// Package env is the Lua module env: reading and setting the variables that the
// application's entries declare. All calls are immediate.
package env

import (
	"maps"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/lua/access"
)

// Variables is what the module reads and sets. namespace is that of the calling
// entry.
type Variables interface {
	Get(key, namespace string) (string, error)
	Set(key, namespace, value string) error
	All() map[string]string
}

type module struct {
	variables Variables
	allow     access.Check
}

// Module returns the Lua module. allow decides on the actions env.get and
// env.set for each variable.
func Module(v Variables, allow access.Check) engine.Module {
	m := module{variables: v, allow: allow}
	return engine.Module{
		Name:    "env",
		Classes: []string{"process", "nondeterministic"},
		Build: func(b *engine.Builder) error {
			b.Func("get", m.get)
			b.Func("set", m.set)
			b.Func("get_all", m.all)
			return nil
		},
	}
}

func namespace(p *engine.Process) string {
	ns, _, _ := strings.Cut(p.SourceID(), ":")
	return ns
}

// fail returns an error; unless it says so itself, trying again does not help.
func fail(L *lua.LState, err error) int {
	e := engine.WrapError(err)
	if _, known := e.Retryable(); !known {
		e = e.WithRetryable(false)
	}
	return engine.PushError(L, e)
}

func (m module) get(L *lua.LState) int {
	p, key := engine.From(L), L.CheckString(1)
	if !m.allow.Allowed(p, "env.get", key) {
		return engine.PushError(L, access.Denied("not allowed to access environment variable: "+key))
	}
	value, err := m.variables.Get(key, namespace(p))
	if err != nil {
		return fail(L, err)
	}
	L.Push(lua.LString(value))
	L.Push(lua.LNil)
	return 2
}

func (m module) set(L *lua.LState) int {
	p, key, value := engine.From(L), L.CheckString(1), L.CheckString(2)
	if !m.allow.Allowed(p, "env.set", key) {
		return engine.PushError(L, access.Denied("not allowed to set environment variable: "+key))
	}
	if err := m.variables.Set(key, namespace(p), value); err != nil {
		return fail(L, err)
	}
	L.Push(lua.LTrue)
	L.Push(lua.LNil)
	return 2
}

func (m module) all(L *lua.LState) int {
	p := engine.From(L)
	values := m.variables.All()
	out := L.CreateTable(0, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if m.allow.Allowed(p, "env.get", name) {
			out.RawSetString(name, lua.LString(values[name]))
		}
	}
	L.Push(out)
	L.Push(lua.LNil)
	return 2
}
