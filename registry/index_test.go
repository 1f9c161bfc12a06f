// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/registry/internal/lru"
	"github.com/wippyrun/kit/registry/internal/pmap"
)

// contents is a dimension as text: every value in order with the entries that have it.
func (d *dimension) contents() []string {
	var out []string
	for k := range d.ordered().All() {
		line := fmt.Sprintf("%q:", k)
		for e := range d.get(k).All() {
			line += fmt.Sprintf(" %v@%p", e.ID, e)
		}
		out = append(out, line)
	}
	return out
}

// A dimension derived from that of an earlier state is the one built from nothing,
// including the list of its values.
func TestDerivedDimensionEqualsABuiltOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SampledFrom([]any{"a", "b", "c", 1.0, true, nil, []any{"a", "b"}, []any{"a", "a"}, []any{}, map[string]any{"w": "d"}})
		var entries pmap.Map[Entry]
		ix := &index{}
		for range rapid.IntRange(1, 10).Draw(t, "states") {
			b := pmap.NewBuilder(entries)
			for range rapid.IntRange(0, 6).Draw(t, "changes") {
				e := Entry{ID: NewID("app", fmt.Sprint(rapid.IntRange(0, 40).Draw(t, "id"))), Meta: map[string]any{"x": values.Draw(t, "x")}}
				if rapid.IntRange(0, 2).Draw(t, "delete") == 0 {
					b.Delete(pmap.Key(e.ID))
				} else {
					b.Set(pmap.Key(e.ID), e)
				}
			}
			entries = b.Map()
			ix = ix.advance(entries, nil)
			for _, name := range []string{"meta.x", dimAll} {
				if ix.dims[name] == nil {
					ix = ix.with(name)
				}
				if got, want := ix.dims[name].contents(), buildDimension(name, entries, 0).contents(); !slices.Equal(got, want) {
					t.Fatalf("%s: %q, want %q", name, got, want)
				}
				if got, want := ix.dims[name].values.Load().Len(), ix.dims[name].sets.Len(); got != want {
					t.Fatalf("%s: %d values in order of %d", name, got, want)
				}
			}
		}
	})
}

// What no query asks for any more is given up, so that one query long ago does not cost
// every change for ever.
func TestDimensionNobodyUsesIsGivenUp(t *testing.T) {
	b := pmap.NewBuilder(pmap.Map[Entry]{})
	for i := range 100 {
		b.Set(pmap.Key{Name: fmt.Sprint(i)}, Entry{ID: NewID("", fmt.Sprint(i)), Kind: "k", Meta: map[string]any{"x": float64(i % 3)}})
	}
	ix := (&index{}).advance(b.Map(), lru.New[[]*Entry](1)).with("meta.x").with(dimKind)
	for i := range keepUnused + 1 {
		b.Set(pmap.Key{Name: "1"}, Entry{ID: NewID("", "1"), Kind: fmt.Sprint(i)})
		ix = ix.advance(b.Map(), nil)
		if ix.dim(dimKind) == nil {
			t.Fatal("gave up what is in use")
		}
		if gone := ix.dims["meta.x"] == nil; gone != (i == keepUnused) {
			t.Fatalf("after %d states: given up %v", i+1, gone)
		}
	}
}
