// SPDX-License-Identifier: Apache-2.0

package sql

import (
	"math"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

// typed is a value with the type it is to be bound as; nil is NULL.
type typed struct{ value any }

// maxExact is the largest magnitude up to which every integer is a number.
const maxExact = 1 << 53

// maxParams is how many parameters the protocols of the servers can count.
const maxParams = 65535

// values adds sql.NULL and sql.as.
func values(b *engine.Builder) {
	class := b.Type("Value", nil, nil)
	b.Value("NULL", class.New(typed{}))
	as := b.Table("as")
	for name, convert := range map[string]func(v lua.LValue) any{
		"int": asInt, "float": asFloat, "text": asText, "binary": asBinary,
		"null": func(lua.LValue) any { return nil },
	} {
		as.Func(name, func(L *lua.LState) int {
			L.Push(class.New(typed{convert(L.Get(1))}))
			return 1
		})
	}
}

func asInt(v lua.LValue) any {
	n, ok := v.(lua.LNumber)
	switch f := math.Trunc(float64(n)); {
	case !ok || math.IsNaN(f):
		return int64(0)
	case f >= math.MaxInt64:
		return int64(math.MaxInt64)
	case f <= math.MinInt64:
		return int64(math.MinInt64)
	default:
		return int64(f)
	}
}

func asFloat(v lua.LValue) any {
	n, _ := v.(lua.LNumber)
	return float64(n)
}

func asText(v lua.LValue) any {
	switch v.(type) {
	case lua.LString, lua.LNumber:
		return v.String()
	}
	return ""
}

func asBinary(v lua.LValue) any {
	if s, ok := v.(lua.LString); ok {
		return []byte(s)
	}
	return nil
}

// bind returns what is bound for a value: an integral number as an integer, what has no counterpart as NULL.
func bind(v lua.LValue) any {
	switch v := v.(type) {
	case lua.LBool:
		return bool(v)
	case lua.LString:
		return string(v)
	case lua.LNumber:
		if f := float64(v); f == math.Trunc(f) && math.Abs(f) <= maxExact {
			return int64(f)
		}
		return float64(v)
	case *lua.LUserData:
		if t, ok := v.Value.(typed); ok {
			return t.value
		}
	}
	return nil
}

// bindRest binds the arguments from the nth on.
func bindRest(L *lua.LState, n int) []any {
	var out []any
	for ; n <= L.GetTop(); n++ {
		out = append(out, bind(L.Get(n)))
	}
	return out
}

// params binds the nth argument, a table of parameters by position. Holes are NULL.
func params(L *lua.LState, n int) ([]any, error) {
	v := L.Get(n)
	if v == lua.LNil {
		return nil, nil
	}
	t, ok := v.(*lua.LTable)
	if !ok {
		return nil, invalid("parameters must be a table, got " + v.Type().String())
	}
	t = engine.Unwrap(t)
	last := 0
	t.ForEach(func(k, _ lua.LValue) {
		if i, ok := k.(lua.LNumber); ok && i > 0 && i == lua.LNumber(math.Trunc(float64(i))) {
			last = max(last, int(min(i, maxParams+1)))
		}
	})
	if last > maxParams {
		return nil, invalid("too many parameters: there may be 65535")
	}
	out := make([]any, last)
	for i := range out {
		out[i] = bind(t.RawGetInt(i + 1))
	}
	return out, nil
}
