// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/registry"
)

func numbered(from, to int) string {
	var b strings.Builder
	for i := from; i <= to; i++ {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	return b.String()
}

func TestDifferenceIsReadable(t *testing.T) {
	r, _ := withRecorder(t)
	db := entry("app:db", "test.one", "pool", m{"size": 5, "gone": true}, "tags", []any{"a", "b", "c"}, "same", 1, "source", numbered(1, 20))
	db.Meta = m{"title": "Old"}
	v1 := mustApply(t, r, create(db, entry("app:old", "test.two", "n", 1), entry("app:same", "test.one")))
	db = db.Clone()
	data := db.Data.(map[string]any)
	data["pool"] = m{"size": 10, "name": "main\x1b[31m"}
	data["tags"] = []any{"a", "x", "b", "c", "d"}
	data["source"] = strings.Replace(numbered(1, 20), "line 10\n", "changed\nnew\n", 1)
	db.Meta = m{"title": strings.Repeat("long ", 100)}
	c := create(entry("app:new", "test.one", "source", numbered(1, 3), "list", []any{}, "deep", m{"a": m{"b": nil}}))
	c.UpdateEntry(db)
	c.DeleteEntry(registry.ParseID("app:old"))
	v2 := mustApply(t, r, c)
	d, err := r.Diff(v1, v2)
	if err != nil {
		t.Fatal(err)
	}
	want := `v1 -> v2: 1 added, 1 changed, 1 removed
~ app:db (test.one)
    - data.pool.gone: true
    + data.pool.name: "main\x1b[31m"
    ~ data.pool.size: 5 -> 10
    ~ data.source:
        @ line 7
         line 7
         line 8
         line 9
        -line 10
        +changed
        +new
         line 11
         line 12
         line 13
    ~ data.tags.1: "b" -> "x"
    ~ data.tags.2: "c" -> "b"
    + data.tags.3: "c"
    + data.tags.4: "d"
    ~ meta.title: "Old" -> "` + strings.Repeat("long ", 19) + `long…
+ app:new (test.one)
    + data.deep.a.b: null
    + data.list: []
    + data.source: text of 3 lines
- app:old (test.two)
    - data.n: 1
`
	if got := d.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	back, err := r.Diff(v2, v1)
	if err != nil || back.From != v2 || back.Entries[1].How != registry.Removed || back.Entries[2].How != registry.Added {
		t.Errorf("%v, %v", back, err)
	}
	if same, err := r.Diff(v2, v2); err != nil || len(same.Entries) != 0 || same.String() != "v2 -> v2: 0 added, 0 changed, 0 removed\n" {
		t.Errorf("%v, %v", same, err)
	}
	for _, vs := range [][2]registry.Version{{v1, {ID: 77}}, {{ID: 77}, v1}} {
		if _, err := r.Diff(vs[0], vs[1]); !errors.Is(err, registry.ErrVersionNotFound) {
			t.Errorf("unknown version: %v", err)
		}
	}
	if n, err := d.WriteTo(failing{}); n != 3 || !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("failing writer: %d, %v", n, err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 3, io.ErrShortWrite }

func TestDifferenceShowsAChangedKind(t *testing.T) {
	r, _ := withRecorder(t)
	v1 := mustApply(t, r, create(entry("app:x", "test.one", "n", 1)))
	var c registry.Changeset
	c.DeleteEntry(registry.ParseID("app:x"))
	c.CreateEntry(entry("app:x", "test.two", "n", 1))
	d, err := r.Diff(v1, mustApply(t, r, c))
	want := "v1 -> v2: 0 added, 1 changed, 0 removed\n~ app:x (test.two)\n    ~ kind: \"test.one\" -> \"test.two\"\n"
	if err != nil || d.String() != want {
		t.Errorf("%q, %v", d, err)
	}
}

// The entries of a difference are exactly those that differ, and its fields are what
// Field gives on both sides.
func TestDifferenceOfAnyTwoVersions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, err := registry.New(registry.WithLogger(quiet), registry.WithInternalKinds("**"))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		states := []model{{}}
		for range rapid.IntRange(1, 5).Draw(t, "versions") {
			now := states[len(states)-1]
			c := drawChange(t, now, 6)
			for i := range c {
				c[i].Entry.Meta = drawMeta(t)
				delete(c[i].Entry.Meta, "z.w") // the same path as w in z
			}
			if _, err := r.Apply(context.Background(), c); err != nil {
				t.Fatal(err)
			}
			states = append(states, modelOf(r.Snapshot()))
		}
		from := rapid.IntRange(0, len(states)-1).Draw(t, "from")
		to := rapid.IntRange(0, len(states)-1).Draw(t, "to")
		d, err := r.Diff(registry.Version{ID: uint64(from)}, registry.Version{ID: uint64(to)})
		if err != nil {
			t.Fatal(err)
		}
		want := differing(states[from], states[to])
		if len(d.Entries) != len(want) {
			t.Fatalf("%d entries, want %v", len(d.Entries), want)
		}
		for i, e := range d.Entries {
			if !want[e.ID] || i > 0 && d.Entries[i-1].ID.Compare(e.ID) >= 0 {
				t.Fatalf("entry %v", e.ID)
			}
			if len(e.Fields) == 0 {
				t.Fatalf("%v: no fields", e.ID)
			}
			for _, f := range e.Fields {
				old, was := field(e.Old, f.Path)
				next, is := field(e.New, f.Path)
				if was != (f.How != registry.Added) && f.How != registry.Added || is != (f.How != registry.Removed) && f.How != registry.Removed {
					t.Fatalf("%v %s is %s: %v, %v", e.ID, f.Path, f.How, was, is)
				}
				if f.How != registry.Added && !registry.EqualValues(old, f.Old) || f.How != registry.Removed && !registry.EqualValues(next, f.New) {
					t.Fatalf("%v %s: %v -> %v, want %v -> %v", e.ID, f.Path, f.Old, f.New, old, next)
				}
			}
		}
	})
}

func field(e *registry.Entry, path string) (any, bool) {
	if e == nil {
		return nil, false
	}
	return e.Field(path)
}
