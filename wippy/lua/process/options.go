// SPDX-License-Identifier: Apache-2.0

package process

import (
	"slices"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

// options are the settings of one process.
type options struct {
	trapLinks  bool
	upgradable bool
}

// optionsKey is where a process keeps its options.
type optionsKey struct{}

// optionsOf returns the options of a process that has set none as the defaults.
func optionsOf(p *engine.Process) options {
	o, _ := p.Local(optionsKey{}).(options)
	return o
}

func (m *module) identity(b *engine.Builder) {
	b.Func("pid", pid)
	b.Func("id", id)
	b.Func("get_options", getOptions)
	b.Func("set_options", m.setOptions)
}

func pid(L *lua.LState) int {
	L.Push(lua.LString(engine.From(L).PID().String()))
	return 1
}

func id(L *lua.LState) int {
	L.Push(lua.LString(engine.From(L).SourceID()))
	return 1
}

func getOptions(L *lua.LState) int {
	o := optionsOf(engine.From(L))
	t := L.CreateTable(0, 2)
	t.RawSetString("trap_links", lua.LBool(o.trapLinks))
	t.RawSetString("upgradable", lua.LBool(o.upgradable))
	L.Push(t)
	return 1
}

// setOptions implements process.set_options. Good keys count even beside bad ones; the first bad key in
// alphabetical order is reported.
func (m *module) setOptions(L *lua.LState) int {
	p := engine.From(L)
	t, ok := L.Get(1).(*lua.LTable)
	if !ok {
		return refuse(L, "options parameter must be a table")
	}
	o := optionsOf(p)
	var problems []string
	engine.Unwrap(t).ForEach(func(k, v lua.LValue) {
		key := k.String()
		var field *bool
		switch key {
		case "trap_links":
			field = &o.trapLinks
		case "upgradable":
			field = &o.upgradable
		default:
			problems = append(problems, "option "+key+" is not supported")
			return
		}
		on, ok := v.(lua.LBool)
		if !ok {
			problems = append(problems, key+" must be a boolean")
			return
		}
		*field = bool(on)
	})
	p.SetLocal(optionsKey{}, o)
	if o.upgradable {
		m.watchCode(p)
	}
	if len(problems) > 0 {
		slices.Sort(problems)
		return refuse(L, problems[0])
	}
	L.Push(lua.LTrue)
	return 1
}

// refuse pushes false and an error of kind Invalid.
func refuse(L *lua.LState, message string) int {
	L.Push(lua.LFalse)
	L.Push(engine.ErrorValue(engine.NewError(engine.KindInvalid, message)))
	return 2
}
