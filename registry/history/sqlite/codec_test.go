// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/wippyrun/kit/registry"
)

func pack(v any) []byte {
	data, err := msgpack.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}

// operation is a well-formed operation with one field replaced.
func operation(key string, value any) []byte {
	op := map[string]any{
		"op": "entry.update", "id": "app:x", "kind": "k", "data": 1.5, "meta": map[string]any{"a": true},
		"original": map[string]any{"id": "app:x", "kind": "k", "data": []any{nil, "s"}},
	}
	op[key] = value
	return pack([]any{op})
}

// nested is the number 1 in that many lists.
func nested(depth int) any {
	var v any = 1.0
	for range depth {
		v = []any{v}
	}
	return v
}

func TestDecodeRejectsWhatNoEntryHolds(t *testing.T) {
	for text, data := range map[string][]byte{
		"EOF":                       nil,
		"decoding array length":     pack("no list"),
		"unknown operation":         operation("op", "entry.move"),
		"unknown field":             operation("extra", 1.0),
		"meta: string":              operation("meta", "no map"),
		"a value of type 0xd3":      operation("data", int64(1)<<40),
		"the number +Inf":           operation("data", math.Inf(1)),
		"the number NaN":            operation("data", []any{math.NaN()}),
		"an original has no":        operation("original", map[string]any{"id": "a:b", "original": nil}),
		"bytes after the changeset": append(operation("data", 1.0), 0),
		"nested too deeply":         operation("data", nested(maxDepth+2)),
	} {
		if _, err := decode(data); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%q: error %v", text, err)
		}
	}
	if _, err := decode(operation("data", nested(maxDepth))); err != nil {
		t.Error(err)
	}
}

// A damaged length must not make the decoder allocate for it, nor recurse without end.
func TestDecodeDoesNotTrustLengths(t *testing.T) {
	field := "\x91\x81\xa4data"
	for _, data := range []string{
		"\xdd\xff\xff\xff\xff",
		"\x91\xdf\xff\xff\xff\xff",
		field + "\xdd\xff\xff\xff\xff",
		field + "\xdf\xff\xff\xff\xff",
		field + "\xdb\xff\xff\xff\xff",
		field + strings.Repeat("\x91", 5_000_000),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := decode([]byte(data)); err == nil {
			t.Errorf("%.10x was decoded", data)
		}
		runtime.ReadMemStats(&after)
		// The library reads texts in pieces of 1 MB, which a build with the race detector rounds up.
		if got := after.TotalAlloc - before.TotalAlloc; got > 4<<20+uint64(len(data)) {
			t.Errorf("%.10x: %d bytes allocated", data, got)
		}
	}
}

// same compares what is stored; that an entry has no meta or an empty one is not.
func same(a, b registry.Changeset) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		x, y := a[i].Original, b[i].Original
		if a[i].Kind != b[i].Kind || !a[i].Entry.Equal(b[i].Entry) || (x == nil) != (y == nil) || x != nil && !x.Equal(*y) {
			return false
		}
	}
	return true
}

func FuzzDecode(f *testing.F) {
	e := registry.Entry{
		ID: registry.NewID("app.sub", "e:1"), Kind: "test.kind", Meta: map[string]any{"tags": []any{"a", 1.5, nil, true}},
		Data: map[string]any{"deep": map[string]any{"list": []any{[]any{}, map[string]any{}, -0.25, 1e300}}, "text": "\xffünï\x00"},
	}
	for _, c := range []registry.Changeset{
		nil,
		{{Kind: registry.Create, Entry: e}},
		{{Kind: registry.Update, Entry: e, Original: &e}, {Kind: registry.Delete, Entry: registry.Entry{ID: e.ID}, Original: &e}},
	} {
		data, err := encode(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add(operation("data", nested(100)))
	f.Add(operation("data", 0.0))
	f.Add(operation("data", ""))
	f.Add(operation("data", false))
	f.Add(operation("meta", nil))
	f.Add([]byte("\x91\xdf\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := decode(data)
		if err != nil {
			return
		}
		for _, op := range c {
			for _, e := range []*registry.Entry{&op.Entry, op.Original} {
				if e == nil {
					continue
				}
				for _, v := range []any{e.Meta, e.Data} {
					if n, err := registry.NormalizeValue(v); err != nil || !registry.EqualValues(n, v) {
						t.Fatalf("%v is nothing an entry can hold: %v", v, err)
					}
				}
			}
		}
		again, err := encode(c)
		if err != nil {
			t.Fatal(err)
		}
		back, err := decode(again)
		if err != nil || !same(back, c) {
			t.Fatalf("%v becomes %v, %v", c, back, err)
		}
		if summary(back) != summary(c) {
			t.Fatal("the summary changed")
		}
		if third, err := encode(back); err != nil || len(third) != len(again) {
			t.Fatalf("encoded again it has %d bytes instead of %d, %v", len(third), len(again), err)
		}
	})
}
