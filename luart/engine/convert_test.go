// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"encoding/json"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay/payload"
)

// plain is a struct as services return them.
type plain struct {
	base
	Name   string `json:"name"`
	Note   string `json:"note,omitempty"`
	Secret string `json:"-"`
	Plain  []int
	hidden int
}

type base struct {
	ID int `json:"id"`
}

// TestGoValuesInLua compares what a Go value becomes in Lua with what Lua's view of it is back
// in Go.
func TestGoValuesInLua(t *testing.T) {
	type word string
	n := 7
	var none *int
	var noError error
	for what, tc := range map[string]struct{ given, want any }{
		"nothing":           {nil, nil},
		"nil pointer":       {none, nil},
		"nil error":         {noError, nil},
		"nil list":          {[]any(nil), nil},
		"nil texts":         {[]string(nil), nil},
		"nil bytes":         {[]byte(nil), nil},
		"nil typed list":    {[]int(nil), nil},
		"a function":        {func() {}, nil},
		"a channel":         {make(chan int), nil},
		"integers":          {[]any{1, int64(2), int8(3), uint16(4), uintptr(5)}, []any{1.0, 2.0, 3.0, 4.0, 5.0}},
		"floats":            {[]any{0.5, float32(0.25), json.Number("2.5")}, []any{0.5, 0.25, 2.5}},
		"times":             {[]any{time.Unix(100, 5), time.Duration(9)}, []any{100.0, 9.0}},
		"texts":             {[]any{word("w"), []byte("b"), json.RawMessage("{}")}, []any{"w", "b", "{}"}},
		"a text of its own": {netip.MustParseAddr("10.0.0.1"), "10.0.0.1"},
		"a pointer":         {&n, 7.0},
		"list of texts":     {[]string{"a", "b"}, []any{"a", "b"}},
		"array":             {[2]bool{true, false}, []any{true, false}},
		"map of numbers":    {map[int]string{3: "c"}, map[string]any{"3": "c"}},
		"empty map":         {map[string]int{}, map[string]any{}},
		"nil map":           {map[string]any(nil), map[string]any{}},
		"struct":            {plain{base{1}, "n", "", "s", nil, 5}, map[string]any{"id": 1.0, "name": "n"}},
		"struct with all":   {&plain{base{1}, "n", "m", "s", []int{2}, 5}, map[string]any{"id": 1.0, "name": "n", "note": "m", "Plain": []any{2.0}}},
	} {
		t.Run(what, func(t *testing.T) {
			if got := engine.ToGo(engine.ToLua(tc.given)); !reflect.DeepEqual(got, tc.want) {
				t.Errorf("%#v, want %#v", got, tc.want)
			}
		})
	}
}

func TestNestingWithoutEndIsCutOff(t *testing.T) {
	circle := map[string]any{}
	circle["self"] = circle
	depth := 0
	for v := engine.ToLua(circle); v != lua.LNil; v = v.(*lua.LTable).RawGetString("self") {
		depth++
	}
	if depth < 10 || depth > 1<<16 {
		t.Errorf("%d levels of a map that contains itself", depth)
	}
	table := engine.NewObject(1)
	table.RawSetString("self", table)
	table.RawSetString("x", lua.LNumber(1))
	if got := engine.ToGo(table); !reflect.DeepEqual(got, map[string]any{"self": nil, "x": 1.0}) {
		t.Errorf("a table that contains itself is %v", got)
	}
}

func TestLuaValuesInGo(t *testing.T) {
	m := start(t, newEngine(t), `return function()
		return {list = {1, 2.5, "x"}, none = {}, mixed = {1, a = 2}, named = {[true] = 1, [0.5] = 2}}
	end`).run()
	want := map[string]any{
		"list": []any{1.0, 2.5, "x"}, "none": []any{},
		"mixed": map[string]any{"1": 1.0, "a": 2.0}, "named": map[string]any{"true": 1.0, "0.5": 2.0},
	}
	if got := engine.ToGo(m.result); m.err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%#v, %v; want %#v", got, m.err, want)
	}
	boom := engine.NewError(engine.KindInvalid, "boom")
	if got, ok := engine.ToGo(engine.ToLua(boom)).(error); !ok || !errors.Is(got, boom) {
		t.Errorf("an error came back as %v", got)
	}
}

// TestPayloadsBecomeLuaValues converts each format, and what cannot be one.
func TestPayloadsBecomeLuaValues(t *testing.T) {
	e := newEngine(t)
	for what, tc := range map[string]struct {
		given payload.Payload
		want  any
	}{
		"Lua":             {payload.Payload{Format: payload.Lua, Data: lua.LString("x")}, "x"},
		"Go data as Lua":  {payload.Payload{Format: payload.Lua, Data: []int{1}}, []any{1.0}},
		"Go":              {payload.New(map[string]any{"a": 1}), map[string]any{"a": 1.0}},
		"no format":       {payload.Payload{Data: true}, true},
		"text":            {payload.Payload{Format: payload.String, Data: "s"}, "s"},
		"bytes":           {payload.Payload{Format: payload.Bytes, Data: []byte("b")}, "b"},
		"JSON":            {payload.Payload{Format: payload.JSON, Data: []byte(`{"a": [1, null]}`)}, map[string]any{"a": []any{1.0}}},
		"nothing":         {payload.Payload{}, nil},
		"nothing as text": {payload.Payload{Format: payload.String}, nil},
	} {
		t.Run(what, func(t *testing.T) {
			v, err := e.FromPayload(tc.given)
			if got := engine.ToGo(v); err != nil || !reflect.DeepEqual(got, tc.want) {
				t.Errorf("%#v, %v; want %#v", got, err, tc.want)
			}
		})
	}
	boom := errors.New("boom")
	v, err := e.FromPayload(payload.Payload{Format: payload.Error, Data: boom})
	if got, ok := engine.AsError(v); err != nil || !ok || !strings.Contains(got.Error(), "boom") {
		t.Errorf("an error: %v, %v", v, err)
	}
	for what, tc := range map[string]struct {
		given payload.Payload
		want  string
	}{
		"broken JSON":           {payload.Payload{Format: payload.JSON, Data: []byte("{")}, "JSON"},
		"an unknown format":     {payload.Payload{Format: "strange/format", Data: 1}, "no transcoding path found"},
		"an error that is none": {payload.Payload{Format: payload.Error, Data: 5}, ""},
	} {
		if v, err := e.FromPayload(tc.given); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, %v", what, v, err)
		}
	}
}
