package syntax_test

import (
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/syntax"
)

func TestTheArgTableIsMadeOnlyWhereItIsUsed(t *testing.T) {
	for name, tc := range map[string]struct{ src, want string }{
		"the chunk has none": {"return tostring(arg)", "nil"},
		"function":           {"local function f(...) return arg.n end return f(1, 2, 3)", "3"},
		"captured":           {"local function f(...) return (function() return arg[2] end)() end return f('a', 'b')", "b"},
		"not used":           {"local function f(...) return args end return tostring(f(1))", "nil"},
		"vararg used":        {"local function f(...) local a, b = ... return b end return f(1, 2)", "2"},
		"a word that has it": {"local cargo, argument = 1, 2 local function f(...) return cargo + argument end return f(9)", "3"},
	} {
		t.Run(name, func(t *testing.T) {
			chunk, err := syntax.Parse("t", tc.src)
			if err != nil {
				t.Fatal(err)
			}
			proto, err := syntax.Compile(chunk, "t")
			if err != nil {
				t.Fatal(err)
			}
			L := lua.NewState()
			defer L.Close()
			L.Push(L.NewFunctionFromProto(proto))
			L.Push(lua.LNumber(7))
			L.Push(lua.LNumber(8))
			if err := L.PCall(2, 1, nil); err != nil {
				t.Fatal(err)
			}
			if got := L.Get(-1).String(); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}
