// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"
	"pgregory.net/rapid"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/host"
)

// eval runs a Lua chunk in a plain state and returns its result.
func eval(t testing.TB, chunk string) (*lua.LState, lua.LValue) {
	t.Helper()
	L := lua.NewState()
	t.Cleanup(L.Close)
	if err := L.DoString(chunk); err != nil {
		t.Fatal(err)
	}
	return L, L.Get(-1)
}

func TestValue(t *testing.T) {
	for _, c := range []struct {
		chunk string
		want  any
	}{
		{`nil`, nil},
		{`true`, true},
		{`"a\0b"`, "a\x00b"},
		{`8080`, 8080},
		{`-3`, -3},
		{`1.5`, 1.5},
		{`2^53`, float64(1 << 53)},
		{`2^53 - 1`, 1<<53 - 1},
		{`1/0`, math.Inf(1)},
		{`{}`, map[string]any{}},
		{`{1, "x", {}}`, []any{1, "x", map[string]any{}}},
		{`{[3] = "c"}`, []any{nil, nil, "c"}},
		{`{1, named = 2}`, []any{1}},
		{`{[0] = "a", [-1] = "b", [1.5] = "c", [true] = "d", x = "e"}`,
			map[string]any{"0": "a", "-1": "b", "1.5": "c", "true": "d", "x": "e"}},
	} {
		t.Run(c.chunk, func(t *testing.T) {
			L, v := eval(t, "return "+c.chunk)
			if got, err := host.Value(L, v); err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%#v, %v; want %#v", got, err, c.want)
			}
		})
	}
}

func TestValueWithoutCounterpartIsItsText(t *testing.T) {
	L, v := eval(t, `return {print, setmetatable({}, {__tostring = function() return "not asked" end})}`)
	got, err := host.Value(L, v)
	if err != nil {
		t.Fatal(err)
	}
	list := got.([]any)
	if text, _ := list[0].(string); !strings.HasPrefix(text, "function") {
		t.Errorf("a function became %#v", list[0])
	}
	if _, ok := list[1].(map[string]any); !ok {
		t.Errorf("a table with a metatable became %#v", list[1])
	}

	if got, _ := host.Value(nil, engine.ErrorValue(errors.New("bad"))); got != "bad" {
		t.Errorf("an error object became %#v", got)
	}
	ud := L.NewUserData()
	meta := L.NewTable()
	meta.RawSetString("__tostring", L.NewFunction(func(L *lua.LState) int { L.Push(lua.LString("mine")); return 1 }))
	ud.Metatable = meta
	if got, _ := host.Value(L, ud); got != "mine" {
		t.Errorf("a userdata became %#v", got)
	}
}

func TestValueSeesThroughReadOnlyTables(t *testing.T) {
	_, v := eval(t, `return {a = 1}`)
	got, err := host.Value(nil, engine.ReadOnly(v.(*lua.LTable)))
	if err != nil || !reflect.DeepEqual(got, map[string]any{"a": 1}) {
		t.Errorf("%#v, %v", got, err)
	}
}

func TestMembersConvertsNothingElse(t *testing.T) {
	_, v := eval(t, `local t = {a = {1}, b = true} t.self = t return t`)
	got, ok, err := host.Members(nil, v.(*lua.LTable), []string{"a", "missing"})
	if want := map[string]any{"a": []any{1}}; err != nil || !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("%#v, %v, %v", got, ok, err)
	}
	if _, _, err := host.Members(nil, v.(*lua.LTable), []string{"self"}); !errors.Is(err, host.ErrCycle) {
		t.Errorf("a cycle: %v", err)
	}
	_, v = eval(t, `return {1, a = 2}`)
	if _, ok, err := host.Members(nil, v.(*lua.LTable), []string{"a"}); ok || err != nil {
		t.Errorf("a list: %v, %v", ok, err)
	}
}

func TestValueIsBounded(t *testing.T) {
	for _, c := range []struct {
		name, chunk string
		want        error
	}{
		{"a table that contains itself", `local t = {} t.a = {t} return t`, host.ErrCycle},
		{"deep", `local t = {} for _ = 1, 1000 do t = {t} end return t`, host.ErrDepth},
		{"holes", `return {[2^40] = 1}`, host.ErrHoles},
		{"twice the same, again and again", `local t = {} for _ = 1, 64 do t = {t, t} end return t`, host.ErrSize},
		{"twice the same key", `local t = {} for _ = 1, 64 do t = {a = t, b = t} end return t`, host.ErrSize},
		{"the same text many times", `local s, t = string.rep("x", 2^20), {} for i = 1, 257 do t[i] = s end return t`, host.ErrSize},
		{"the same key many times", `local s, t = string.rep("x", 2^20), {} for i = 1, 257 do t[i] = {[s] = 1} end return t`, host.ErrSize},
	} {
		t.Run(c.name, func(t *testing.T) {
			L, v := eval(t, c.chunk)
			if got, err := host.Value(L, v); !errors.Is(err, c.want) {
				t.Errorf("%T, %v; want %v", got, err, c.want)
			}
		})
	}
	L, v := eval(t, `return {[true] = 1, ["true"] = 2}`)
	if _, err := host.Value(L, v); err == nil || err.Error() != `two keys are written "true"` {
		t.Errorf("keys with the same text: %v", err)
	}
	L, v = eval(t, `local t = {} for _ = 1, 999 do t = {t} end return t`)
	if _, err := host.Value(L, v); err != nil {
		t.Errorf("as deep as allowed: %v", err)
	}
	L, v = eval(t, `local a = {} return {a, a}`)
	if _, err := host.Value(L, v); err != nil {
		t.Errorf("the same table twice: %v", err)
	}
}

// TestLua reads the results as JSON would: by their text.
func TestLua(t *testing.T) {
	var noList []any
	var noMap map[string]any
	var noPointer *int
	for _, c := range []struct {
		value any
		want  lua.LValue
	}{
		{nil, lua.LNil},
		{noList, lua.LNil},
		{noPointer, lua.LNil},
		{[]byte("x"), lua.LString("x")},
		{[]byte(nil), lua.LNil},
		{int8(-3), lua.LNumber(-3)},
		{uint64(7), lua.LNumber(7)},
		{float32(0.5), lua.LNumber(0.5)},
		{int64(1<<53 + 1), lua.LString("9007199254740993")},
		{int64(1<<53 + 2), lua.LNumber(1<<53 + 2)},
		{int64(math.MaxInt64), lua.LString("9223372036854775807")},
		{int64(math.MinInt64), lua.LNumber(math.MinInt64)},
		{time.Unix(1700000000, 5), lua.LNumber(1700000000)},
		{json.Number("12"), lua.LNumber(12)},
		{json.Number("1.5e3"), lua.LNumber(1500)},
		{json.Number("9007199254740993"), lua.LString("9007199254740993")},
		{json.Number("123456789012345678901234567890"), lua.LString("123456789012345678901234567890")},
		{json.Number("9007199254740992"), lua.LNumber(1 << 53)},
		{lua.LTrue, lua.LTrue},
	} {
		if got, err := host.Lua(c.value); err != nil || got != c.want {
			t.Errorf("%T(%v) became %v (%T), %v", c.value, c.value, got, got, err)
		}
	}
	if v, err := host.Lua(noMap); err != nil || !engine.IsObject(v.(*lua.LTable)) {
		t.Errorf("a nil map became %v, %v", v, err)
	}
	if v, err := host.Lua(errors.New("bad")); err != nil || v.Type() != lua.LTUserData {
		t.Errorf("an error became %v, %v", v, err)
	}
	v, err := host.Lua(map[any]any{1: []int{1, 2}, true: map[string]int{"x": 1}, 1.5: []any{nil, "b"}})
	if err != nil {
		t.Fatal(err)
	}
	back, err := host.Value(nil, v)
	want := map[string]any{"1": []any{1, 2}, "true": map[string]any{"x": 1}, "1.5": []any{nil, "b"}}
	if err != nil || !reflect.DeepEqual(back, want) {
		t.Errorf("%#v, %v", back, err)
	}
}

func TestLuaFails(t *testing.T) {
	big := make([]any, 2048)
	inner := any(make([]any, 2048))
	for i := range big {
		big[i] = inner
	}
	deep := any("x")
	for range host.MaxDepth + 1 {
		deep = []any{deep}
	}
	one := 1
	for name, c := range map[string]struct {
		value any
		want  string
	}{
		"duration":     {time.Second, "a value of type time.Duration has no Lua form"},
		"function":     {func() {}, "a value of type func() has no Lua form"},
		"struct":       {struct{ A int }{}, "has no Lua form"},
		"pointer":      {&one, "has no Lua form"},
		"location":     {time.UTC, "has no Lua form"},
		"unsigned":     {uint64(math.MaxInt64 + 1), "integer 9223372036854775808 is out of range"},
		"nested":       {[]any{map[string]any{"x": time.Second}}, "has no Lua form"},
		"same keys":    {map[any]any{1: "a", "1": "b"}, `two keys are written "1"`},
		"too deep":     {deep, host.ErrDepth.Error()},
		"too many":     {[]any{big, big}, host.ErrSize.Error()},
		"typed list":   {[][]any{big, big}, host.ErrSize.Error()},
		"large number": {json.Number("1e999"), "number 1e999 is out of range"},
	} {
		t.Run(name, func(t *testing.T) {
			if v, err := host.Lua(c.value); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, %v; want an error with %q", v, err, c.want)
			}
		})
	}
}

// TestRoundTrip converts plain data to Lua and back.
func TestRoundTrip(t *testing.T) {
	var value func(depth int) *rapid.Generator[any]
	value = func(depth int) *rapid.Generator[any] {
		choices := []*rapid.Generator[any]{
			rapid.Bool().AsAny(), rapid.String().AsAny(), rapid.IntRange(-1<<53+1, 1<<53-1).AsAny(),
			rapid.Float64().Filter(func(f float64) bool { return f != math.Trunc(f) && !math.IsNaN(f) }).AsAny(),
		}
		if depth > 0 {
			choices = append(choices, rapid.SliceOfN(value(depth-1), 1, 5).AsAny(),
				rapid.MapOf(rapid.String(), value(depth-1)).AsAny())
		}
		return rapid.OneOf(choices...)
	}
	rapid.Check(t, func(t *rapid.T) {
		want := value(4).Draw(t, "value")
		v, err := host.Lua(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := host.Value(nil, v)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%#v became %#v, %v", want, got, err)
		}
	})
}
