// SPDX-License-Identifier: Apache-2.0

package tty

import (
	"slices"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/service/terminal/keys"
)

// binding is a set of key patterns with a line of help. It belongs to the process that made it.
type binding struct {
	keys      []string
	key, desc string
	disabled  bool
}

func (m *module) buildBindings(b *engine.Builder) {
	m.bindings = b.Type("KeyBinding", map[string]lua.LGFunction{
		"matches": func(L *lua.LState) int {
			b := checkBinding(L)
			L.Push(lua.LBool(b.matches(L, L.CheckTable(2))))
			return 1
		},
		"set_enabled": func(L *lua.LState) int {
			checkBinding(L).disabled = !L.CheckBool(2)
			L.Push(L.Get(1))
			return 1
		},
		"is_enabled": func(L *lua.LState) int {
			L.Push(lua.LBool(!checkBinding(L).disabled))
			return 1
		},
		"help": func(L *lua.LState) int {
			b, t := checkBinding(L), L.NewTable()
			t.RawSetString("key", lua.LString(b.key))
			t.RawSetString("desc", lua.LString(b.desc))
			L.Push(t)
			return 1
		},
	}, map[string]lua.LGFunction{"__tostring": func(L *lua.LState) int {
		L.Push(lua.LString("tty.KeyBinding{" + strings.Join(checkBinding(L).keys, ", ") + "}"))
		return 1
	}})
	b.Func("bind", m.bind)
}

func checkBinding(L *lua.LState) *binding { return engine.Check[*binding](L, 1, "KeyBinding") }

// bind implements tty.bind{keys, help}.
func (m *module) bind(L *lua.LState) int {
	config := L.CheckTable(1)
	b := &binding{}
	if patterns := optTable(L, config, "keys"); patterns != nil {
		for i := 1; ; i++ {
			v := L.GetTable(patterns, lua.LNumber(i))
			if v == lua.LNil {
				break
			}
			key, ok := v.(lua.LString)
			if !ok {
				L.ArgError(1, "keys["+strconv.Itoa(i)+"]: string expected, got "+v.Type().String())
			}
			b.keys = append(b.keys, string(key))
		}
	}
	if help := optTable(L, config, "help"); help != nil {
		b.key, b.desc = optText(L, help, "key"), optText(L, help, "desc")
	}
	L.Push(m.bindings.New(b))
	return 1
}

func optTable(L *lua.LState, t *lua.LTable, name string) *lua.LTable {
	v := L.GetField(t, name)
	if v == lua.LNil {
		return nil
	}
	field, ok := v.(*lua.LTable)
	if !ok {
		L.ArgError(1, name+": table expected, got "+v.Type().String())
	}
	return field
}

func optText(L *lua.LState, t *lua.LTable, name string) string {
	v := L.GetField(t, name)
	switch v.Type() {
	case lua.LTNil:
		return ""
	case lua.LTString, lua.LTNumber:
		return v.String()
	}
	L.ArgError(1, "help."+name+": string expected, got "+v.Type().String())
	return ""
}

// matches tells whether one of the patterns is the keystroke of the event, its key or the type of its key.
func (b *binding) matches(L *lua.LState, event *lua.LTable) bool {
	if b.disabled || L.GetField(event, "type") != lua.LString("key") {
		return false
	}
	key, kind := lua.LVAsString(L.GetField(event, "key")), lua.LVAsString(L.GetField(event, "key_type"))
	stroke := key
	if kind != keys.Runes && kind != keys.Unknown && kind != "" {
		stroke = kind
	}
	for _, modifier := range []string{"shift", "alt", "ctrl"} {
		if lua.LVAsBool(L.GetField(event, modifier)) {
			stroke = modifier + "+" + stroke
		}
	}
	return slices.ContainsFunc(b.keys, func(p string) bool { return p == stroke || p == key || p == kind })
}
