// SPDX-License-Identifier: Apache-2.0

package syntax_test

import (
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/syntax"
)

func TestIntrinsicsDoWhatTheOperatorsSay(t *testing.T) {
	L := lua.NewState()
	defer L.Close()
	funcs := syntax.Intrinsics()
	for _, tt := range []struct {
		name string
		args []lua.LValue
		want lua.LValue
	}{
		{syntax.IntrinsicIDiv, []lua.LValue{lua.LNumber(-7), lua.LNumber(2)}, lua.LNumber(-4)},
		{syntax.IntrinsicBAnd, []lua.LValue{lua.LNumber(6), lua.LNumber(3)}, lua.LNumber(2)},
		{syntax.IntrinsicBOr, []lua.LValue{lua.LNumber(6), lua.LNumber(3)}, lua.LNumber(7)},
		{syntax.IntrinsicBXor, []lua.LValue{lua.LNumber(6), lua.LNumber(3)}, lua.LNumber(5)},
		{syntax.IntrinsicShl, []lua.LValue{lua.LNumber(3), lua.LNumber(4)}, lua.LNumber(48)},
		{syntax.IntrinsicShr, []lua.LValue{lua.LNumber(48), lua.LNumber(4)}, lua.LNumber(3)},
		{syntax.IntrinsicBNot, []lua.LValue{lua.LNumber(0)}, lua.LNumber(-1)},
		{syntax.IntrinsicConcat, []lua.LValue{lua.LString("a"), lua.LNumber(1), lua.LString("b")}, lua.LString("a1b")},
	} {
		fn := funcs[tt.name]
		if fn == nil {
			t.Errorf("%q is missing", tt.name)
			continue
		}
		delete(funcs, tt.name)
		if err := L.CallByParam(lua.P{Fn: L.NewFunction(fn), NRet: 1, Protect: true}, tt.args...); err != nil {
			t.Errorf("%q: %v", tt.name, err)
			continue
		}
		if got := L.Get(-1); got != tt.want {
			t.Errorf("%q of %v is %v, want %v", tt.name, tt.args, got, tt.want)
		}
		L.Pop(1)
	}
	for name := range funcs {
		t.Errorf("%q is not tested", name)
	}
}

func TestInlinedIntrinsicsNeedNoEnvironment(t *testing.T) {
	chunk, err := syntax.Parse("t", `local function half(n) return n // 2 end return half(7) .. "!"`)
	if err != nil {
		t.Fatal(err)
	}
	proto, err := syntax.Compile(chunk, "")
	if err != nil {
		t.Fatal(err)
	}
	L := lua.NewState()
	defer L.Close()
	funcs := map[string]*lua.LFunction{}
	for name, fn := range syntax.Intrinsics() {
		funcs[name] = L.NewFunction(fn)
	}
	syntax.Inline(proto, funcs)
	fn := L.NewFunctionFromProto(proto)
	fn.Env = L.NewTable() // no intrinsics, nor anything else
	L.Push(fn)
	if err := L.PCall(0, 1, nil); err != nil {
		t.Fatal(err)
	}
	if got := L.Get(-1).String(); got != "3!" {
		t.Errorf("got %q", got)
	}
}

func TestConcatIsBounded(t *testing.T) {
	L := lua.NewState()
	defer L.Close()
	concat := func(limit int, args ...lua.LValue) (v lua.LValue, bad int, err error) {
		err = L.CallByParam(lua.P{Fn: L.NewFunction(func(L *lua.LState) int {
			v, bad = syntax.Concat(L, limit)
			return 0
		}), Protect: true}, args...)
		return v, bad, err
	}
	long := lua.LString(strings.Repeat("x", 2000))
	if v, bad, err := concat(4000, long, long); err != nil || bad != 0 || v != long+long {
		t.Errorf("at the limit: bad %d, %v", bad, err)
	}
	if _, _, err := concat(3999, long, long); err == nil || !strings.Contains(err.Error(), syntax.ErrTooLarge) {
		t.Errorf("beyond the limit: %v", err)
	}
	if _, bad, err := concat(100, lua.LString("a"), lua.LTrue, lua.LString("b")); err != nil || bad != 2 {
		t.Errorf("a boolean: bad %d, %v", bad, err)
	}
}
