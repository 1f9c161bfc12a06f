// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/wippyrun/kit/registry"
)

// TestDataOfGoProgramsIsStoredAsPlainValues gives entries what Go programs have at hand.
func TestDataOfGoProgramsIsStoredAsPlainValues(t *testing.T) {
	type name string
	type count uint16
	text := "x"
	var none *string
	r := newRegistry(t, registry.WithInternalKinds("**"))
	for what, tc := range map[string]struct{ given, want any }{
		"numbers":      {[]any{1, int8(2), uint32(3), float32(0.5), count(4), json.Number("5")}, []any{1.0, 2.0, 3.0, 0.5, 4.0, 5.0}},
		"texts":        {[]any{name("n"), []byte("b"), &text, none}, []any{"n", "b", "x", nil}},
		"times":        {[]any{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), 90 * time.Second}, []any{"2026-01-02T03:04:05Z", "1m30s"}},
		"typed slices": {[]any{[]string{"a"}, [2]int{1, 2}, []bool{true}}, []any{[]any{"a"}, []any{1.0, 2.0}, []any{true}}},
		"typed maps":   {map[int]name{7: "seven"}, map[string]any{"7": "seven"}},
	} {
		t.Run(what, func(t *testing.T) {
			e := registry.Entry{ID: registry.NewID("app", strings.ReplaceAll(what, " ", "-")), Kind: "k", Data: tc.given}
			mustApply(t, r, create(e))
			if got, err := r.Get(e.ID); err != nil || !registry.EqualValues(got.Data, tc.want) {
				t.Errorf("%#v, %v; want %#v", got.Data, err, tc.want)
			}
		})
	}
}

// TestDataThatCannotBeStoredIsRefusedByItsPath looks for what is wrong and where in the error.
func TestDataThatCannotBeStoredIsRefusedByItsPath(t *testing.T) {
	deep := any("bottom")
	for range 2000 {
		deep = []any{deep}
	}
	r := newRegistry(t, registry.WithInternalKinds("**"))
	for what, tc := range map[string]struct {
		data any
		want []string
	}{
		"not a number":     {map[string]any{"list": []any{1.0, math.NaN()}}, []string{`"data.list.1"`, "NaN is not representable"}},
		"infinite":         {map[string]float32{"x": float32(math.Inf(1))}, []string{`"data.x"`, "+Inf is not representable"}},
		"channel":          {map[string]any{"c": make(chan int)}, []string{`"data.c"`, "a chan int cannot be stored in an entry"}},
		"function in list": {[]func(){func() {}}, []string{`"data.0"`, "a func() cannot be stored in an entry"}},
		"no number at all": {json.Number("12x"), []string{`"data"`, "12x"}},
		"too deep":         {deep, []string{"nested deeper than"}},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := r.Apply(t.Context(), create(registry.Entry{ID: registry.ParseID("app:bad"), Kind: "k", Data: tc.data}))
			wantError(t, err, append([]string{"app:bad"}, tc.want...)...)
			if len(err.Error()) > 1000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
		})
	}
	if r.Snapshot().Len() != 0 || !r.Current().IsRoot() {
		t.Errorf("%d entries at %v", r.Snapshot().Len(), r.Current())
	}
}

func TestFieldReachesAllOfAnEntry(t *testing.T) {
	e := entry("app.sub:x", "k", "deep", map[string]any{"n": 1})
	e.Meta = map[string]any{"m": "v"}
	for path, want := range map[string]any{
		"kind": "k", "name": "x", "namespace": "app.sub", "ns": "app.sub", "id": "app.sub:x", "meta": e.Meta, "meta.m": "v", "data.deep.n": 1,
	} {
		if got, ok := e.Field(path); !ok || !registry.EqualValues(got, want) {
			t.Errorf("%s is %v, %v; want %v", path, got, ok, want)
		}
	}
	for _, path := range []string{"kind.x", "name.x", "ns.x", "id.x", "meta.none", "data.deep.none", "other", ""} {
		if got, ok := e.Field(path); ok {
			t.Errorf("%s is %v", path, got)
		}
	}
	if got, ok := (registry.Entry{}).Field("data"); ok {
		t.Errorf("no data is %v", got)
	}
}
