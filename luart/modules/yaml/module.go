// SPDX-License-Identifier: Apache-2.0

package yaml

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
)

// Module returns the Lua module `yaml` with the functions encode and decode. No call yields.
func Module() engine.Module {
	return engine.Module{
		Name:    "yaml",
		Classes: []string{"encoding", "deterministic"},
		Build: func(b *engine.Builder) error {
			b.Func("encode", encode)
			b.Func("decode", decode)
			return nil
		},
	}
}

func encode(L *lua.LState) int {
	t, ok := L.Get(1).(*lua.LTable)
	if !ok {
		return call.Invalid(L, "table expected")
	}
	text, err := encodeValue(L, t, options(L, 2))
	if err != nil {
		return call.Failed(L, "encode failed", err)
	}
	return call.Value(L, lua.LString(text))
}

// options reads the table of options in argument n. Options of a wrong type do not count.
func options(L *lua.LState, n int) Options {
	var o Options
	t := call.Table(L, n)
	if t == nil {
		return o
	}
	if order, ok := t.RawGetString("field_order").(*lua.LTable); ok {
		order = engine.Unwrap(order)
		for i := 1; i <= order.Len(); i++ {
			if name, ok := order.RawGetInt(i).(lua.LString); ok {
				o.FieldOrder = append(o.FieldOrder, string(name))
			}
		}
	}
	o.SortUnordered = t.RawGetString("sort_unordered") == lua.LTrue
	return o
}

func decode(L *lua.LState) int {
	text, ok := call.Text(L, 1)
	if !ok {
		return call.Invalid(L, "string expected")
	}
	if text == "" {
		return call.Invalid(L, "input cannot be empty")
	}
	v, err := Decode(text)
	if err != nil {
		return call.Failed(L, "decode failed", err)
	}
	return call.Value(L, v)
}
