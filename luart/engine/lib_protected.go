// SPDX-License-Identifier: Apache-2.0

package engine

import (
	lua "github.com/yuin/gopher-lua"
)

// callStub calls its first argument with the others. A thread whose function is
// not a Lua function starts with it: the VM cannot run a thread that consists of
// a Go function alone.
var callStub = stub("local f = ... return function(f, ...) return f(...) end")

// stub compiles a chunk of the engine's own and returns the function it makes. What it
// calls has no name, as in pcall of other Lua systems: the stub's own names mean nothing
// to who reads an error.
func stub(source string) *lua.LFunction {
	proto := mustCompile(source)
	inner := proto.FunctionPrototypes[0]
	for i := range inner.DbgCalls {
		inner.DbgCalls[i].Name = "?"
	}
	return &lua.LFunction{Env: newTable(0, 1), Proto: inner, Upvalues: make([]*lua.Upvalue, inner.NumUpvalues)}
}

// maxFrames bounds how many threads one coroutine may stack up: protected calls
// within protected calls, and continued call stacks.
func (p *Process) maxFrames() int { return p.engine.stackDepth / deepCall }

func callable(L *lua.LState, v lua.LValue) bool {
	if v.Type() == lua.LTFunction {
		return true
	}
	_, ok := L.GetMetaField(v, "__call").(*lua.LFunction)
	return ok
}

func pcall(L *lua.LState) int {
	L.CheckAny(1)
	fn := L.Get(1)
	if !callable(L, fn) {
		L.Push(lua.LFalse)
		L.Push(lua.LString("attempt to call a " + typeName(fn) + " value"))
		return 2
	}
	c, p := running(L)
	if _, nested := c.place(L); nested {
		return pcallNested(L, p, nil)
	}
	return suspend(L, c, request{kind: reqCall, frame: frameProtected})
}

func xpcall(L *lua.LState) int {
	fn := L.CheckAny(1)
	handler := L.CheckAny(2)
	c, p := running(L)
	L.Remove(2)
	if !callable(L, fn) {
		// The handler sees this error like any other.
		L.SetTop(0)
		L.Push(raiseStub)
		L.Push(lua.LString("attempt to call a " + typeName(fn) + " value"))
	}
	if _, nested := c.place(L); nested {
		return pcallNested(L, p, handler)
	}
	return suspend(L, c, request{kind: reqCall, frame: frameHandler, handler: handler})
}

var raiseStub = goFunction(func(L *lua.LState) int { L.Error(L.Get(1), 0); return 0 })

// pcallNested is pcall where the caller cannot be suspended: the function runs
// in a VM loop of its own, and what it calls cannot yield either.
func pcallNested(L *lua.LState, p *Process, handler lua.LValue) int {
	err := L.PCall(L.GetTop()-1, lua.MultRet, nil)
	if err == nil {
		L.Insert(lua.LTrue, 1)
		return L.GetTop()
	}
	if p.failed() {
		// Termination is not for the program to catch.
		L.RaiseError("%s", p.stop.Error())
	}
	fault := nestedFault(err)
	L.SetTop(0)
	if handler == nil {
		L.Push(lua.LFalse)
		L.Push(fault)
		return 2
	}
	L.Push(handler)
	L.Push(fault)
	if err := L.PCall(1, lua.MultRet, nil); err != nil {
		fault = nestedFault(err)
		L.SetTop(0)
		L.Push(fault)
	}
	L.Insert(lua.LFalse, 1)
	return L.GetTop()
}

func nestedFault(err error) lua.LValue {
	e, ok := err.(*lua.ApiError)
	if !ok || e.Object == nil {
		return lua.LString(err.Error())
	}
	if e.Object == lua.LString(overflowPanic) {
		return lua.LString(msgOverflow)
	}
	return e.Object
}

// luaError is error(value, level).
func luaError(L *lua.LState) int {
	v := L.Get(1)
	level := L.OptInt(2, 1)
	if s, ok := v.(lua.LString); ok && level > 0 {
		if at := position(L, level); at != "" {
			v = lua.LString(at + ": " + string(s))
		}
	}
	if _, ok := v.(lua.LString); ok {
		L.Error(v, 0)
	}
	L.Error(v, 1)
	return 0
}

func luaAssert(L *lua.LState) int {
	L.CheckAny(1)
	if L.ToBool(1) {
		return L.GetTop()
	}
	switch v := L.Get(2).(type) {
	case *lua.LNilType:
		L.Error(lua.LString("assertion failed!"), 0)
	case lua.LString, lua.LNumber:
		L.Error(lua.LString(v.String()), 0)
	default:
		L.Error(v, 1)
	}
	return 0
}
