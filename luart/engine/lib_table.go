// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// buildTable fills the global table.
func buildTable(b *Builder) {
	b.Func("insert", tableInsert)
	b.Func("remove", tableRemove)
	b.Func("concat", tableConcat)
	b.Func("unpack", luaUnpack)
	b.Func("sort", tableSort)
	b.Func("getn", func(L *lua.LState) int {
		L.Push(lua.LNumber(Unwrap(L.CheckTable(1)).Len()))
		return 1
	})
	b.Func("maxn", func(L *lua.LState) int {
		var most lua.LNumber
		Unwrap(L.CheckTable(1)).ForEach(func(k, _ lua.LValue) {
			if n, ok := k.(lua.LNumber); ok && n > most {
				most = n
			}
		})
		L.Push(most)
		return 1
	})
	b.Func("create", func(L *lua.LState) int {
		const most = 1 << 24
		L.Push(newTable(min(max(L.OptInt(1, 0), 0), most), min(max(L.OptInt(2, 0), 0), most)))
		return 1
	})
	b.Func("freeze", func(L *lua.LState) int {
		t := L.CheckTable(1)
		if globalsBase(t) != nil {
			L.ArgError(1, "cannot freeze the globals")
		}
		freeze(t)
		L.SetTop(1)
		return 1
	})
	b.Func("isfrozen", func(L *lua.LState) int {
		L.Push(lua.LBool(Frozen(L.CheckTable(1))))
		return 1
	})
}

// checkWritable returns argument n, which must be a table that may be changed.
func checkWritable(L *lua.LState, n int) *lua.LTable {
	t := L.CheckTable(n)
	if Frozen(t) {
		L.RaiseError(msgImmutable)
	}
	return t
}

func tableInsert(L *lua.LState) int {
	t := checkWritable(L, 1)
	n := t.Len() + 1
	switch L.GetTop() {
	case 2:
		t.RawSetInt(n, L.Get(2))
	case 3:
		i, v := int(L.CheckNumber(2)), L.Get(3)
		switch {
		case i >= 1 && i < n:
			t.Insert(i, v)
		case i > n+maxGap:
			L.ArgError(2, "position out of bounds")
		default:
			t.RawSet(lua.LNumber(i), v)
		}
	default:
		L.RaiseError("wrong number of arguments to 'insert'")
	}
	return 0
}

// maxGap is how far beyond the end of an array table.insert may write: the gap
// costs memory.
const maxGap = 1 << 20

func tableRemove(L *lua.LState) int {
	t := checkWritable(L, 1)
	n := t.Len()
	i := optInt(L, 2, n)
	if n == 0 || i < 1 || i > n {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(t.Remove(i))
	return 1
}

func tableConcat(L *lua.LState) int {
	t := Unwrap(L.CheckTable(1))
	sep := ""
	if L.Get(2) != lua.LNil {
		sep = L.CheckString(2)
	}
	from, to := optInt(L, 3, 1), optInt(L, 4, t.Len())
	limit := From(L).engine.maxString
	var b strings.Builder
	for i := from; i <= to; i++ {
		v := t.RawGetInt(i)
		switch {
		case lua.LVCanConvToString(v):
			b.WriteString(v.String())
		default:
			err, ok := AsError(v)
			if !ok {
				L.RaiseError("invalid value (%s) at index %d in table for 'concat'", typeName(v), i)
			}
			b.WriteString(err.Error())
		}
		if i < to {
			b.WriteString(sep)
		}
		if b.Len() > limit {
			L.RaiseError("resulting string too large")
		}
	}
	L.Push(lua.LString(b.String()))
	return 1
}
