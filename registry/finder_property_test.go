// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/registry"
)

// naive is the definition of a search, written down without any cleverness: what every
// indexed search must find. Only queries that drawQuery makes are understood.
func naive(query map[string]any, e registry.Entry) bool {
	for key, want := range query {
		text, isText := want.(string)
		switch {
		case key == "meta":
			for k, v := range want.(map[string]any) {
				if !strings.Contains(k, "meta.") {
					k = "meta." + k
				}
				if !naive(map[string]any{k: v}, e) { // "x" and "meta.x" both count
					return false
				}
			}
		case strings.Contains("~*^$", key[:1]):
			re, err := regexp.Compile(operatorPattern(key[:1], text))
			if !strings.HasPrefix(key[1:], "meta.") || !isText || err != nil {
				continue // ignored
			}
			v, ok := naiveField(e.Meta, key[len("~meta."):])
			if !ok || !slices.ContainsFunc(items(v), func(x any) bool {
				s, ok := x.(string)
				return ok && re.MatchString(s)
			}) {
				return false
			}
		case naiveRoot(strings.TrimPrefix(key, "."), e) != "?":
			if !isText {
				continue // ignored
			}
			if text == e.ID.String() && strings.HasSuffix(key, "id") {
				continue
			}
			pattern := "(?s)^" + strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, ".*") + "$"
			if !regexp.MustCompile(pattern).MatchString(naiveRoot(strings.TrimPrefix(key, "."), e)) {
				return false
			}
		case key[0] == '.': // ignored
		default:
			v, ok := naiveField(e.Meta, strings.TrimPrefix(key, "meta."))
			_, isList := v.([]any)
			wants, many := want.([]any)
			if !many {
				wants = []any{want}
			}
			if !ok || many && !isList || !containsAll(items(v), wants) {
				return false
			}
		}
	}
	return true
}

func operatorPattern(op, text string) string {
	switch op {
	case "*":
		return regexp.QuoteMeta(text)
	case "^":
		return "^" + regexp.QuoteMeta(text)
	case "$":
		return regexp.QuoteMeta(text) + "$"
	}
	return text
}

func naiveRoot(field string, e registry.Entry) string {
	switch field {
	case "kind":
		return e.Kind
	case "name":
		return e.ID.Name
	case "ns", "namespace":
		return e.ID.Namespace
	case "id":
		return e.ID.Namespace + ":" + e.ID.Name
	}
	return "?"
}

func naiveField(meta map[string]any, field string) (any, bool) {
	if v, ok := meta[field]; ok {
		return v, true
	}
	head, rest, dotted := strings.Cut(field, ".")
	inner, isMap := meta[head].(map[string]any)
	if !dotted || !isMap {
		return nil, false
	}
	return naiveField(inner, rest)
}

// items makes one form of scalars and lists: both match by any item.
func items(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}

func containsAll(have, want []any) bool {
	for _, w := range want {
		if n, ok := w.(int); ok {
			w = float64(n)
		}
		if !slices.Contains(have, w) {
			return false
		}
	}
	return true
}

var scalars = []any{"a", "b", "ab", "abc", "x.y", "", 1.0, 2.0, true, false, nil}

func drawMeta(t *rapid.T) map[string]any {
	scalar := rapid.SampledFrom(scalars)
	m := map[string]any{}
	for _, f := range []string{"x", "y", "z.w"} {
		switch rapid.IntRange(0, 4).Draw(t, "field "+f) {
		case 0:
			m[f] = scalar.Draw(t, f)
		case 1:
			m[f] = rapid.SliceOfN(scalar, 0, 3).Draw(t, f)
		case 2:
			m["z"] = map[string]any{"w": scalar.Draw(t, f)}
		case 3:
			m[f] = fmt.Sprint("v", rapid.IntRange(0, 50).Draw(t, f)) // many values: few entries each
		}
	}
	return m
}

func drawFindable(t *rapid.T) registry.Entry {
	return registry.Entry{
		ID: registry.NewID(rapid.SampledFrom([]string{"app", "app.sub", "apple", "b", ""}).Draw(t, "ns"),
			rapid.SampledFrom([]string{"a", "b", "ab", "abc", "worker", "x:y"}).Draw(t, "name")+fmt.Sprint(rapid.IntRange(0, 9).Draw(t, "number"))),
		Kind: rapid.SampledFrom([]string{"test.one", "test.two", "function.lua", "k"}).Draw(t, "kind"),
		Meta: drawMeta(t),
	}
}

func drawQuery(t *rapid.T, depth int) map[string]any {
	q := map[string]any{}
	for range rapid.IntRange(0, 3).Draw(t, "criteria") {
		key := rapid.SampledFrom([]string{
			".kind", ".ns", ".name", ".id", "id", "kind", "name", "ns", "namespace", ".namespace", ".other",
			"meta.x", "meta.y", "y", "x", "meta.z.w", "z.w", "meta.none",
			"~meta.x", "~meta.z.w", "*meta.y", "*meta.x", "^meta.x", "^meta.y", "$meta.z.w", "$meta.x", "^x", "~y", "meta",
		}).Draw(t, "key")
		q[key] = rapid.SampledFrom([]any{
			"a", "b", "ab", "", "v", "v1", "x.y", "*", "a*", "*a", "a*b", "*b*", "**", "test.*", "*.lua", "test.one", "function.lua",
			"app", "app*", "app.*", "app:*", "app:a*", "app*:a1", "*:a1", ":*", "app:a1", ":a1", "b:x:y3", "app.s*:worker*",
			"^a", "a$", "a|b", "(?i)AB", ".", "^$", "^v[0-9]$", "[",
			1.0, 2, true, nil, []any{"a", 1.0}, []any{"b"}, []any{nil}, []any{},
		}).Draw(t, "value")
		if key == "meta" {
			if q[key] = drawQuery(t, depth-1); depth == 0 {
				delete(q, key)
				continue
			}
			for k := range q["meta"].(map[string]any) {
				if !strings.Contains(k, "meta.") && strings.ContainsAny(k[:1], ".~*^$") || k == "meta" {
					delete(q["meta"].(map[string]any), k) // means another thing inside
				}
			}
		}
	}
	return q
}

// change draws operations that turn the model into the next one.
func drawFindableChange(t *rapid.T, m model) registry.Changeset {
	var c registry.Changeset
	next := maps.Clone(m)
	touched := map[registry.ID]bool{}
	for range rapid.IntRange(1, 40).Draw(t, "ops") {
		e := drawFindable(t)
		if touched[e.ID] {
			continue
		}
		touched[e.ID] = true
		switch old, exists := next[e.ID]; {
		case !exists:
			c.CreateEntry(e)
			next[e.ID] = e
		case old.Kind != e.Kind:
			c.DeleteEntry(e.ID)
			delete(next, e.ID)
		default:
			c.UpdateEntry(e)
			next[e.ID] = e
		}
	}
	return c
}

// An indexed search finds what looking at every entry finds, in every state, in the
// order of IDs, with and without a cache.
func TestIndexedSearchEqualsScan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.SampledFrom([]int{0, 2, 1000}).Draw(t, "cache")
		r, err := registry.New(registry.WithLogger(quiet), registry.WithInternalKinds("**"), registry.WithQueryCache(size, size))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		type moment struct {
			s registry.Snapshot
			m model
		}
		var past []moment
		m := model{}
		for range rapid.IntRange(1, 6).Draw(t, "states") {
			c := drawFindableChange(t, m)
			if _, err := r.Apply(context.Background(), c); err != nil {
				t.Fatal(err)
			}
			m = m.apply(c)
			past = append(past, moment{r.Snapshot(), m})
			for range 4 {
				at := rapid.SampledFrom(past).Draw(t, "state")
				q := drawQuery(t, 1)
				var want []registry.ID
				for id, e := range at.m {
					if naive(q, e) {
						want = append(want, id)
					}
				}
				slices.SortFunc(want, registry.ID.Compare)
				compiled := registry.CompileQuery(q)
				for _, found := range [][]registry.Entry{at.s.Find(q), at.s.Find(q), at.s.Select(compiled), matching(at.m, compiled)} {
					var got []registry.ID
					for _, e := range found {
						got = append(got, e.ID)
					}
					if !slices.Equal(got, want) {
						t.Fatalf("%#v finds %v, want %v in %v", q, got, want, at.m)
					}
				}
			}
		}
	})
}

// matching is a search by Match.
func matching(m model, q *registry.Query) []registry.Entry {
	var out []registry.Entry
	for _, e := range m {
		if q.Match(e) {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b registry.Entry) int { return a.ID.Compare(b.ID) })
	return out
}
