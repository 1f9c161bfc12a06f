// SPDX-License-Identifier: Apache-2.0

package ctxvalues_test

import (
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/wippy/lua/ctxvalues"
)

func TestTablesKeepTheirKeysAndAreCopiedBothWays(t *testing.T) {
	L := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer L.Close()
	inner := L.NewTable()
	inner.RawSetInt(1, lua.LString("one"))
	inner.RawSetInt(10, lua.LString("ten"))
	inner.RawSetString("name", lua.LTrue)
	outer := L.NewTable()
	outer.RawSetString("t", inner)
	outer.RawSetString("n", lua.LNumber(5))

	values := ctxvalues.FromTable(outer)
	inner.RawSetInt(10, lua.LString("changed"))
	if values["n"] != 5.0 {
		t.Errorf("n = %v", values["n"])
	}
	first := ctxvalues.ToLua(values["t"]).(*lua.LTable)
	if first.RawGetInt(1).String() != "one" || first.RawGetInt(10).String() != "ten" || first.RawGetString("name") != lua.LTrue {
		t.Errorf("keys lost: %v %v %v", first.RawGetInt(1), first.RawGetInt(10), first.RawGetString("name"))
	}
	first.RawSetInt(10, lua.LString("changed"))
	if second := ctxvalues.ToLua(values["t"]).(*lua.LTable); second.RawGetInt(10).String() != "ten" {
		t.Error("readers share a table")
	}
	if ctxvalues.ToLua("text") != lua.LString("text") {
		t.Error("plain values are converted")
	}
}
