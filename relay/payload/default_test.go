// SPDX-License-Identifier: Apache-2.0

package payload_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wippyrun/kit/relay/payload"
)

func transcode(t *testing.T, from payload.Format, data any, to payload.Format) any {
	t.Helper()
	p, err := payload.NewDefault().Transcode(payload.Payload{Format: from, Data: data}, to)
	if err != nil {
		t.Fatalf("%s %v to %s: %v", from, data, to, err)
	}
	return p.Data
}

type point struct {
	X int `json:"x"`
	Y int `json:"y,omitempty"`
}

func TestDefaultConversions(t *testing.T) {
	tests := []struct {
		from payload.Format
		in   any
		to   payload.Format
		want any
	}{
		{payload.Go, map[string]any{"a": 1, "b": []any{true, nil}}, payload.JSON, []byte(`{"a":1,"b":[true,null]}`)},
		{payload.Go, map[any]any{1: "x"}, payload.JSON, []byte(`{"1":"x"}`)},
		{payload.JSON, `{"a":1.5,"b":[{}]}`, payload.Go, map[string]any{"a": 1.5, "b": []any{map[string]any{}}}},
		{payload.JSON, []byte(`null`), payload.Go, nil},
		{payload.JSON, json.RawMessage(`"x"`), payload.Go, "x"},

		{payload.Go, map[string]any{"count": 1e6, "half": 0.5, "s": "yes"}, payload.YAML, []byte("count: 1000000\nhalf: 0.5\ns: \"yes\"\n")},
		{payload.Go, map[any]any{true: []any{1.0}}, payload.YAML, []byte("\"true\":\n    - 1\n")},
		{payload.Go, map[string]any(nil), payload.YAML, []byte("{}\n")},
		{payload.YAML, "1: {true: x}\nl: [{2.5: y}, {~: z}]\n", payload.Go,
			map[string]any{"1": map[string]any{"true": "x"}, "l": []any{map[string]any{"2.5": "y"}, map[string]any{"null": "z"}}}},
		{payload.YAML, "a: 1\n---\nb: 2\n", payload.Go, map[string]any{"a": 1}},
		{payload.YAML, "", payload.Go, nil},

		{payload.Go, nil, payload.String, ""},
		{payload.Go, "text", payload.String, "text"},
		{payload.Go, []byte("text"), payload.String, "text"},
		{payload.Go, json.RawMessage("{}"), payload.String, "{}"},
		{payload.Go, true, payload.String, "true"},
		{payload.Go, 7, payload.String, "7"},
		{payload.Go, int64(-7), payload.String, "-7"},
		{payload.Go, int8(-7), payload.String, "-7"},
		{payload.Go, uint64(math.MaxUint64), payload.String, "18446744073709551615"},
		{payload.Go, 1e6, payload.String, "1000000"},
		{payload.Go, 0.1, payload.String, "0.1"},
		{payload.Go, float32(0.1), payload.String, "0.1"},
		{payload.Go, 1e300, payload.String, "1e+300"},
		{payload.Go, math.Inf(-1), payload.String, "-Inf"},
		{payload.Go, errors.New("bad"), payload.String, "bad"},
		{payload.Go, 1500 * time.Millisecond, payload.String, "1.5s"},
		{payload.Go, time.Unix(0, 0).UTC(), payload.String, "1970-01-01T00:00:00Z"},
		{payload.Go, point{1, 2}, payload.String, `{"x":1,"y":2}`},
		{payload.String, "text", payload.Go, "text"},
		{payload.String, []byte("text"), payload.Go, "text"},

		{payload.Go, []byte{0, 1}, payload.Bytes, []byte{0, 1}},
		{payload.Go, 12, payload.Bytes, []byte("12")},
		{payload.Bytes, []byte{0, 1}, payload.Go, []byte{0, 1}},
		{payload.Bytes, "ab", payload.Go, []byte("ab")},

		{payload.Go, point{X: 1}, payload.Msgpack, []byte{0x81, 0xa1, 'x', 0x01}},
		{payload.Go, map[string]any{"b": 2, "a": 1}, payload.Msgpack, []byte{0x82, 0xa1, 'a', 0x01, 0xa1, 'b', 0x02}},

		// Chains.
		{payload.JSON, `{"count":1000000}`, payload.YAML, []byte("count: 1000000\n")},
		{payload.YAML, "a: [1, x]\n", payload.JSON, []byte(`{"a":[1,"x"]}`)},
		{payload.JSON, `"x"`, payload.String, "x"},
		{payload.String, "x", payload.JSON, []byte(`"x"`)},
	}
	for _, tt := range tests {
		if got := transcode(t, tt.from, tt.in, tt.to); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s %#v to %s = %#v (%s), want %#v", tt.from, tt.in, tt.to, got, got, tt.want)
		}
	}
}

func TestDefaultConversionsRefuseBadData(t *testing.T) {
	var loop []any
	loop = append(loop, nil)
	loop[0] = loop
	cyclic := map[string]any{}
	cyclic["self"] = []any{map[any]any{1: cyclic}}
	tests := []struct {
		from payload.Format
		in   any
		to   payload.Format
		want string
	}{
		{payload.JSON, "{", payload.Go, "unexpected end of JSON input"},
		{payload.JSON, 5, payload.Go, "payload: json/plain data of Go type int"},
		{payload.JSON, strings.Repeat("[", 2000) + strings.Repeat("]", 2000), payload.Go, "nested too deeply"},
		{payload.YAML, "a: [", payload.Go, "yaml:"},
		{payload.YAML, 5, payload.Go, "payload: yaml/plain data of Go type int"},
		{payload.YAML, "a: 1\na: 2\n", payload.Go, "already defined"},
		{payload.YAML, "1: x\n1.0: y\n", payload.Go, `two map keys read "1" as text`},
		{payload.YAML, "? [1]\n: x\n", payload.Go, "yaml:"},
		{payload.YAML, strings.Repeat("[", 2000) + strings.Repeat("]", 2000), payload.Go, "nested too deeply"},
		{payload.String, 5, payload.Go, "payload: text/plain data of Go type int"},
		{payload.Bytes, nil, payload.Go, "payload: application/octet-stream data of Go type <nil>"},
		{payload.Msgpack, 5, payload.Go, "payload: application/msgpack data of Go type int"},
		{payload.Go, map[any]any{1: "x", "1": "y"}, payload.YAML, `two map keys read "1" as text`},
		{payload.Go, loop, payload.JSON, "cycle"},
		{payload.Go, loop, payload.YAML, "containing itself"},
		{payload.Go, cyclic, payload.YAML, "containing itself"},
		{payload.Go, cyclic, payload.Msgpack, "containing itself"},
		{payload.Go, map[any]any{1: cyclic}, payload.JSON, "containing itself"},
		{payload.Go, map[any]any{[1]int{1}: func() {}}, payload.JSON, "unsupported type"},
		{payload.Go, func() {}, payload.JSON, "unsupported type"},
		{payload.Go, make(chan int), payload.Msgpack, "unsupported"},
		{payload.Go, make(chan int), payload.YAML, "cannot marshal"},
		{payload.Go, make(chan int), payload.String, "unsupported type"},
	}
	for _, tt := range tests {
		p, err := payload.NewDefault().Transcode(payload.Payload{Format: tt.from, Data: tt.in}, tt.to)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s to %s: error %v, want one with %q", tt.from, tt.to, err, tt.want)
		}
		if p != (payload.Payload{}) {
			t.Errorf("%s to %s: payload %v with an error", tt.from, tt.to, p)
		}
	}
}

func TestNewPicksTheFormat(t *testing.T) {
	err := errors.New("x")
	if p := payload.New(err); p.Format != payload.Error || p.Data != err {
		t.Errorf("New(error) = %v", p)
	}
	if p := payload.New(5); p.Format != payload.Go || p.Data != 5 || p.String() != "payload{format=golang/any}" {
		t.Errorf("New(5) = %v", p)
	}
}

func TestTextIsForTextOnly(t *testing.T) {
	for _, tt := range []struct {
		data any
		text string
		ok   bool
	}{{"a", "a", true}, {[]byte("a"), "a", true}, {5, "", false}, {nil, "", false}} {
		text, ok := payload.Payload{Data: tt.data}.Text()
		if text != tt.text || ok != tt.ok {
			t.Errorf("Text of %v = %q, %v", tt.data, text, ok)
		}
	}
}
