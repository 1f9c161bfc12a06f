// SPDX-License-Identifier: Apache-2.0

// Package ctx is the Lua module ctx: it reads the values that callers attached to a call or a process.
//
// Values are set by function executors, spawners and contract scopes, and flow down with every call and spawn.
// Programs can only read them; tables arrive as copies. No call yields.
package ctx

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/lua/ctxvalues"
	"github.com/wippyrun/kit/wippy/system/frames"
)

// Module returns the Lua module.
func Module() engine.Module {
	return engine.Module{
		Name:    "ctx",
		Classes: []string{"nondeterministic", "workflow"},
		Build: func(b *engine.Builder) error {
			b.Func("get", get)
			b.Func("all", all)
			return nil
		},
	}
}

func get(L *lua.LState) int {
	key := L.CheckString(1)
	if key == "" {
		return engine.PushError(L, engine.NewError(engine.KindInvalid, "empty key"))
	}
	values, _ := frames.Values.Get(access.Frame(engine.From(L)))
	value, ok := values[key]
	if !ok {
		return engine.PushError(L, engine.NewError(engine.KindNotFound, "key not found: "+key))
	}
	L.Push(ctxvalues.ToLua(value))
	return 1
}

func all(L *lua.LState) int {
	values, _ := frames.Values.Get(access.Frame(engine.From(L)))
	t := L.CreateTable(0, len(values))
	for key, value := range values {
		t.RawSetString(key, ctxvalues.ToLua(value))
	}
	L.Push(t)
	return 1
}
