// SPDX-License-Identifier: Apache-2.0

package types_test

import (
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/syntax"
	"github.com/wippyrun/kit/luart/types"
)

func TestOtherValuesMayStandForTypes(t *testing.T) {
	chunk, err := syntax.Parse("t", "type Box<T> = {value: T} type N = number")
	if err != nil {
		t.Fatal(err)
	}
	binding := types.NewBinding(nil)
	binding.Accept(func(v lua.LValue) (*types.Type, bool) {
		if v.Type() == lua.LTTable {
			return types.Builtin("string")
		}
		return nil, false
	})
	L := lua.NewState()
	defer L.Close()
	for _, name := range []string{"Box", "N"} {
		d, _ := types.NewSet(chunk, nil).Lookup(name)
		L.SetGlobal(name, binding.Value(d))
	}
	if err := L.DoString(`
		assert(tostring(Box({})) == "Box<string>" and tostring(Box(N)) == "Box<N>")
		local ok, err = pcall(N, {})
		assert(not ok and err:find("expected N, got table"), err)
		assert(getmetatable(N) == "type")`); err != nil {
		t.Error(err)
	}
	if n, _ := types.Builtin("number"); n.LuaType() != "type" {
		t.Error("the type of a type")
	}
}
