// SPDX-License-Identifier: Apache-2.0

package engine

import (
	lua "github.com/yuin/gopher-lua"
)

// A read-only table is an empty table, the proxy, whose metatable reads through
// to the real one and raises on assignment. The hidden keys below mark such
// metatables; a program never sees them because getmetatable does not hand them
// out and next walks the real table.
const (
	realKey  = "\x00real"  // proxy metatable: the real table
	ownerKey = "\x00owner" // frozen table: the metatable the program had set
	baseKey  = "\x00base"  // metatable of a globals table: the shared base
)

// msgImmutable is the error of every write to a read-only table.
const msgImmutable = "attempt to modify Immutable table"

func raiseImmutable(L *lua.LState) int {
	L.RaiseError(msgImmutable)
	return 0
}

func realLen(L *lua.LState) int {
	L.Push(lua.LNumber(Unwrap(L.CheckTable(1)).Len()))
	return 1
}

var (
	immutableFn = goFunction(raiseImmutable)
	realLenFn   = goFunction(realLen)
)

// goFunction makes a function value that belongs to no process. The engine's
// functions never look at their environment.
func goFunction(fn lua.LGFunction) *lua.LFunction {
	return &lua.LFunction{IsG: true, GFunction: fn}
}

// ReadOnly returns a read-only view of t, which may be shared by all processes.
// t itself must not change any more.
func ReadOnly(t *lua.LTable) *lua.LTable {
	if Frozen(t) {
		return t
	}
	return makeReadOnly(&lua.LTable{}, t, nil)
}

// makeReadOnly makes proxy, which is empty, the read-only view of real. owner is
// the metatable a program had given the table: its events stay in force.
func makeReadOnly(proxy, real, owner *lua.LTable) *lua.LTable {
	mt := newTable(0, 6)
	if owner != nil {
		owner.ForEach(func(k, v lua.LValue) { mt.RawSet(k, v) })
		real.Metatable = owner
		mt.RawSetString(ownerKey, owner)
	}
	mt.RawSetString("__index", real)
	mt.RawSetString("__newindex", immutableFn)
	if owner == nil || owner.RawGetString("__len") == lua.LNil {
		mt.RawSetString("__len", realLenFn)
	}
	mt.RawSetString(realKey, real)
	proxy.Metatable = mt
	return proxy
}

// freeze turns t into a read-only view of its own content, keeping its identity.
func freeze(t *lua.LTable) {
	if Frozen(t) {
		return
	}
	real := newTable(t.Len(), 0)
	t.ForEach(func(k, v lua.LValue) { real.RawSet(k, v) })
	var keys []lua.LValue
	t.ForEach(func(k, _ lua.LValue) { keys = append(keys, k) })
	for i := len(keys) - 1; i >= 0; i-- {
		t.RawSet(keys[i], lua.LNil)
	}
	owner, _ := t.Metatable.(*lua.LTable)
	makeReadOnly(t, real, owner)
}

// Frozen reports whether t is a read-only view: a library or module table, or a
// table given to table.freeze.
func Frozen(t *lua.LTable) bool { return Unwrap(t) != t }

// Unwrap returns the table that holds the content of t: the real table behind a
// read-only view, else t. Go code that walks tables given by a program must use
// it, and must not write to what it returns.
func Unwrap(t *lua.LTable) *lua.LTable {
	if mt, ok := t.Metatable.(*lua.LTable); ok {
		if real, ok := mt.RawGetString(realKey).(*lua.LTable); ok {
			return real
		}
	}
	return t
}

// visibleMetatable returns what a program may see as the metatable of t.
func visibleMetatable(t *lua.LTable) lua.LValue {
	mt, ok := t.Metatable.(*lua.LTable)
	if !ok {
		return lua.LNil
	}
	if mt.RawGetString(baseKey) != lua.LNil {
		return lua.LNil
	}
	if mt.RawGetString(realKey) != lua.LNil {
		owner, ok := mt.RawGetString(ownerKey).(*lua.LTable)
		if !ok {
			return lua.LNil
		}
		mt = owner
	}
	if p := mt.RawGetString("__metatable"); p != lua.LNil {
		return p
	}
	return mt
}

// newTable makes a table with room for array and hash items. A table that will
// get string keys should ask for at least one, or the first of them costs room
// for 32.
func newTable(array, hash int) *lua.LTable { return maker.CreateTable(array, hash) }

// maker only makes tables: CreateTable is a method of a state but does not use it.
var maker *lua.LState
