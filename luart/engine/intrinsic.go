// SPDX-License-Identifier: Apache-2.0

package engine

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/syntax"
)

// intrinsics are the functions behind the operators that compiled code calls.
var intrinsics = func() map[string]*lua.LFunction {
	funcs := make(map[string]*lua.LFunction)
	for name, fn := range syntax.Intrinsics() {
		funcs[name] = goFunction(fn)
	}
	funcs[syntax.IntrinsicConcat] = goFunction(concat)
	return funcs
}()

// concat is the operator .. where it joins several values.
func concat(L *lua.LState) int {
	v, bad := syntax.Concat(L, From(L).engine.maxString)
	if bad > 0 {
		L.RaiseError("%s", aboutArgument(L, "concatenate", bad))
	}
	L.Push(v)
	return 1
}

// aboutArgument says what could not be done to an argument of the running Go
// function, by the name it has where it comes from.
func aboutArgument(L *lua.LState, verb string, n int) string {
	text := "attempt to " + verb + " "
	found := "(a " + typeName(L.Get(n)) + " value)"
	if f, ok := callerOf(L); ok {
		if kind, name := f.name(f.a()+n, f.pc); name != "" {
			return text + kind + " '" + name + "' " + found
		}
	}
	return text + found[1:len(found)-1]
}

// callerOf returns the instruction with which a Lua function called the running one.
func callerOf(L *lua.LState) (faultAt, bool) {
	parent := vm.frame(L).Field(vm.parent)
	if parent.IsNil() {
		return faultAt{}, false
	}
	frame, ok := L.GetStack(1)
	if !ok {
		return faultAt{}, false
	}
	v, err := L.GetInfo("f", frame, lua.LNil)
	fn, ok := v.(*lua.LFunction)
	if err != nil || !ok || fn.IsG {
		return faultAt{}, false
	}
	pc := int(parent.Elem().Field(vm.pc).Int()) - 1
	return faultAt{L: L, fn: fn, pc: pc, inst: fn.Proto.Code[pc]}, true
}
