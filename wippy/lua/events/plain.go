// SPDX-License-Identifier: Apache-2.0

package events

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

// maxNesting bounds the depth of event data; deeper tables are left out.
const maxNesting = 200

// plain turns the data of an event into values that any subscriber can use, written in Lua or not: tables with an
// array part become arrays, other tables maps by name, functions and objects their text.
func plain(L *lua.LState, v lua.LValue, above ...*lua.LTable) any {
	t, ok := v.(*lua.LTable)
	if !ok {
		switch v.Type() {
		case lua.LTFunction, lua.LTUserData, lua.LTThread, lua.LTChannel:
			return L.ToStringMeta(v).String()
		}
		return engine.ToGo(v)
	}
	for _, a := range above {
		if a == t {
			return nil
		}
	}
	if len(above) >= maxNesting {
		return nil
	}
	above = append(above, t)
	real := engine.Unwrap(t)
	if n := real.Len(); n > 0 && real.RawGetInt(1) != lua.LNil {
		list := make([]any, n)
		for i := range list {
			list[i] = plain(L, real.RawGetInt(i+1), above...)
		}
		return list
	}
	m := map[string]any{}
	real.ForEach(func(k, v lua.LValue) { m[k.String()] = plain(L, v, above...) })
	if len(m) == 0 {
		return engine.ToGo(t)
	}
	return m
}
