// SPDX-License-Identifier: Apache-2.0

package json

import (
	stdjson "encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// eval runs a Lua chunk and returns its first result.
func eval(t testing.TB, chunk string) lua.LValue {
	t.Helper()
	L := lua.NewState()
	t.Cleanup(L.Close)
	if err := L.DoString(chunk); err != nil {
		t.Fatal(err)
	}
	return L.Get(-1)
}

func TestEncode(t *testing.T) {
	for _, c := range []struct{ lua, want string }{
		{`nil`, `null`},
		{`true`, `true`},
		{`12`, `12`},
		{`-0.5`, `-0.5`},
		{`2^53`, `9007199254740992`},
		{`1e300`, `1e+300`},
		{`1e-9`, `1e-9`},
		{`0/0`, `null`},
		{`1/0`, `null`},
		{`{x = 0/0}`, `{"x":null}`},
		{`{n = 100.0}`, `{"n":100}`},
		{`{1e-7}`, `[0.0000001]`},
		{`{}`, `[]`},
		{`{1, 2, 3}`, `[1,2,3]`},
		{`{b = 1, a = {true, false}}`, `{"a":[true,false],"b":1}`},
		{`{[-0.0] = "zero"}`, `{"0":"zero"}`},
		{`{[0] = "zero", [-1] = "minus", [1.5] = "half", [true] = "yes"}`,
			`{"-1":"minus","0":"zero","1.5":"half","true":"yes"}`},
		{`"<b>&\n\1\"\\/é"`, `"\u003cb\u003e\u0026\n\u0001\"\\/é"`},
		{`"\226\128\168 \255"`, `"\u2028 \ufffd"`},
		{`print`, `null`},
		{`{print}`, `[null]`},
	} {
		t.Run(c.lua, func(t *testing.T) {
			got, err := Encode(eval(t, "return "+c.lua))
			if err != nil || got != c.want {
				t.Errorf("Encode(%s) = %s, %v; want %s", c.lua, got, err, c.want)
			}
		})
	}
}

func TestEncodeKeepsEmptyObjects(t *testing.T) {
	for chunk, want := range map[string]string{
		`return {}`:                                    `[]`,
		`local t = {a = 1}; t.a = nil; return t`:       `{}`,
		`local t = {}; t[1] = 1; t[1] = nil; return t`: `[]`,
	} {
		if got, err := Encode(eval(t, chunk)); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", chunk, got, err, want)
		}
	}
	v, err := Decode(`{"a":{},"b":[]}`)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Encode(v); err != nil || got != `{"a":{},"b":[]}` {
		t.Errorf("round trip gives %s, %v", got, err)
	}
}

func TestEncodeRefuses(t *testing.T) {
	nested := func(levels int) string {
		return `local t = {} for i = 2, ` + lua.LNumber(levels).String() + ` do t = {t} end return t`
	}
	for _, c := range []struct {
		chunk string
		want  error
	}{
		{`return {[1] = "a", [3] = "c"}`, errSparse},
		{`return {1, a = 2}`, errMixed},
		{`local t = {} t.me = t return t`, errCycle},
		{`local t = {} t.list = {{t}} return t`, errCycle},
		{`local s = {1} return {s, s}`, nil},
		{nested(129), nil},
		{nested(130), errDepth},
	} {
		if _, err := Encode(eval(t, c.chunk)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.chunk, err, c.want)
		}
	}
}

func TestDecode(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`null`, `null`},
		{` [ 1 , 2.5e1 , -0 ] `, `[1,25,0]`},
		{`"\u00e9\ud83d\ude00\n\/"`, `"é😀\n/"`},
		{`{"a":1} trailing`, `{"a":1}`},
		{`1 2`, `1`},
		{`{"1":2}`, `{"1":2}`},
		{`{"a":null,"b":1}`, `{"b":1}`},
		{`9007199254740993`, `"9007199254740993"`},
		{`9007199254740992`, `9007199254740992`},
		{`12345678901234567890`, `"12345678901234567890"`},
		{`1000000000000000000`, `1000000000000000000`},
	} {
		v, err := Decode(c.text)
		if err != nil {
			t.Errorf("Decode(%s): %v", c.text, err)
			continue
		}
		if got, err := Encode(v); err != nil || got != c.want {
			t.Errorf("Decode(%s) encodes as %s, %v; want %s", c.text, got, err, c.want)
		}
	}
	holes, err := Decode(`[1,null,3]`)
	if err != nil {
		t.Fatal(err)
	}
	if table := holes.(*lua.LTable); table.RawGetInt(3) != lua.LNumber(3) || table.Len() != 3 || table.RawGetInt(2) != lua.LNil {
		t.Errorf("[1,null,3]: %v, length %d", table.RawGetInt(3), table.Len())
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, text := range []string{
		`not json`, ` `, `{"a":1,"a":2}`, `{"a":null,"a":2}`, `[1,]`, `{"a" 1}`, `{a:1}`, `[1 2]`, `tru`, `01`, `-`, `1.`,
		`1e`, `"open`, "\"tab\there\"", `"\x"`, `"\ud800"`, "\"\xff\"", `"\u12g4"`, `1e999`, `[`, `{`, `{"a":`,
	} {
		if v, err := Decode(text); err == nil {
			t.Errorf("Decode(%q) = %v, want an error", text, v)
		}
	}
	deep := strings.Repeat("[", 129) + strings.Repeat("]", 129)
	if _, err := Decode(deep); err != nil {
		t.Errorf("129 levels: %v", err)
	}
	if _, err := Decode("[" + deep + "]"); !errors.Is(err, errDecodeDepth) {
		t.Errorf("130 levels: %v", err)
	}
}

// FuzzDecode compares with encoding/json: what we accept it accepts, with the same meaning.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2,{"b":null}],"c":"\u00e9"}`, `[]`, `{}`, `"x"`, `-1.5e3`, `[[[1]]]`, `{"":0}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := Decode(text)
		if err != nil {
			return
		}
		var want any
		if err := stdjson.NewDecoder(strings.NewReader(text)).Decode(&want); err != nil {
			t.Fatalf("accepted %q, encoding/json does not: %v", text, err)
		}
		if !same(v, want) {
			t.Fatalf("%q decoded as %v, encoding/json has %v", text, v, want)
		}
	})
}

func same(v lua.LValue, want any) bool {
	switch want := want.(type) {
	case nil:
		return v == lua.LNil
	case bool:
		return v == lua.LBool(want)
	case string:
		return v == lua.LString(want)
	case float64:
		if s, ok := v.(lua.LString); ok { // an integer that is not exact as a number
			var n stdjson.Number = stdjson.Number(s)
			f, err := n.Float64()
			return err == nil && f == want && math.Abs(f) >= 1<<53
		}
		return v == lua.LNumber(want)
	case []any:
		t, ok := v.(*lua.LTable)
		for i := range want {
			ok = ok && same(t.RawGetInt(i+1), want[i])
		}
		return ok
	case map[string]any:
		t, ok := v.(*lua.LTable)
		for k := range want {
			ok = ok && same(t.RawGetString(k), want[k])
		}
		return ok
	}
	return false
}

func BenchmarkEncode(b *testing.B) {
	v := eval(b, `return {id = 17, name = "Ada", tags = {"a", "b", "c"}, point = {x = 1.5, y = 2}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Encode(v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	const text = `{"id":17,"name":"Ada","tags":["a","b","c"],"point":{"x":1.5,"y":2}}`
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(text); err != nil {
			b.Fatal(err)
		}
	}
}
