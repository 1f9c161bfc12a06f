// SPDX-License-Identifier: Apache-2.0

package engine

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/relay/payload"
)

// maxNesting bounds how deep tables may be nested in a value that is copied or
// converted. Deeper ones come through cut off: the walk is recursive, and a
// program must not be able to exhaust the Go stack.
const maxNesting = 4096

// maxPresized bounds the room made for the keys of a copy in advance, because a table may once
// have had many more than it has: 100 keys are copied in 24 us instead of 34.
const maxPresized = 1024

// Portable is implemented by Go values behind userdata that may cross to another
// process. Portable returns the value that arrives, which must share nothing
// that changes.
type Portable interface{ Portable() lua.LValue }

func toPayload(v lua.LValue) payload.Payload {
	return payload.Payload{Format: payload.Lua, Data: Copy(v)}
}

// Payloads copies the arguments from the first on, for a receiver to own.
func Payloads(L *lua.LState, first int) []payload.Payload {
	n := L.GetTop() - first + 1
	if n <= 0 {
		return nil
	}
	return AppendPayloads(make([]payload.Payload, 0, n), L, first)
}

// AppendPayloads appends what Payloads returns to a list.
func AppendPayloads(list []payload.Payload, L *lua.LState, first int) []payload.Payload {
	for i := first; i <= L.GetTop(); i++ {
		list = append(list, toPayload(L.Get(i)))
	}
	return list
}

// Copy returns what another process gets of v: a deep copy that the receiver owns.
// Tables keep shared references, cycles and their metatable; error objects are
// immutable and pass as they are; functions, threads and other userdata arrive as
// nil. Copying numbers, strings and booleans is free.
func Copy(v lua.LValue) lua.LValue {
	switch v := v.(type) {
	case *lua.LTable:
		var c copier
		return c.table(v, 0)
	case *lua.LUserData:
		return portable(v)
	case *lua.LFunction, *lua.LState, lua.LChannel:
		return lua.LNil
	case nil:
		return lua.LNil
	}
	return v
}

func portable(ud *lua.LUserData) lua.LValue {
	switch v := ud.Value.(type) {
	case *Error:
		return ud
	case Portable:
		return v.Portable()
	}
	return lua.LNil
}

// copier remembers the tables it has copied: the first few in an array, which
// most values never outgrow, then in a map.
type copier struct {
	few  [8]copied
	n    int
	many map[*lua.LTable]*lua.LTable
}

type copied struct{ from, to *lua.LTable }

func (c *copier) seen(t *lua.LTable) *lua.LTable {
	for i := range min(c.n, len(c.few)) {
		if c.few[i].from == t {
			return c.few[i].to
		}
	}
	return c.many[t]
}

func (c *copier) note(from, to *lua.LTable) {
	if c.n < len(c.few) {
		c.few[c.n] = copied{from, to}
	} else {
		if c.many == nil {
			c.many = make(map[*lua.LTable]*lua.LTable)
		}
		c.many[from] = to
	}
	c.n++
}

func (c *copier) value(v lua.LValue, depth int) lua.LValue {
	if t, ok := v.(*lua.LTable); ok {
		if depth >= maxNesting {
			return lua.LNil
		}
		return c.table(t, depth)
	}
	return Copy(v)
}

func (c *copier) table(t *lua.LTable, depth int) lua.LValue {
	if to := c.seen(t); to != nil {
		return to
	}
	real := Unwrap(t)
	n := real.Len()
	hash := 0
	if vm.hashed(real) {
		hash = min(max(vm.keys(real), 1), maxPresized)
	}
	to := newTable(n, hash)
	c.note(t, to)
	if hash != 0 {
		touchHash(to)
	}
	c.fill(to, real, n, depth)
	if mt, ok := real.Metatable.(*lua.LTable); ok && mt.RawGetString(realKey) == lua.LNil && mt.RawGetString(baseKey) == lua.LNil {
		if copied := c.value(mt, depth+1); copied != lua.LNil {
			to.Metatable = copied
		}
	}
	if real != t {
		freeze(to)
	}
	return to
}

// fill copies the content of from, whose first n positions may hold values.
func (c *copier) fill(to, from *lua.LTable, n, depth int) {
	for i := 1; i <= n; i++ {
		if v := c.value(from.RawGetInt(i), depth+1); v != lua.LNil {
			to.RawSetInt(i, v)
		}
	}
	if !vm.hashed(from) {
		return
	}
	from.ForEach(func(k, v lua.LValue) {
		if i, ok := k.(lua.LNumber); ok && i >= 1 && i <= lua.LNumber(n) && i == lua.LNumber(int(i)) {
			return
		}
		if k = c.value(k, depth+1); k == lua.LNil {
			return
		}
		if v = c.value(v, depth+1); v != lua.LNil {
			to.RawSet(k, v)
		}
	})
}

// touchHash gives a table a hash part without putting anything into it: this is
// what makes it an object rather than an array.
func touchHash(t *lua.LTable) { t.RawSetString("", lua.LNil) }

// NewObject returns an empty table that converts to {} rather than to [].
func NewObject(size int) *lua.LTable {
	t := newTable(0, max(size, 1))
	touchHash(t)
	return t
}

// NewArray returns an empty table with room for size positions.
func NewArray(size int) *lua.LTable { return newTable(size, 0) }

// IsObject reports whether t has, or once had, named keys: an empty table for
// which it is true stands for {}, another one for [].
func IsObject(t *lua.LTable) bool { return vm.hashed(Unwrap(t)) }
