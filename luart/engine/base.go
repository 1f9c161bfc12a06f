// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// newBase builds the globals every program has. The table is shared; programs
// read it through their own globals table.
func newBase(e *Engine) *lua.LTable {
	base := newTable(0, 48)
	for name, fn := range map[string]lua.LGFunction{
		"assert": luaAssert, "error": luaError, "getmetatable": luaGetmetatable, "setmetatable": luaSetmetatable,
		"pairs": luaPairs, "ipairs": luaIpairs, "pcall": pcall, "xpcall": xpcall, "print": luaPrint,
		"rawequal": luaRawequal, "rawget": luaRawget, "rawset": luaRawset, "select": luaSelect,
		"tonumber": luaTonumber, "tostring": luaTostring, "type": luaType, "unpack": luaUnpack,
		"require": luaRequire, "subscribe": globalSubscribe, "unsubscribe": globalUnsubscribe,
	} {
		base.RawSetString(name, goFunction(contain(name, fn)))
	}
	base.RawSetString("next", nextFn)
	base.RawSetString("_VERSION", lua.LString("Lua 5.1"))
	for name, build := range map[string]func(*Builder){
		"string": buildString, "table": buildTable, "math": buildMath, "os": buildOS, "coroutine": buildCoroutine,
		"errors": buildErrors, "channel": buildChannel, "payload": buildPayload, "package": buildPackage,
	} {
		b := &Builder{engine: e, path: name, table: newTable(0, 32)}
		build(b)
		base.RawSetString(name, b.finish())
	}
	bindBuiltinTypes(base)
	return base
}

var (
	nextFn   = goFunction(luaNext)
	ipairsFn = goFunction(ipairsStep)
)

// globalsBase returns what a process's globals table reads through to, nil when t
// is another table.
func globalsBase(t *lua.LTable) *lua.LTable {
	if mt, ok := t.Metatable.(*lua.LTable); ok {
		base, _ := mt.RawGetString(baseKey).(*lua.LTable)
		return base
	}
	return nil
}

func luaNext(L *lua.LState) int {
	t := L.CheckTable(1)
	k, v := nextPair(t, L.Get(2))
	if k == lua.LNil {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(k)
	L.Push(v)
	return 2
}

// nextPair is next for all kinds of tables.
func nextPair(t *lua.LTable, key lua.LValue) (k, v lua.LValue) {
	if t.Metatable == lua.LNil {
		return t.Next(key)
	}
	if real := Unwrap(t); real != t {
		return real.Next(key)
	}
	base := globalsBase(t)
	if base == nil {
		return t.Next(key)
	}
	// The globals: those of the process first, then the shared ones it has not
	// replaced.
	if key == lua.LNil || t.RawGet(key) != lua.LNil {
		if k, v = t.Next(key); k != lua.LNil {
			return k, v
		}
		key = lua.LNil
	}
	for k, v = base.Next(key); k != lua.LNil; k, v = base.Next(k) {
		if name, ok := k.(lua.LString); ok && strings.HasPrefix(string(name), "\x00") {
			continue // what only code that was made for it can name
		}
		if t.RawGet(k) == lua.LNil {
			return k, v
		}
	}
	return lua.LNil, lua.LNil
}

func luaPairs(L *lua.LState) int {
	t := L.CheckTable(1)
	L.Push(nextFn)
	L.Push(t)
	L.Push(lua.LNil)
	return 3
}

func luaIpairs(L *lua.LState) int {
	t := L.CheckTable(1)
	L.Push(ipairsFn)
	L.Push(t)
	L.Push(lua.LNumber(0))
	return 3
}

func ipairsStep(L *lua.LState) int {
	t, i := Unwrap(L.CheckTable(1)), L.CheckInt(2)+1
	v := t.RawGetInt(i)
	if v == lua.LNil {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(lua.LNumber(i))
	L.Push(v)
	return 2
}

func luaGetmetatable(L *lua.LState) int {
	switch v := L.CheckAny(1).(type) {
	case *lua.LTable:
		L.Push(visibleMetatable(v))
	case lua.LString:
		L.Push(From(L).engine.strings)
	default:
		L.Push(L.GetMetatable(v))
	}
	return 1
}

func luaSetmetatable(L *lua.LState) int {
	t := L.CheckTable(1)
	L.CheckTypes(2, lua.LTNil, lua.LTTable)
	var mt lua.LValue = lua.LNil
	if m, ok := L.Get(2).(*lua.LTable); ok {
		if real := Unwrap(m); real != m {
			// The VM looks into metatables directly, where a read-only one has
			// nothing to see.
			m = newTable(0, 4)
			real.ForEach(func(k, v lua.LValue) { m.RawSet(k, v) })
		}
		mt = m
	}
	if Frozen(t) {
		L.RaiseError(msgImmutable)
	}
	if base := globalsBase(t); base != nil {
		base.ForEach(func(k, v lua.LValue) {
			if t.RawGet(k) == lua.LNil {
				t.RawSet(k, v)
			}
		})
		t.RawSetString("_G", t)
	} else if have, ok := t.Metatable.(*lua.LTable); ok && have.RawGetString("__metatable") != lua.LNil {
		L.RaiseError("cannot change a protected metatable")
	}
	t.Metatable = mt
	L.SetTop(1)
	return 1
}

func luaRawequal(L *lua.LState) int {
	L.Push(lua.LBool(L.RawEqual(L.CheckAny(1), L.CheckAny(2))))
	return 1
}

func luaRawget(L *lua.LState) int {
	t, k := L.CheckTable(1), L.CheckAny(2)
	v := Unwrap(t).RawGet(k)
	if v == lua.LNil {
		if base := globalsBase(t); base != nil {
			v = base.RawGet(k)
		}
	}
	L.Push(v)
	return 1
}

func luaRawset(L *lua.LState) int {
	t, k, v := L.CheckTable(1), L.CheckAny(2), L.CheckAny(3)
	if Frozen(t) {
		L.RaiseError(msgImmutable)
	}
	if globalsBase(t) != nil && t.RawGet(k) == lua.LNil && k.Type() == lua.LTString {
		setGlobal(t, k, v)
	} else {
		L.RawSet(t, k, v)
	}
	L.SetTop(1)
	return 1
}

func luaSelect(L *lua.LState) int {
	n := L.GetTop()
	if s, ok := L.Get(1).(lua.LString); ok && s == "#" {
		L.Push(lua.LNumber(n - 1))
		return 1
	}
	i := L.CheckInt(1)
	switch {
	case i < 0:
		i = n + i
	case i > n:
		i = n
	}
	if i < 1 {
		L.ArgError(1, "index out of range")
	}
	return n - i
}

// luaTonumber accepts what Lua 5.1 does: decimal and hexadecimal numbers with
// white space around them, and integers in a base from 2 to 36.
func luaTonumber(L *lua.LState) int {
	v := L.CheckAny(1)
	base := L.OptInt(2, 10)
	if base < 2 || base > 36 {
		L.ArgError(2, "base out of range")
	}
	var n lua.LValue = lua.LNil
	switch v := v.(type) {
	case lua.LNumber:
		n = v
		if base != 10 {
			n = parseInBase(v.String(), base)
		}
	case lua.LString:
		if base == 10 {
			n = parseNumber(string(v))
		} else {
			n = parseInBase(string(v), base)
		}
	}
	L.Push(n)
	return 1
}

func parseInBase(s string, base int) lua.LValue {
	s = strings.ToLower(strings.TrimSpace(s))
	if base == 16 {
		s = strings.TrimPrefix(s, "0x")
	}
	if strings.ContainsAny(s, "_+") {
		return lua.LNil
	}
	if i, err := strconv.ParseInt(s, base, 64); err == nil {
		return lua.LNumber(i)
	}
	if u, err := strconv.ParseUint(s, base, 64); err == nil {
		return lua.LNumber(u)
	}
	return lua.LNil
}

func parseNumber(s string) lua.LValue {
	s = strings.Trim(s, " \t\n\v\f\r")
	digits, negative := strings.TrimPrefix(s, "-"), strings.HasPrefix(s, "-")
	if !negative {
		digits = strings.TrimPrefix(s, "+")
	}
	if len(digits) > 2 && (digits[:2] == "0x" || digits[:2] == "0X") {
		if u, err := strconv.ParseUint(digits[2:], 16, 64); err == nil && !strings.ContainsAny(digits, "_") {
			if negative {
				return -lua.LNumber(u)
			}
			return lua.LNumber(u)
		}
	}
	if digits == "" || strings.Trim(digits, "0123456789.eE+-") != "" {
		return lua.LNil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(f, 0) {
		return lua.LNil
	}
	return lua.LNumber(f)
}

func luaTostring(L *lua.LState) int {
	L.Push(L.ToStringMeta(L.CheckAny(1)))
	return 1
}

func luaType(L *lua.LState) int {
	L.Push(lua.LString(typeName(L.CheckAny(1))))
	return 1
}

// Typed is implemented by Go values behind userdata for which type returns
// another name than "userdata".
type Typed interface{ LuaType() string }

func typeName(v lua.LValue) string {
	if ud, ok := v.(*lua.LUserData); ok {
		if t, ok := ud.Value.(Typed); ok {
			return t.LuaType()
		}
	}
	return v.Type().String()
}

func luaUnpack(L *lua.LState) int {
	t := Unwrap(L.CheckTable(1))
	from, to := L.OptInt(2, 1), L.OptInt(3, t.Len())
	n := to - from + 1
	if n <= 0 {
		return 0
	}
	if n > From(L).engine.maxRegister/2 {
		L.RaiseError("too many results to unpack")
	}
	// One resize of the registry instead of many.
	L.SetTop(n)
	for i := range n {
		L.Replace(i+1, t.RawGetInt(from+i))
	}
	return n
}

// luaPrint joins the text of its arguments with one space.
func luaPrint(L *lua.LState) int {
	p := From(L)
	var b strings.Builder
	for i := 1; i <= L.GetTop(); i++ {
		if i > 1 {
			b.WriteByte(' ')
		}
		b.WriteString(L.ToStringMeta(L.Get(i)).String())
	}
	p.engine.printer(p, p.Where(L), b.String())
	return 0
}

func luaRequire(L *lua.LState) int {
	name := L.CheckString(1)
	if v := L.GetField(From(L).inst.env, name); v != lua.LNil {
		L.Push(v)
		return 1
	}
	L.RaiseError("module '%s' not found", name)
	return 0
}

// buildPackage fills the global package: there is nothing to load.
func buildPackage(b *Builder) {
	b.Value("path", lua.LString(""))
	b.Value("cpath", lua.LString(""))
	b.Func("loadlib", func(L *lua.LState) int {
		L.Push(lua.LString("cannot load module '" + L.CheckString(1) + "': loadlib disabled"))
		return 1
	})
	b.Func("seeall", func(L *lua.LState) int {
		t := L.CheckTable(1)
		if Frozen(t) {
			L.RaiseError(msgImmutable)
		}
		mt, ok := t.Metatable.(*lua.LTable)
		if !ok {
			mt = newTable(0, 1)
			t.Metatable = mt
		}
		mt.RawSetString("__index", From(L).inst.env)
		return 0
	})
}
