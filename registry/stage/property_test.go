// SPDX-License-Identifier: Apache-2.0

package stage_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/stage"
)

func drawTree(t *rapid.T, depth int) any {
	switch n := rapid.IntRange(0, 5).Draw(t, "sort"); {
	case n < 2 && depth > 0:
		tree := m{}
		for range rapid.IntRange(0, 3).Draw(t, "fields") {
			tree[rapid.SampledFrom([]string{"a", "b", "c", "kind"}).Draw(t, "key")] = drawTree(t, depth-1)
		}
		return tree
	case n == 2:
		return []any{"x", 1.0}
	case n == 3:
		return nil
	default:
		return rapid.SampledFrom([]any{"x", "y", 1.0, true}).Draw(t, "scalar")
	}
}

// setNaively writes a value the way Set is described, changing the tree it is given.
func setNaively(tree m, path []string, v any, appending bool) (ok bool) {
	for _, key := range path[:len(path)-1] {
		next, isMap := tree[key].(m)
		if !isMap {
			next = m{}
			tree[key] = next
		}
		tree = next
	}
	last := path[len(path)-1]
	switch list, isList := tree[last].([]any); {
	case !appending:
		tree[last] = v
	case tree[last] == nil:
		tree[last] = []any{v}
	case !isList:
		return false
	case !slices.ContainsFunc(list, func(x any) bool { return fmt.Sprint(x) == fmt.Sprint(v) }):
		tree[last] = append(slices.Clone(list), v)
	}
	return true
}

// Setting and appending do what a change in place would do, and leave the entry they are
// given as it was.
func TestSetAndAppendAreChangesInACopy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := entry("a:x", "k", m{"a": drawTree(t, 2)}, m{"a": drawTree(t, 3), "b": drawTree(t, 2)})
		before := e.Clone()
		segs := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 4).Draw(t, "path")
		area := rapid.SampledFrom([]string{"", "data", "meta"}).Draw(t, "area")
		v := drawTree(t, 1)
		appending := rapid.Bool().Draw(t, "append")
		path := strings.Join(segs, ".")
		if area != "" {
			path = area + "." + path
		}
		if rapid.Bool().Draw(t, "dot") {
			path = "." + path
		}
		want := e.Clone()
		tree := want.Meta
		if area != "meta" {
			tree = want.Data.(m)
		}
		ok := setNaively(tree, segs, v, appending)
		change := stage.Set
		if appending {
			change = stage.Append
		}
		got, err := change(e, path, v)
		if ok != (err == nil) {
			t.Fatalf("%s: error %v", path, err)
		}
		if ok && !got.Equal(want) {
			t.Fatalf("%s: %v, want %v", path, got, want)
		}
		if !e.Equal(before) {
			t.Fatalf("%s changed the entry to %v, was %v", path, e, before)
		}
	})
}

// A pipeline runs the overrides twice: the second time must change nothing.
func TestOverridingTwiceIsOverridingOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		es := []registry.Entry{entry("a:x", "k", nil, m{"a": drawTree(t, 2)}), entry("a:y", "k", m{"a": drawTree(t, 1)}, nil)}
		values := m{}
		for range rapid.IntRange(0, 5).Draw(t, "overrides") {
			key := rapid.SampledFrom([]string{"a:x:", "a:y:"}).Draw(t, "entry") +
				rapid.SampledFrom([]string{"a", "a.b", "meta.a", "data.kind", ".c", "c+=", "meta.list+="}).Draw(t, "path")
			if values[key] = drawTree(t, 2); strings.HasSuffix(key, "+=") {
				values[key] = "x" // a map would be taken apart
			}
		}
		once, err := override(values).Apply(t.Context(), es)
		if err != nil {
			return // appended to what is no list
		}
		twice, err := override(values).Apply(t.Context(), once)
		if err != nil {
			t.Fatal(err)
		}
		for i := range once {
			if !once[i].Equal(twice[i]) {
				t.Fatalf("%v: %v, then %v", values, once[i], twice[i])
			}
		}
	})
}

// linkNaively says what Link must write, by looking at everything: the value of every
// requirement, in the order of the requirements, or nil for none.
func linkNaively(es []registry.Entry) map[registry.ID]any {
	out := map[registry.ID]any{}
	for _, r := range es {
		if r.Kind != stage.KindRequirement {
			continue
		}
		var own, inherited []any
		for _, d := range es {
			if d.Kind != stage.KindDependency {
				continue
			}
			component := d.Data.(m)["component"].(string)
			namespace := strings.ReplaceAll(component, "/", ".")
			belongs := r.ID.Namespace == namespace || r.MetaString("module") == component
			for _, p := range d.Data.(m)["parameters"].([]any) {
				name, value := p.(m)["name"].(string), p.(m)["value"]
				ns, last, qualified := strings.Cut(name, ":")
				meant := !qualified && belongs && name == r.ID.Name ||
					qualified && (name == r.ID.String() || ns == namespace && last == r.ID.Name && belongs)
				switch {
				case !meant || value == nil:
				case d.MetaString("module") == "":
					own = append(own, value)
				default:
					inherited = append(inherited, value)
				}
			}
		}
		values := own
		if len(values) == 0 {
			values = inherited
		}
		switch v, hasDefault := r.Data.(m)["default"]; {
		case len(values) > 0 && !slices.ContainsFunc(values, func(x any) bool { return x != values[0] }):
			out[r.ID] = values[0]
		case len(values) == 0 && hasDefault && v != nil:
			out[r.ID] = v
		}
	}
	return out
}

// Link writes the value that the definition gives every requirement, and nothing else.
func TestLinkWritesWhatTheDefinitionSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.SampledFrom([]any{"v1", "v2", 3.0, true, nil, ""})
		module := rapid.SampledFrom([]any{nil, "org/mod", "acme/my-tool", "x/y"})
		es := []registry.Entry{entry("t:target", "k", nil, m{})}
		for i := range rapid.IntRange(0, 6).Draw(t, "requirements") {
			ns := rapid.SampledFrom([]string{"org.mod", "acme.my-tool", "x.y", "app"}).Draw(t, "ns")
			name := rapid.SampledFrom([]string{"db", "addr"}).Draw(t, "name")
			r := requirement(ns+":"+name, m{}, m{"targets": targets("t:target", fmt.Sprintf("out.%s/%s", strings.ReplaceAll(ns, ".", "_"), name))})
			if slices.ContainsFunc(es, func(e registry.Entry) bool { return e.ID == r.ID }) {
				continue
			}
			if mod := module.Draw(t, "module"); mod != nil {
				r.Meta["module"] = mod
			}
			if rapid.Bool().Draw(t, "default") {
				r.Data.(m)["default"] = value.Draw(t, fmt.Sprint("default", i))
			}
			es = append(es, r)
		}
		for i := range rapid.IntRange(0, 5).Draw(t, "dependencies") {
			var params []any
			for range rapid.IntRange(0, 3).Draw(t, "parameters") {
				params = append(params, rapid.SampledFrom([]any{"db", "addr", "org.mod:db", "acme.my-tool:db", "x.y:addr", "app:db", "none"}).Draw(t, "parameter"), value.Draw(t, "value"))
			}
			d := dependency(fmt.Sprint("app:dep", i), rapid.SampledFrom([]string{"org/mod", "acme/my-tool", "x/y"}).Draw(t, "component"), m{}, params...)
			if mod := module.Draw(t, "of"); mod != nil {
				d.Meta["module"] = mod
			}
			es = append(es, d)
		}
		report := &stage.Report{}
		out, err := stage.Link(stage.LinkOptions{Lenient: true}).Apply(stage.WithReport(t.Context(), report), es)
		if err != nil {
			t.Fatal(err)
		}
		want, unresolved := m{}, 0
		values := linkNaively(es)
		for _, e := range es[1:] {
			if v, ok := values[e.ID]; ok {
				want[strings.ReplaceAll(e.ID.Namespace, ".", "_")+"/"+e.ID.Name] = v
			} else if e.Kind == stage.KindRequirement {
				unresolved++
			}
		}
		got, _ := out[0].Data.(m)["out"].(m)
		if !maps.Equal(got, want) && len(got)+len(want) > 0 {
			t.Fatalf("wrote %v, want %v for %v", got, want, es)
		}
		for _, w := range report.Warnings() {
			if strings.Contains(w.Message, "unresolved requirement") {
				unresolved--
			}
		}
		if unresolved != 0 {
			t.Fatalf("%d requirements more are unresolved than told: %v", unresolved, report.Warnings())
		}
	})
}
