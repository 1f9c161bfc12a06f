// SPDX-License-Identifier: Apache-2.0

package syntax

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// ErrTooLarge is the text of the error that Concat raises.
const ErrTooLarge = "resulting string too large"

// shortText is a length that needs no bound.
const shortText = 1 << 10

// Concat joins the arguments of the running Go function, from the right, as the operator .. does: texts and numbers as
// they are, others through __concat. A text longer than limit raises an error. When an argument cannot be joined, bad is
// its index.
func Concat(L *lua.LState, limit int) (v lua.LValue, bad int) {
	n := L.GetTop()
	if n == 2 {
		if a, ok := L.Get(1).(lua.LString); ok {
			if b, ok := L.Get(2).(lua.LString); ok && len(a)+len(b) < shortText {
				return a + b, 0
			}
		}
	}
	v = L.Get(n)
	for i := n - 1; i > 0; {
		first := i + 1 // of those that are joined at once with v
		if lua.LVCanConvToString(v) {
			for first > 1 && lua.LVCanConvToString(L.Get(first-1)) {
				first--
			}
		}
		if first <= i {
			v = join(L, first, i, v, limit)
			i = first - 1
			continue
		}
		left := L.Get(i)
		op := L.GetMetaField(left, "__concat")
		if op.Type() != lua.LTFunction {
			op = L.GetMetaField(v, "__concat")
		}
		if op.Type() != lua.LTFunction {
			if i == n-1 && !lua.LVCanConvToString(v) {
				return nil, n
			}
			return nil, i
		}
		L.Push(op)
		L.Push(left)
		L.Push(v)
		L.Call(2, 1)
		v = L.Get(-1)
		L.Pop(1)
		i--
	}
	return v, 0
}

// join joins arguments first to last, and v.
func join(L *lua.LState, first, last int, v lua.LValue, limit int) lua.LValue {
	var space [8]string
	parts, size := space[:0], 0
	for i := first; i <= last; i++ {
		parts = append(parts, lua.LVAsString(L.Get(i)))
		size += len(parts[len(parts)-1])
	}
	end := lua.LVAsString(v)
	if size += len(end); size > limit {
		L.RaiseError(ErrTooLarge)
	}
	if len(parts) == 1 && size <= copyPiece {
		return lua.LString(parts[0] + end)
	}
	var b strings.Builder
	b.Grow(size)
	for _, s := range parts {
		write(&b, s)
	}
	write(&b, end)
	return lua.LString(b.String())
}

// copyPiece is the most that is copied at once. Go cannot interrupt a copy, and everything else waits for it when the
// garbage collector wants all to stop: joining two texts of 32 MB held up other processes for 90 ms.
const copyPiece = 1 << 20

func write(b *strings.Builder, s string) {
	for len(s) > copyPiece {
		b.WriteString(s[:copyPiece])
		s = s[copyPiece:]
	}
	b.WriteString(s)
}
