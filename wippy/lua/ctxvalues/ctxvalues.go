// SPDX-License-Identifier: Apache-2.0

// Package ctxvalues converts between the tables that programs give to with_context and the values of a frame.
//
// A value in a frame is shared by everybody it flows to, and nobody changes it: tables are copied on the way in
// and on every way out.
package ctxvalues

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

// FromTable copies a table of named values.
func FromTable(t *lua.LTable) map[string]any {
	all := map[string]any{}
	engine.Unwrap(t).ForEach(func(k, v lua.LValue) {
		if table, ok := v.(*lua.LTable); ok {
			all[k.String()] = engine.Copy(table)
		} else {
			all[k.String()] = engine.ToGo(v)
		}
	})
	return all
}

// ToLua returns a value for one program to own.
func ToLua(value any) lua.LValue {
	if v, ok := value.(lua.LValue); ok {
		return engine.Copy(v)
	}
	return engine.ToLua(value)
}
