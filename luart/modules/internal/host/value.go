// SPDX-License-Identifier: Apache-2.0

package host

import (
	"errors"
	"fmt"
	"math"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

const (
	// MaxDepth is how deep values may be nested, the outermost being at depth 1. It is what encoding/json and most
	// other libraries take without trouble, and more than anybody writes.
	MaxDepth = 1000
	// MaxHoles is how many positions of a list may be nil. {[1e9] = true} is a table of a few bytes: without
	// a limit it would be a list of many gigabytes.
	MaxHoles = 1 << 16
	// MaxValues is how many values one conversion makes. A table in which another one occurs twice, in which another
	// one occurs twice, and so on, is small, but its converted form is not.
	MaxValues = 1 << 20
	// MaxBytes is how much text there may be in these values, for the same reason.
	MaxBytes = 1 << 28
)

var (
	// ErrCycle says that a table contains itself.
	ErrCycle = errors.New("table contains itself")
	// ErrDepth says that a value is nested deeper than MaxDepth.
	ErrDepth = fmt.Errorf("value is nested more than %d levels deep", MaxDepth)
	// ErrSize says that a value has more than MaxValues parts or more than MaxBytes of text.
	ErrSize = errors.New("value is too large")
	// ErrHoles says that a list lacks more than MaxHoles positions.
	ErrHoles = fmt.Errorf("list has more than %d positions without a value", MaxHoles)
)

// SameText is the error for a map in which two keys have the same text.
func SameText(key string) error { return fmt.Errorf("two keys are written %q", key) }

// maxInteger is the first integer that numbers cannot be told apart from its neighbours.
const maxInteger = 1 << 53

// Integer returns the integer that n is, when it has no fraction and is small enough to be exact.
func Integer(n lua.LNumber) (int, bool) {
	f := float64(n)
	if f == math.Trunc(f) && math.Abs(f) < maxInteger {
		return int(f), true
	}
	return 0, false
}

// Positions returns the largest positive integer key of t and the number of such keys. A table for which they are
// not 0 is a list, any other one a map. t must be unwrapped (engine.Unwrap).
func Positions(t *lua.LTable) (last, count int) {
	t.ForEach(func(k, _ lua.LValue) {
		n, ok := k.(lua.LNumber)
		if !ok {
			return
		}
		if i, ok := Integer(n); ok && i > 0 {
			last, count = max(last, i), count+1
		}
	})
	return last, count
}

// Walk keeps track of the tables around the value at hand, and of how much there is. The zero value is ready for use.
type Walk struct {
	path          []*lua.LTable
	values, bytes int
}

// Count counts one more value, which has size bytes of text. It fails for what exceeds MaxValues or MaxBytes.
func (w *Walk) Count(size int) error {
	w.values++
	w.bytes += size
	if w.values > MaxValues || w.bytes > MaxBytes {
		return ErrSize
	}
	return nil
}

// Enter goes into t, which must be unwrapped. It fails when t is around itself or too deep.
func (w *Walk) Enter(t *lua.LTable) error {
	for _, around := range w.path {
		if around == t {
			return ErrCycle
		}
	}
	if len(w.path) >= MaxDepth {
		return ErrDepth
	}
	w.path = append(w.path, t)
	return nil
}

// Leave goes back out of the table entered last.
func (w *Walk) Leave() { w.path = w.path[:len(w.path)-1] }

// Length returns the length of the list that t is, 0 when it is a map.
func Length(t *lua.LTable) (int, error) {
	last, count := Positions(t)
	if last-count > MaxHoles {
		return 0, ErrHoles
	}
	return last, nil
}

// Text is the text of a value that has no other form: what tostring makes of it. L may be nil, then metatables are
// not looked at.
func Text(L *lua.LState, v lua.LValue) string {
	if err, ok := engine.AsError(v); ok {
		return err.Error()
	}
	if ud, ok := v.(*lua.LUserData); ok && L != nil && ud.Metatable != nil {
		return L.ToStringMeta(v).String()
	}
	return v.String()
}

// Value converts a Lua value: nil, bool, string, int for an integer that is exact, float64 for any other number,
// []any for a table with positions, whose other keys are dropped, map[string]any for any other table, and the text
// of everything else. L is for the texts of userdata and may be nil.
func Value(L *lua.LState, v lua.LValue) (any, error) {
	return converter{L: L, walk: new(Walk)}.value(v)
}

// Map converts a table without positions, or returns ok false for one with positions.
func Map(L *lua.LState, t *lua.LTable) (m map[string]any, ok bool, err error) {
	v, err := Value(L, t)
	m, ok = v.(map[string]any)
	return m, ok, err
}

// Members converts those members of a table that have the names, as Map does, and leaves the others alone.
func Members(L *lua.LState, t *lua.LTable, names []string) (m map[string]any, ok bool, err error) {
	t = engine.Unwrap(t)
	if last, _ := Positions(t); last > 0 {
		return nil, false, nil
	}
	c := converter{L: L, walk: new(Walk)}
	if err := c.walk.Enter(t); err != nil {
		return nil, true, err
	}
	m = make(map[string]any, len(names))
	for _, name := range names {
		v := t.RawGetString(name)
		if v == lua.LNil {
			continue
		}
		if m[name], err = c.value(v); err != nil {
			return nil, true, err
		}
	}
	return m, true, nil
}

type converter struct {
	L    *lua.LState
	walk *Walk
}

func (c converter) value(v lua.LValue) (any, error) {
	text, _ := v.(lua.LString)
	if err := c.walk.Count(len(text)); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case nil, *lua.LNilType:
		return nil, nil
	case lua.LBool:
		return bool(v), nil
	case lua.LString:
		return string(v), nil
	case lua.LNumber:
		if i, ok := Integer(v); ok {
			return i, nil
		}
		return float64(v), nil
	case *lua.LTable:
		return c.table(engine.Unwrap(v))
	}
	return Text(c.L, v), nil
}

func (c converter) table(t *lua.LTable) (any, error) {
	if err := c.walk.Enter(t); err != nil {
		return nil, err
	}
	defer c.walk.Leave()
	n, err := Length(t)
	if err != nil {
		return nil, err
	}
	if n > 0 {
		list := make([]any, n)
		for i := range list {
			if list[i], err = c.value(t.RawGetInt(i + 1)); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
	m := map[string]any{}
	t.ForEach(func(k, v lua.LValue) {
		if err != nil {
			return
		}
		key := Text(c.L, k)
		if _, taken := m[key]; taken {
			err = SameText(key)
			return
		}
		if err = c.walk.Count(len(key)); err == nil {
			m[key], err = c.value(v)
		}
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}
