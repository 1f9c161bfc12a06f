// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
)

// LuaValuer is implemented by Go values that know their own Lua form.
type LuaValuer interface{ LuaValue() lua.LValue }

// ToLua turns a Go value into a Lua value that shares nothing with it: integers,
// floats, durations and times (Unix seconds) become numbers; byte slices, PIDs
// and text marshalers strings; errors error objects; maps and structs tables, by
// JSON name; slices arrays; nil pointers, nil slices and functions nil; nil maps
// empty objects. A type that implements LuaValuer decides for itself.
func ToLua(v any) lua.LValue { return toLua(v, 0) }

func toLua(v any, depth int) lua.LValue {
	switch v := v.(type) {
	case nil:
		return lua.LNil
	case lua.LValue:
		return v
	case LuaValuer:
		return v.LuaValue()
	case string:
		return lua.LString(v)
	case bool:
		return lua.LBool(v)
	case int:
		return lua.LNumber(v)
	case int64:
		return lua.LNumber(v)
	case float64:
		return lua.LNumber(v)
	case []byte:
		if v == nil {
			return lua.LNil
		}
		return lua.LString(v)
	case time.Time:
		return lua.LNumber(v.Unix())
	case time.Duration:
		return lua.LNumber(v)
	case relay.PID:
		return lua.LString(v.String())
	case error:
		return ErrorValue(v)
	case json.Number:
		f, _ := v.Float64()
		return lua.LNumber(f)
	case payload.Payload:
		return newPayload(v)
	case *Channel:
		return v.Value()
	}
	if depth >= maxNesting {
		return lua.LNil
	}
	switch v := v.(type) {
	case map[string]any:
		t := NewObject(len(v))
		for k, item := range v {
			t.RawSetString(k, toLua(item, depth+1))
		}
		return t
	case []any:
		if v == nil {
			return lua.LNil
		}
		t := NewArray(len(v))
		for i, item := range v {
			t.RawSetInt(i+1, toLua(item, depth+1))
		}
		return t
	case []string:
		if v == nil {
			return lua.LNil
		}
		t := NewArray(len(v))
		for i, item := range v {
			t.RawSetInt(i+1, lua.LString(item))
		}
		return t
	}
	return reflected(reflect.ValueOf(v), depth)
}

func reflected(v reflect.Value, depth int) lua.LValue {
	switch v.Kind() {
	case reflect.Bool:
		return lua.LBool(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return lua.LNumber(v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return lua.LNumber(v.Uint())
	case reflect.Float32, reflect.Float64:
		return lua.LNumber(v.Float())
	case reflect.String:
		return lua.LString(v.String())
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return lua.LNil
		}
		return toLua(v.Elem().Interface(), depth+1)
	case reflect.Slice:
		if v.IsNil() {
			return lua.LNil
		}
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return lua.LString(v.Bytes())
		}
		return reflectedList(v, depth)
	case reflect.Array:
		return reflectedList(v, depth)
	case reflect.Map:
		t := NewObject(v.Len())
		for it := v.MapRange(); it.Next(); {
			t.RawSetString(fmt.Sprint(it.Key().Interface()), toLua(it.Value().Interface(), depth+1))
		}
		return t
	case reflect.Struct:
		if m, ok := v.Interface().(interface{ MarshalText() ([]byte, error) }); ok {
			if text, err := m.MarshalText(); err == nil {
				return lua.LString(text)
			}
		}
		t := NewObject(v.NumField())
		reflectedFields(t, v, depth)
		return t
	}
	return lua.LNil
}

func reflectedList(v reflect.Value, depth int) lua.LValue {
	t := NewArray(v.Len())
	for i := range v.Len() {
		t.RawSetInt(i+1, toLua(v.Index(i).Interface(), depth+1))
	}
	return t
}

func reflectedFields(t *lua.LTable, v reflect.Value, depth int) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported() && !f.Anonymous:
			continue
		case f.Anonymous && name == "" && v.Field(i).Kind() == reflect.Struct:
			reflectedFields(t, v.Field(i), depth)
			continue
		case !f.IsExported():
			continue
		case name == "":
			name = f.Name
		}
		if strings.Contains(options, "omitempty") && v.Field(i).IsZero() {
			continue
		}
		t.RawSetString(name, toLua(v.Field(i).Interface(), depth+1))
	}
}

// ToGo turns a Lua value into plain Go data: nil, bool, float64, string, []any for
// a table with positions 1 to n only, map[string]any for another table, and error
// for an error object. An integral number stays a float64. An empty table is a map
// when it has, or had, named keys, else a slice. Values without a counterpart
// (functions, threads, other userdata) and cycles become nil.
func ToGo(v lua.LValue) any {
	var path []*lua.LTable
	return toGo(v, &path)
}

func toGo(v lua.LValue, path *[]*lua.LTable) any {
	switch v := v.(type) {
	case lua.LBool:
		return bool(v)
	case lua.LNumber:
		return float64(v)
	case lua.LString:
		return string(v)
	case *lua.LUserData:
		switch u := v.Value.(type) {
		case *Error:
			return error(u)
		case *payloadValue:
			return ToGo(u.lua())
		case interface{ GoValue() any }:
			return u.GoValue()
		case string:
			return u
		}
	case *lua.LTable:
		if len(*path) >= maxNesting {
			return nil
		}
		for _, t := range *path {
			if t == v {
				return nil
			}
		}
		*path = append(*path, v)
		defer func() { *path = (*path)[:len(*path)-1] }()
		return tableToGo(Unwrap(v), path)
	}
	return nil
}

func tableToGo(t *lua.LTable, path *[]*lua.LTable) any {
	n, named := t.Len(), false
	if vm.hashed(t) {
		named = n == 0
		t.ForEach(func(k, _ lua.LValue) {
			if i, ok := k.(lua.LNumber); !ok || i < 1 || i > lua.LNumber(n) || i != lua.LNumber(int(i)) {
				named = true
			}
		})
	}
	if !named {
		list := make([]any, n)
		for i := range list {
			list[i] = toGo(t.RawGetInt(i+1), path)
		}
		return list
	}
	m := make(map[string]any, 8)
	t.ForEach(func(k, v lua.LValue) {
		switch k.(type) {
		case lua.LString, lua.LNumber, lua.LBool:
			m[k.String()] = toGo(v, path)
		}
	})
	return m
}

// FromPayload returns the Lua value of a payload, converting it when it has
// another format. A Lua payload is handed over, not copied.
func (e *Engine) FromPayload(p payload.Payload) (lua.LValue, error) {
	switch p.Format {
	case payload.Lua:
		if v, ok := p.Data.(lua.LValue); ok {
			return v, nil
		}
		return ToLua(p.Data), nil
	case payload.Go, "":
		return ToLua(p.Data), nil
	case payload.Error:
		if err, ok := p.Data.(error); ok {
			return ErrorValue(err), nil
		}
	case payload.String, payload.Bytes:
		return ToLua(p.Data), nil
	}
	q, err := e.transcoder.Transcode(p, payload.Lua)
	if err != nil {
		return nil, err
	}
	v, ok := q.Data.(lua.LValue)
	if !ok {
		return nil, NewError(KindInternal, "transcoded data is not a valid Lua value")
	}
	return v, nil
}

// registerConversions adds Lua as a format to a transcoder.
func registerConversions(t *payload.Transcoder) {
	t.Register(payload.Go, payload.Lua, 1, func(data any) (any, error) { return ToLua(data), nil })
	t.Register(payload.Lua, payload.Go, 1, func(data any) (any, error) {
		v, err := luaData(data)
		if err != nil {
			return nil, err
		}
		return ToGo(v), nil
	})
	text := func(data any) (any, error) {
		v, err := luaData(data)
		if err != nil {
			return nil, err
		}
		return plainText(v), nil
	}
	t.Register(payload.Lua, payload.String, 1, text)
	t.Register(payload.Lua, payload.Bytes, 1, func(data any) (any, error) {
		s, err := text(data)
		if err != nil {
			return nil, err
		}
		return []byte(s.(string)), nil
	})
	for _, f := range []payload.Format{payload.String, payload.Bytes} {
		t.Register(f, payload.Lua, 1, func(data any) (any, error) { return ToLua(data), nil })
	}
}

func luaData(data any) (lua.LValue, error) {
	if v, ok := data.(lua.LValue); ok {
		return v, nil
	}
	return nil, fmt.Errorf("engine: lua/any data of Go type %T", data)
}

// plainText is the form of a value in a text payload.
func plainText(v lua.LValue) string {
	switch v := v.(type) {
	case *lua.LNilType:
		return ""
	case lua.LNumber:
		if f := float64(v); f == math.Trunc(f) && math.Abs(f) < 1<<63 {
			return strconv.FormatInt(int64(f), 10)
		}
		return strconv.FormatFloat(float64(v), 'g', -1, 64)
	case *lua.LTable:
		return fmt.Sprint(ToGo(v))
	case *lua.LUserData:
		if err, ok := AsError(v); ok {
			return err.Error()
		}
	}
	return v.String()
}
