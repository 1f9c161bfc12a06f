// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wippyrun/kit/registry"
)

func finderFixture(t testing.TB, opts ...registry.Option) *registry.Registry {
	t.Helper()
	r := newRegistry(t, append([]registry.Option{registry.WithInternalKinds("**")}, opts...)...)
	es := []registry.Entry{
		{ID: registry.ParseID("app:login"), Kind: "function.lua", Meta: map[string]any{"name": "user login", "type": "api", "tags": []any{"a", "b"}, "n": 1.0, "on": true}},
		{ID: registry.ParseID("app:logout"), Kind: "function.lua", Meta: map[string]any{"name": "logout", "type": []any{"api", "web"}, "tags": []any{"b"}, "n": "1"}},
		{ID: registry.ParseID("app.sub:worker"), Kind: "process.lua", Meta: map[string]any{"nested": map[string]any{"deep": "x"}, "flat.key": "y", "empty": nil}},
		{ID: registry.ParseID("sys:db"), Kind: "db.sql.sqlite"},
	}
	if err := r.LoadState(t.Context(), es); err != nil {
		t.Fatal(err)
	}
	return r
}

func found(es []registry.Entry) string {
	var out []string
	for _, e := range es {
		out = append(out, e.ID.Name)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestFind(t *testing.T) {
	r := finderFixture(t)
	type q = map[string]any
	for _, c := range []struct {
		query q
		want  string
	}{
		{nil, "db login logout worker"},
		{q{".kind": "function.*"}, "login logout"},
		{q{".kind": "*.lua"}, "login logout worker"},
		{q{".kind": "f*.lua"}, "login logout"},
		{q{".kind": "db.*"}, "db"}, // the star crosses dots
		{q{".kind": "function.lua", ".name": "log*t"}, "logout"},
		{q{".ns": "app"}, "login logout"},
		{q{".ns": "app*"}, "login logout worker"},
		{q{".namespace": "sys"}, "db"},
		{q{".id": "app:login"}, "login"},
		{q{".id": "app:*"}, "login logout"},
		{q{".id": "none:none"}, ""},
		{q{".name": 3}, "db login logout worker"},
		{q{".other": "x"}, "db login logout worker"},
		{q{"kind": "process.lua"}, "worker"},
		{q{"name": "db"}, "db"},
		{q{"namespace": "sys"}, "db"},
		{q{"ns": "sys", "id": "sys:db"}, "db"},
		{q{"type": "api"}, "login logout"},
		{q{"meta.type": "api"}, "login logout"}, // a list value matches by any element
		{q{"meta": q{"type": "web"}}, "logout"},
		{q{"meta": q{"meta.type": "web"}}, "logout"},
		{q{"meta": q{"~meta.name": "^l.*t$", ".kind": "function.*"}}, "logout"},
		{q{"meta": q{"^name": "us"}}, "db login logout worker"}, // ignored: no prefix
		{q{"meta": "x"}, ""},
		{q{".id": "app*:log*"}, "login logout"},
		{q{".id": "*:db"}, "db"},
		{q{".id": "app.:*"}, ""},
		{q{".name": "log*"}, "login logout"},
		{q{".ns": "*sub"}, "worker"},
		{q{"meta.tags": []any{"a", "b"}}, "login"},
		{q{"meta.tags": []string{"b"}}, "login logout"},
		{q{"meta.type": []any{"api"}}, "logout"}, // a scalar never matches a list
		{q{"meta.n": 1}, "login"},
		{q{"meta.n": "1"}, "logout"},
		{q{"meta.on": true}, "login"},
		{q{"meta.on": false}, ""},
		{q{"meta.none": nil}, ""},
		{q{"meta.empty": nil}, "worker"},
		{q{"meta.nested.deep": "x"}, "worker"},
		{q{"meta": q{"nested": q{"deep": "x"}}}, "worker"},
		{q{"meta.flat.key": "y"}, "worker"},
		{q{"~meta.name": "^l.*t$"}, "logout"},
		{q{"~meta.tags": "^a$"}, "login"},
		{q{"~meta.x": "["}, "db login logout worker"},
		{q{"*meta.name": "log"}, "login logout"},
		{q{"*meta.type": "we"}, "logout"},
		{q{"^meta.name": "us"}, "login"},
		{q{"$meta.name": "in"}, "login"},
		{q{"^meta.n": "1"}, "logout"},
		{q{"^name": "us"}, "db login logout worker"},
		{q{"^meta.name": 3}, "db login logout worker"},
		{q{"meta.type": "api", "~meta.name": "^logout$"}, "logout"},
		{q{"meta.f": func() {}}, "db login logout worker"},
	} {
		if got := found(r.Find(c.query)); got != c.want {
			t.Errorf("Find(%v) = %q, want %q", c.query, got, c.want)
		}
		if got := found(r.Snapshot().Select(registry.CompileQuery(c.query))); got != c.want {
			t.Errorf("Select(%v) = %q, want %q", c.query, got, c.want)
		}
	}
}

func TestFindWarnsAboutWhatItIgnores(t *testing.T) {
	var log bytes.Buffer
	r := finderFixture(t, registry.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	r.Find(map[string]any{"^name": "us", "~meta.x": "[", ".other": "x", "^meta.n": 1})
	for _, want := range []string{"metadata field must use 'meta.' prefix", "missing closing ]", `unknown field`, "the value must be a string"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("log %q does not contain %q", log.String(), want)
		}
	}
}

func TestFoundEntriesMayBeReordered(t *testing.T) {
	r := finderFixture(t)
	first := r.Find(nil)
	slices.Reverse(first)
	if got := r.Find(nil); got[0].ID.Name != "login" {
		t.Errorf("a cached result was changed: first is %v", got[0].ID)
	}
}

func TestManyMetadataFieldsAreSearchedWithoutAnIndex(t *testing.T) {
	r := finderFixture(t)
	for i := range 200 {
		r.Find(map[string]any{"meta." + strings.Repeat("x", i+1): 1})
	}
	if got := found(r.Find(map[string]any{"meta.on": true})); got != "login" {
		t.Errorf("found %q", got)
	}
}

// A query that comes again is not compiled again, so its warnings come once, however
// often the entries change.
func TestCompiledQueriesOutliveStates(t *testing.T) {
	var log bytes.Buffer
	r := finderFixture(t, registry.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	for i := range 3 {
		if got := len(r.Find(map[string]any{"~meta.x": "[", ".kind": "new"})); got != i {
			t.Errorf("found %d of %d", got, i)
		}
		mustApply(t, r, create(entry(fmt.Sprint("app:new", i), "new")))
	}
	if n := strings.Count(log.String(), "missing closing ]"); n != 1 {
		t.Errorf("warned %d times: %s", n, log.String())
	}
}

// Searches by many goroutines, of present and past states, by fields that are indexed on
// the way, find what a scan finds, while the entries change.
func TestConcurrentSearchesFindWhatAScanFinds(t *testing.T) {
	r := newRegistry(t, registry.WithInternalKinds("**"), registry.WithQueryCache(8, 8))
	e := func(i, n int) registry.Entry {
		e := entry(fmt.Sprintf("app.n%d:e%d", i%3, i), "k")
		e.Meta = map[string]any{"a": float64(n % 5), "b": fmt.Sprint("b", n%7), "c": []any{fmt.Sprint("c", n%3), "d"}}
		return e
	}
	for i := range 50 {
		mustApply(t, r, create(e(i, i)))
	}
	queries := []map[string]any{
		{"meta.a": 3}, {"^meta.b": "b"}, {"*meta.c": "c1"}, {"~meta.b": "[24]$"}, {".ns": "app.n1", "meta.c": []any{"d", "c2"}}, {".id": "app.n*:e1*"}, {".name": "e2*", "meta.b": "b3"},
	}
	done := make(chan struct{})
	var readers sync.WaitGroup
	for g := range 4 {
		readers.Go(func() {
			old := r.Snapshot()
			for i := g; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				s := r.Snapshot()
				if i%3 == 0 {
					s, old = old, s
				}
				q := queries[i%len(queries)]
				compiled := registry.CompileQuery(q)
				want := 0
				for e := range s.All() {
					if compiled.Match(e) {
						want++
					}
				}
				if got := len(s.Find(q)); got != want {
					t.Errorf("%v found %d of %d in %v", q, got, want, s.Version())
					return
				}
			}
		})
	}
	for n := range 100 {
		var c registry.Changeset
		c.UpdateEntry(e(n%50, n+1))
		mustApply(t, r, c)
	}
	close(done)
	readers.Wait()
}

func FuzzFind(f *testing.F) {
	r := finderFixture(f)
	var c registry.Changeset
	for i := range 100 { // values enough for every way to look for them
		e := entry(fmt.Sprintf("app.n%d:login%d", i%9, i), "function.lua")
		e.Meta = map[string]any{"name": fmt.Sprint("user ", i%40), "tags": []any{"a", fmt.Sprint("t", i%7), float64(i)}}
		c.CreateEntry(e)
	}
	mustApply(f, r, c)
	for _, k := range []string{".kind", ".id", ".name", ".ns", "~meta.name", "*meta.tags", "^meta.name", "$x", "meta.type", "name", "", ".", "~", "meta", "meta."} {
		for _, text := range []string{"log*", "app*:*", "*.lua", "us", "(?i)^U", "["} {
			f.Add(k, text, "app:login", false)
		}
		f.Add(k, "a", "^meta.name", true)
	}
	f.Fuzz(func(t *testing.T, key, text, other string, list bool) {
		q := map[string]any{key: text, "meta." + other: other}
		if list {
			q[key] = []any{text, 1, map[string]any{other: text}}
			q["meta"] = map[string]any{other: text}
		}
		compiled := registry.CompileQuery(q)
		var want []registry.ID
		for e := range r.Snapshot().All() {
			if compiled.Match(e) {
				want = append(want, e.ID)
			}
		}
		for range 2 { // the second is cached
			var got []registry.ID
			for _, e := range r.Find(q) {
				got = append(got, e.ID)
			}
			if !slices.Equal(got, want) {
				t.Errorf("Find(%q) found %v, scanning %v", q, got, want)
			}
		}
		delete(q, "meta."+other) // alone, the key decides how it is looked for
		if got, want := len(r.Find(q)), len(matching(modelOf(r.Snapshot()), registry.CompileQuery(q))); got != want {
			t.Errorf("Find(%q) found %d, scanning %d", q, got, want)
		}
	})
}
