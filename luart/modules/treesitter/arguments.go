// SPDX-License-Identifier: Apache-2.0

//go:build treesitter && cgo

package treesitter

import (
	"fmt"
	"math"
	"time"

	ts "github.com/tree-sitter/go-tree-sitter"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

// uint32Of returns the number without its fraction, false when C's type for indices and positions cannot hold it.
func uint32Of(f float64) (uint32, bool) {
	if math.IsNaN(f) || f <= -1 || f >= math.MaxUint32+1 {
		return 0, false
	}
	return uint32(f), true
}

// index32 returns argument n, an index. ok is false for a number that is none: there is nothing at such an index.
func index32(L *lua.LState, n int) (i uint32, ok bool) { return uint32Of(float64(L.CheckNumber(n))) }

// position returns argument n, which must be a number from 0 to 2^32-1.
func position(L *lua.LState, n int) uint32 {
	i, ok := index32(L, n)
	if !ok {
		L.ArgError(n, "number from 0 to 4294967295 expected")
	}
	return i
}

// pointArg returns argument n, a table with row and column.
func pointArg(L *lua.LState, n int) ts.Point {
	t := engine.Unwrap(L.CheckTable(n))
	row, column := pointField(L, n, t, "row"), pointField(L, n, t, "column")
	return ts.NewPoint(uint(row), uint(column))
}

func pointField(L *lua.LState, n int, t *lua.LTable, name string) uint32 {
	v, ok := t.RawGetString(name).(lua.LNumber)
	if !ok {
		L.ArgError(n, name+" must be a number")
	}
	i, ok := uint32Of(float64(v))
	if !ok {
		L.ArgError(n, name+" must be a number from 0 to 4294967295")
	}
	return i
}

// numbers reads fields of a table into the places.
func numbers(t *lua.LTable, names []string) ([]float64, error) {
	t = engine.Unwrap(t)
	list := make([]float64, len(names))
	for i, name := range names {
		v, ok := t.RawGetString(name).(lua.LNumber)
		if !ok {
			return nil, fmt.Errorf("%s must be a number", name)
		}
		list[i] = float64(v)
	}
	return list, nil
}

// duration returns argument n: a text such as "1s" or a number of nanoseconds.
func duration(L *lua.LState, n int) time.Duration {
	switch v := L.Get(n).(type) {
	case lua.LString:
		d, err := time.ParseDuration(string(v))
		if err != nil || d < 0 {
			L.ArgError(n, fmt.Sprintf("invalid duration %q", string(v)))
		}
		return d
	case lua.LNumber:
		if f := float64(v); f >= 0 && f < math.MaxInt64 {
			return time.Duration(f)
		}
		L.ArgError(n, "number of nanoseconds expected, got "+v.String())
	default:
		L.ArgError(n, "duration expected, got "+v.Type().String())
	}
	return 0
}

// micros is a duration for C. One that is not 0 stays so: 0 means that there is no limit.
func micros(d time.Duration) uint64 {
	if d <= 0 {
		return 0
	}
	return uint64(max(d/time.Microsecond, 1))
}

// failed answers false and an error of kind Invalid.
func failed(L *lua.LState, message string) int {
	L.Push(lua.LFalse)
	L.Push(engine.ErrorValue(engine.NewError(engine.KindInvalid, message)))
	return 2
}

// push answers with one value.
func push(L *lua.LState, v lua.LValue) int {
	L.Push(v)
	return 1
}

// text is a string, or nil when it is empty.
func text(s string) lua.LValue {
	if s == "" {
		return lua.LNil
	}
	return lua.LString(s)
}
