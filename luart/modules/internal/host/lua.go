// SPDX-License-Identifier: Apache-2.0

package host

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

// Lua converts plain Go data: nil and nil slices become nil, numbers numbers, times Unix seconds, slices lists with
// nil elements as holes, maps tables with string keys, errors error objects. An integer that a number cannot hold
// exactly becomes a string of its digits, one beyond 64 bits with a sign is an error. So are types without
// a counterpart, and two keys of a map with the same text.
func Lua(v any) (lua.LValue, error) {
	m := maker{left: MaxValues}
	return m.value(v, 1)
}

// Whole returns the Lua form of an integer: a number, or its digits when no number is exactly that.
func Whole(i int64) lua.LValue {
	if f := float64(i); i == math.MinInt64 || f < 1<<63 && int64(f) == i {
		return lua.LNumber(f)
	}
	return lua.LString(strconv.FormatInt(i, 10))
}

// Unsigned returns the Lua form of an unsigned integer. It fails for those above 2^63-1.
func Unsigned(u uint64) (lua.LValue, error) {
	if u > math.MaxInt64 {
		return nil, fmt.Errorf("integer %d is out of range", u)
	}
	return Whole(int64(u)), nil
}

// Number returns the Lua form of a number of a JSON text.
func Number(n json.Number) (lua.LValue, error) {
	f, err := n.Float64()
	if err != nil {
		return nil, fmt.Errorf("number %s is out of range", n)
	}
	if strings.ContainsAny(string(n), ".eE") || math.Abs(f) < maxInteger {
		return lua.LNumber(f), nil
	}
	if i, ok := new(big.Int).SetString(string(n), 10); ok {
		if g, _ := big.NewFloat(f).Int(nil); i.Cmp(g) != 0 {
			return lua.LString(n), nil
		}
	}
	return lua.LNumber(f), nil
}

type maker struct{ left int }

func (m *maker) value(v any, depth int) (lua.LValue, error) {
	if m.left--; m.left < 0 {
		return nil, ErrSize
	}
	switch v := v.(type) {
	case nil:
		return lua.LNil, nil
	case lua.LValue:
		return v, nil
	case bool:
		return lua.LBool(v), nil
	case string:
		return lua.LString(v), nil
	case []byte:
		if v == nil {
			return lua.LNil, nil
		}
		return lua.LString(v), nil
	case int:
		return Whole(int64(v)), nil
	case float64:
		return lua.LNumber(v), nil
	case json.Number:
		return Number(v)
	case time.Time:
		return lua.LNumber(v.Unix()), nil
	case error:
		return engine.ErrorValue(v), nil
	}
	if depth > MaxDepth {
		return nil, ErrDepth
	}
	switch v := v.(type) {
	case []any:
		return m.list(v, depth)
	case map[string]any:
		return m.object(v, depth)
	}
	return m.reflected(reflect.ValueOf(v), depth)
}

func (m *maker) list(list []any, depth int) (lua.LValue, error) {
	if list == nil {
		return lua.LNil, nil
	}
	t := engine.NewArray(min(len(list), m.left))
	for i, item := range list {
		v, err := m.value(item, depth+1)
		if err != nil {
			return nil, err
		}
		if v != lua.LNil {
			t.RawSetInt(i+1, v)
		}
	}
	return t, nil
}

func (m *maker) object(members map[string]any, depth int) (lua.LValue, error) {
	t := engine.NewObject(min(len(members), m.left))
	for k, item := range members {
		v, err := m.value(item, depth+1)
		if err != nil {
			return nil, err
		}
		t.RawSetString(k, v)
	}
	return t, nil
}

func (m *maker) reflected(v reflect.Value, depth int) (lua.LValue, error) {
	if _, ok := v.Interface().(time.Duration); ok {
		return nil, unknownType(v)
	}
	switch v.Kind() {
	case reflect.Bool:
		return lua.LBool(v.Bool()), nil
	case reflect.String:
		return lua.LString(v.String()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return Whole(v.Int()), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return Unsigned(v.Uint())
	case reflect.Float32, reflect.Float64:
		return lua.LNumber(v.Float()), nil
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.IsNil() {
			return lua.LNil, nil
		}
		list := make([]any, min(v.Len(), m.left+1)) // one too many is enough to fail
		for i := range list {
			list[i] = v.Index(i).Interface()
		}
		return m.list(list, depth)
	case reflect.Map:
		members := make(map[string]any, v.Len())
		for it := v.MapRange(); it.Next(); {
			key := fmt.Sprint(it.Key().Interface())
			if _, taken := members[key]; taken {
				return nil, SameText(key)
			}
			members[key] = it.Value().Interface()
		}
		return m.object(members, depth)
	case reflect.Pointer:
		if v.IsNil() {
			return lua.LNil, nil
		}
	}
	return nil, unknownType(v)
}

func unknownType(v reflect.Value) error {
	return fmt.Errorf("a value of type %s has no Lua form", v.Type())
}
