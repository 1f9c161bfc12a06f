// SPDX-License-Identifier: Apache-2.0

package payload_test

import (
	"bytes"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"
	"pgregory.net/rapid"

	"github.com/wippyrun/kit/relay/payload"
)

func TestMsgpackReadsEveryKindOfValue(t *testing.T) {
	tests := []struct {
		in   []byte
		want any
	}{
		{[]byte{0x05}, int64(5)},
		{[]byte{0xff}, int64(-1)},
		{[]byte{0xe0}, int64(-32)},
		{[]byte{0xc0}, nil},
		{[]byte{0xc2}, false},
		{[]byte{0xc3}, true},
		{[]byte{0xcc, 0xff}, int64(255)},
		{[]byte{0xcd, 1, 0}, int64(256)},
		{[]byte{0xce, 0xff, 0xff, 0xff, 0xff}, int64(math.MaxUint32)},
		{[]byte{0xcf, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, int64(math.MaxInt64)},
		{[]byte{0xcf, 0x80, 0, 0, 0, 0, 0, 0, 0}, uint64(math.MaxInt64) + 1},
		{[]byte{0xd0, 0x80}, int64(-128)},
		{[]byte{0xd1, 0xff, 0x00}, int64(-256)},
		{[]byte{0xd2, 0x80, 0, 0, 0}, int64(math.MinInt32)},
		{[]byte{0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0}, int64(math.MinInt64)},
		{[]byte{0xca, 0x3f, 0x00, 0, 0}, 0.5},
		{[]byte{0xcb, 0x3f, 0xe0, 0, 0, 0, 0, 0, 0}, 0.5},
		{[]byte{0xa2, 'a', 'b'}, "ab"},
		{[]byte{0xd9, 1, 'a'}, "a"},
		{[]byte{0xda, 0, 1, 'a'}, "a"},
		{[]byte{0xdb, 0, 0, 0, 1, 'a'}, "a"},
		{[]byte{0xc4, 1, 7}, []byte{7}},
		{[]byte{0xc5, 0, 1, 7}, []byte{7}},
		{[]byte{0xc6, 0, 0, 0, 1, 7}, []byte{7}},
		{[]byte{0xc4, 0}, []byte{}},
		{[]byte{0x92, 1, 0x90}, []any{int64(1), []any{}}},
		{[]byte{0xdc, 0, 1, 1}, []any{int64(1)}},
		{[]byte{0xdd, 0, 0, 0, 1, 1}, []any{int64(1)}},
		{[]byte{0x81, 1, 2}, map[string]any{"1": int64(2)}},
		{[]byte{0xde, 0, 1, 0xc3, 2}, map[string]any{"true": int64(2)}},
		{[]byte{0xdf, 0, 0, 0, 1, 0xc0, 2}, map[string]any{"null": int64(2)}},
		{[]byte{0xd6, 0xff, 0, 0, 0, 9}, time.Unix(9, 0)},
		{[]byte{0xd7, 0xff, 0, 0, 0, 4, 0, 0, 0, 9}, time.Unix(9, 1)},
		{[]byte{0xc7, 12, 0xff, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, time.Unix(-1, 1)},
	}
	for _, tt := range tests {
		if got := transcode(t, payload.Msgpack, tt.in, payload.Go); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("% x = %#v, want %#v", tt.in, got, tt.want)
		}
	}
}

func TestMsgpackRefusesBrokenData(t *testing.T) {
	huge := []byte{0xff, 0xff, 0xff, 0xff}
	tests := []struct {
		in   []byte
		want string
	}{
		{nil, "ends too early"},
		{[]byte{0xa2, 'a'}, "ends too early"},
		{[]byte{0xcd, 1}, "ends too early"},
		{[]byte{0xd9}, "ends too early"},
		{[]byte{0x91}, "ends too early"},
		{[]byte{0x92, 1}, "ends too early"},
		{[]byte{0x81, 1}, "ends too early"},
		{append([]byte{0xdd}, huge...), "ends too early"},
		{append([]byte{0xdf}, huge...), "ends too early"},
		{append([]byte{0xdb}, huge...), "ends too early"},
		{append([]byte{0xc6}, huge...), "ends too early"},
		{append([]byte{0xc9}, huge...), "ends too early"},
		{[]byte{1, 2}, "after the value"},
		{[]byte{0xc1}, "invalid type byte"},
		{[]byte{0xd4, 5, 0}, "extension type 5"},
		{[]byte{0xd5, 0xff, 0, 0}, "timestamp of 2 bytes"},
		{[]byte{0xd7, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 9}, "nanoseconds"},
		{[]byte{0x81, 0x90, 1}, "map key"},
		{[]byte{0x82, 1, 1, 0xa1, '1', 1}, `two map keys read "1" as text`},
		{[]byte{0x81, 0xc1, 1}, "invalid type byte"},
		{[]byte{0x81, 1, 0xc1}, "invalid type byte"},
		{bytes.Repeat([]byte{0x91}, 1<<20), "nested too deeply"},
		{bytes.Repeat([]byte{0x81, 0x01}, 1<<20), "nested too deeply"},
	}
	for _, tt := range tests {
		_, err := payload.NewDefault().Transcode(payload.Payload{Format: payload.Msgpack, Data: tt.in}, payload.Go)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("% .12x: error %v, want one with %q", tt.in, err, tt.want)
		}
	}
}

func TestMsgpackClaimsDoNotAllocate(t *testing.T) {
	// 900 nested arrays, each claiming 4096 elements of 16 bytes.
	data := bytes.Repeat([]byte{0xdc, 0x10, 0x00}, 900)
	data = append(data, make([]byte, 1<<13)...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := payload.NewDefault().Transcode(payload.Payload{Format: payload.Msgpack, Data: data}, payload.Go); err == nil {
		t.Error("no error")
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 8<<20 {
		t.Errorf("%d bytes allocated for %d bytes of input", got, len(data))
	}
}

func TestMsgpackRoundTripsProperty(t *testing.T) {
	tc := payload.NewDefault()
	rapid.Check(t, func(t *rapid.T) {
		in := anyValue(3).Draw(t, "value")
		mid, err := tc.Transcode(payload.New(in), payload.Msgpack)
		if err != nil {
			t.Fatal(err)
		}
		out, err := tc.Transcode(mid, payload.Go)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(out.Data, in) {
			t.Fatalf("% x: %#v became %#v", mid.Data, in, out.Data)
		}
	})
}

// anyValue generates JSON-like values with the Go types that decoding gives.
func anyValue(depth int) *rapid.Generator[any] {
	scalar := rapid.OneOf(
		rapid.Just[any](nil),
		rapid.Bool().AsAny(),
		rapid.Int64().AsAny(),
		rapid.Float64().AsAny(),
		rapid.String().AsAny(),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) any { return append([]byte{}, b...) }),
	)
	if depth == 0 {
		return scalar
	}
	return rapid.OneOf(
		scalar,
		rapid.Map(rapid.SliceOfN(anyValue(depth-1), 0, 20), func(s []any) any { return append([]any{}, s...) }),
		rapid.MapOfN(rapid.String(), anyValue(depth-1), 0, 20).AsAny(),
	)
}

// FuzzMsgpackToGo checks that no input panics or runs away, that what is read
// survives a round trip, and that the library reads the same where it reads.
func FuzzMsgpackToGo(f *testing.F) {
	for _, v := range []any{nil, 1, -1, "x", []byte{1}, []any{1, "a"}, map[string]any{"a": 1.5}, time.Unix(1, 2), uint64(math.MaxUint64)} {
		b, err := msgpack.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte{0xdd, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0x81, 0x90, 0x01})
	tc := payload.NewDefault()
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := tc.Transcode(payload.Payload{Format: payload.Msgpack, Data: data}, payload.Go)
		if err != nil {
			return
		}
		again, err := tc.Transcode(first, payload.Msgpack)
		if err != nil {
			t.Fatalf("% x reads as %#v but: %v", data, first.Data, err)
		}
		second, err := tc.Transcode(again, payload.Go)
		if err != nil {
			t.Fatalf("% x written as % x but: %v", data, again.Data, err)
		}
		if !same(first.Data, second.Data) {
			t.Fatalf("% x: %#v became %#v", data, first.Data, second.Data)
		}
		var ref any
		dec := msgpack.NewDecoder(bytes.NewReader(again.Data.([]byte)))
		dec.UseLooseInterfaceDecoding(true)
		if ref, err = dec.DecodeInterface(); err != nil {
			t.Fatalf("the library refuses % x: %v", again.Data, err)
		}
		if !sameKind(ref, second.Data) {
			t.Fatalf("% x: library reads %T, we read %T", again.Data, ref, second.Data)
		}
	})
}

// same is reflect.DeepEqual with NaN equal to itself.
func same(a, b any) bool {
	switch a := a.(type) {
	case float64:
		b, ok := b.(float64)
		return ok && (a == b || a != a && b != b)
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !same(a[i], b[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k := range a {
			if _, has := b[k]; !has || !same(a[k], b[k]) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a, b)
}

// sameKind compares containers and text; the library has more number types.
func sameKind(ref, got any) bool {
	switch got := got.(type) {
	case []any:
		ref, ok := ref.([]any)
		return ok && len(ref) == len(got)
	case map[string]any:
		ref, ok := ref.(map[string]any)
		return ok && len(ref) == len(got)
	case string:
		return ref == any(got)
	}
	return true
}
