// SPDX-License-Identifier: Apache-2.0

package yaml_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
	peer "go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/host"
	"github.com/wippyrun/kit/luart/modules/yaml"
)

// texts are strings of all kinds, and many that YAML has a meaning for.
func texts() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.String(),
		rapid.StringOf(rapid.RuneFrom([]rune(" \t\r\n:#-?,[]{}&*!|>'\"%@`~<=.0123456789xobeEyYnN_+\u0085\u2028\ufeff\u00a0é"))),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
		rapid.SampledFrom([]string{"yes", "No", "ON", "true", "null", "~", "1_000", "0x1f", "12:30:45", "2024-01-01", "<<", "---", "...", ".inf", "\n", "a\n\n", "\n a\n"}),
	)
}

// values are plain data that has a Lua form which converts back to it.
func values(depth int) *rapid.Generator[any] {
	choices := []*rapid.Generator[any]{
		rapid.Bool().AsAny(), texts().AsAny(), rapid.IntRange(-1<<53+1, 1<<53-1).AsAny(),
		rapid.Float64().Filter(func(f float64) bool { return !math.IsNaN(f) && (f != math.Trunc(f) || math.Abs(f) >= 1<<53) }).AsAny(),
	}
	if depth > 0 {
		choices = append(choices, rapid.SliceOfN(values(depth-1), 1, 5).AsAny(), rapid.MapOf(texts(), values(depth-1)).AsAny())
	}
	return rapid.OneOf(choices...)
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := values(4).Draw(t, "value")
		v, err := host.Lua(want)
		if err != nil {
			t.Fatal(err)
		}
		text, err := yaml.Encode(v, yaml.Options{
			FieldOrder:    rapid.SliceOf(texts()).Draw(t, "field order"),
			SortUnordered: rapid.Bool().Draw(t, "sort unordered"),
		})
		if err != nil {
			t.Fatal(err)
		}
		back, err := yaml.Decode(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if got, err := host.Value(nil, back); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%#v became %#v, %v\n%s", want, got, err, text)
		}
	})
}

// TestNaturalOrder compares with the order in which the library writes the keys of a Go map. Digits are those that the
// library can count with.
func TestNaturalOrder(t *testing.T) {
	keys := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-cA-C0-3._é-]{1,6}`), 2, 20, rapid.ID[string])
	rapid.Check(t, func(t *rapid.T) {
		members := map[string]any{}
		table := engine.NewObject(20)
		for _, key := range keys.Draw(t, "keys") {
			members[key] = 1
			table.RawSetString(key, lua.LNumber(1))
		}
		want, err := peer.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := yaml.Encode(table, yaml.Options{}); err != nil || got != string(want) {
			t.Errorf("%v\n%s\nwant\n%s", err, got, want)
		}
	})
}

func TestNaturalIsAnOrder(t *testing.T) {
	key := rapid.StringMatching(`[ab01.é٣\x{ff}-]{0,5}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := key.Draw(t, "a"), key.Draw(t, "b"), key.Draw(t, "c")
		if x, y := yaml.Natural(a, b), yaml.Natural(b, a); x != -y || (x == 0) != (a == b) {
			t.Errorf("%q and %q: %d and %d", a, b, x, y)
		}
		if yaml.Natural(a, b) <= 0 && yaml.Natural(b, c) <= 0 && yaml.Natural(a, c) > 0 {
			t.Errorf("%q, %q, %q", a, b, c)
		}
	})
	numbers := []string{"f1", "f2", "f02", "f10", "f99999999999999999999998", "f99999999999999999999999"}
	if !slices.IsSortedFunc(numbers, yaml.Natural) {
		t.Errorf("not in order: %q", numbers)
	}
}

func TestDecodeIsBounded(t *testing.T) {
	laughs := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	merges := "a0: &a0 {k: 1}\n"
	for i := range 30 {
		laughs += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d,", i), 10))
		merges += fmt.Sprintf("a%d: &a%d {<<: [%s]}\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d,", i), 10))
	}
	for name, c := range map[string]struct{ text, problem string }{
		"aliases of aliases": {laughs, "more than 1048576 values"},
		"merges of merges":   {merges, "more than 1048576 values"},
		"nested sequences":   {strings.Repeat("[", 2000) + strings.Repeat("]", 2000), "nested more than 1000 levels deep"},
		"nested mappings":    {strings.Repeat("{a: ", 2000) + strings.Repeat("}", 2000), "nested more than 1000 levels deep"},
		"nested merges":      {strings.Repeat("{<<: ", 2000) + "{a: 1}" + strings.Repeat("}", 2000), "nested more than 1000 levels deep"},
		"nested without end": {strings.Repeat("[", 100000), "exceeded max depth"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := yaml.Decode(c.text); err == nil || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("%v; want %q", err, c.problem)
			}
		})
	}
}

// TestDecodeIsLinear has a mapping so large that looking for each key among all others would take minutes.
func TestDecodeIsLinear(t *testing.T) {
	for name, member := range map[string]string{"values": "key%d: 1\n", "nulls": "key%d:\n"} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			for i := range 200_000 {
				fmt.Fprintf(&b, member, i)
			}
			if _, err := yaml.Decode(b.String()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestErrorsSayWhere(t *testing.T) {
	_, err := yaml.Decode("a: 1\nb: 18446744073709551615")
	var e *yaml.Error
	if !errors.As(err, &e) || e.Line != 2 || e.Problem != "integer 18446744073709551615 is out of range" {
		t.Errorf("%#v", err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"a: 1", "- 1\n- [2, {b: ~}]", "&x a: *x", "a: &x {b: 1}\nc: {<<: *x}", "--- |\n x\n...\n--- y", "? [a]\n: b", "!!binary aGk=", "2024-01-01",
		"0x_1", "1__0", "-0o7", "+.inf", "#\n- #\n  #\n", "a:\n  #c\n- b", "\"\\x\"", "'", "%YAML 1.1\n---\n", "\ufeffa", "!!float 1", "<<: 1", "!!merge x: {a: 1}",
		"a: 9223372036854775808", "1e999", "-0b1", "!!null", "!<tag:yaml.org,2002:int> 1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := yaml.Decode(text)
		if err != nil {
			return
		}
		again, err := yaml.Encode(v, yaml.Options{})
		if err != nil {
			t.Fatalf("what was decoded does not encode: %v", err)
		}
		if _, err := yaml.Decode(again); err != nil {
			t.Fatalf("what was encoded does not decode: %v\n%s", err, again)
		}
	})
}
