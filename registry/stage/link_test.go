// SPDX-License-Identifier: Apache-2.0

package stage_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/stage"
)

func requirement(id string, meta, data m) registry.Entry {
	return entry(id, stage.KindRequirement, meta, data)
}

func dependency(id, component string, meta m, params ...any) registry.Entry {
	list := []any{}
	for i := 0; i < len(params); i += 2 {
		list = append(list, m{"name": params[i], "value": params[i+1]})
	}
	return entry(id, stage.KindDependency, meta, m{"component": component, "version": "*", "parameters": list})
}

func targets(pairs ...string) []any {
	var out []any
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, m{"entry": pairs[i], "path": pairs[i+1]})
	}
	return out
}

func TestLink(t *testing.T) {
	lib := entry("org.mod:lib", "k", nil, m{"list": []any{"a"}, "text": "t"})
	for _, c := range []struct {
		name    string
		entries []registry.Entry
		meta    m
		data    m
	}{
		{"default", []registry.Entry{requirement("org.mod:db", nil, m{"default": "app:db", "targets": targets("lib", ".meta.db", "org.mod:lib", "data.x.y")})},
			m{"db": "app:db"}, m{"list": []any{"a"}, "text": "t", "x": m{"y": "app:db"}}},
		{"parameter over default", []registry.Entry{
			requirement("org.mod:db", nil, m{"default": "app:db", "targets": targets("lib", ".meta.db")}),
			dependency("app:dep", "org/mod", nil, "db", "app:other")}, m{"db": "app:other"}, nil},
		{"empty default", []registry.Entry{requirement("org.mod:db", nil, m{"default": "", "targets": targets("lib", "meta.db")})}, m{"db": ""}, nil},
		{"number", []registry.Entry{requirement("org.mod:n", nil, m{"default": 20.0, "targets": targets("lib", "meta.n")})}, m{"n": 20.0}, nil},
		{"by meta.module", []registry.Entry{
			requirement("org.mod:db", m{"module": "acme/tool"}, m{"targets": targets("lib", "meta.db")}),
			dependency("app:dep", "acme/tool", nil, "db", 1.0)}, m{"db": 1.0}, nil},
		{"qualified by id", []registry.Entry{
			requirement("org.mod:db", nil, m{"targets": targets("lib", "meta.db")}),
			dependency("app:dep", "some/thing", nil, "org.mod:db", 1.0)}, m{"db": 1.0}, nil},
		{"qualified by module namespace", []registry.Entry{
			requirement("org.mod:db", m{"module": "acme/my-tool"}, m{"targets": targets("lib", "meta.db")}),
			dependency("app:dep", "acme/my-tool", nil, "acme.my-tool:db", 1.0)}, m{"db": 1.0}, nil},
		{"equal values", []registry.Entry{
			requirement("org.mod:db", nil, m{"targets": targets("lib", "meta.db")}),
			dependency("app:d1", "org/mod", nil, "db", "v"), dependency("app:d2", "org/mod", nil, "db", "v")}, m{"db": "v"}, nil},
		{"the application wins", []registry.Entry{
			requirement("org.mod:db", nil, m{"targets": targets("lib", "meta.db")}),
			dependency("x:d1", "org/mod", m{"module": "x/y"}, "db", "theirs"), dependency("app:d2", "org/mod", nil, "db", "ours")}, m{"db": "ours"}, nil},
		{"append", []registry.Entry{requirement("org.mod:a", nil, m{"default": "b", "targets": targets("lib", ".list+=", "lib", "list +=", "lib", " .new+= ")})},
			nil, m{"list": []any{"a", "b"}, "text": "t", "new": []any{"b"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, warnings, err := run(t, append([]registry.Entry{lib}, c.entries...), stage.Link(stage.LinkOptions{}))
			if err != nil || len(warnings) > 0 {
				t.Fatal(err, warnings)
			}
			want := lib
			want.Meta = c.meta
			if c.data != nil {
				want.Data = c.data
			}
			if got := find(out, "org.mod:lib"); !got.Equal(want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
		})
	}
}

func TestLinkReportsEveryUnresolvedRequirement(t *testing.T) {
	es := []registry.Entry{
		entry("org.mod:lib", "k", nil, m{"text": "t"}),
		requirement("org.mod:none", nil, m{"targets": targets("lib", "meta.x")}),
		requirement("org.mod:two", nil, m{"targets": targets("lib", "meta.y")}),
		requirement("org.mod:untargeted", nil, m{"default": 1.0}),
		requirement("org.mod:missing", nil, m{"default": 1.0, "targets": targets("lbi", "meta.z")}),
		requirement("org.mod:append", nil, m{"default": 1.0, "targets": targets("lib", "text+=")}),
		dependency("app:d1", "org/mod", nil, "two", "v1"),
		dependency("app:d2", "org/mod", nil, "two", "v2", "tow", 3.0),
	}
	want := []string{
		"no value available: no dependency parameter found and no default value specified",
		"parameter conflict: multiple dependencies define different values: org.mod:two=v1 (from app:d1), org.mod:two=v2 (from app:d2)",
		"invalid requirement org.mod:untargeted: no targets defined in requirement definition",
		"no matching entries found",
		"cannot append to non-array at path: text",
	}
	_, _, err := run(t, es, stage.Link(stage.LinkOptions{}))
	wantError(t, err, "Internal", append(want, "unresolved requirements", `did you mean "org.mod:lib"`)...)
	var d interface{ Details() map[string]any }
	for e := err; e != nil; e = errors.Unwrap(e) {
		if x, ok := e.(interface{ Details() map[string]any }); ok && x.Details() != nil {
			d = x
		}
	}
	if d == nil || d.Details()["count"] != 5.0 {
		t.Errorf("details %v", d)
	}

	out, warnings, err := run(t, es, stage.Link(stage.LinkOptions{Lenient: true}))
	if err != nil || len(warnings) != 6 {
		t.Fatal(err, warnings)
	}
	for i, text := range want {
		if !strings.Contains(warnings[i].String(), text) || !strings.Contains(warnings[i].String(), "unresolved requirement") {
			t.Errorf("warning %q does not contain %q", warnings[i], text)
		}
	}
	if got, want := warnings[5].String(), `app:d2: parameter "tow" of org/mod matches no requirement (did you mean "two"?)`; got != want {
		t.Errorf("warning %q, want %q", got, want)
	}
	if e := find(out, "org.mod:lib"); e.Meta["y"] != nil {
		t.Error("a conflicting value was written")
	}
	_, _, err = run(t, es, stage.Link(stage.LinkOptions{StrictModules: []string{"other/module"}}))
	if err != nil {
		t.Error(err)
	}
}

func TestLinkRejectsMalformedDefinitionsInEveryMode(t *testing.T) {
	for _, opts := range []stage.LinkOptions{{}, {Lenient: true}} {
		_, _, err := run(t, []registry.Entry{
			requirement("a:r1", nil, m{"targets": 3.0}), requirement("a:r2", nil, m{"targets": []any{1.0}}),
			requirement("a:r3", nil, m{"targets": []any{m{"entry": 1.0, "path": 2.0}, 3.0}}), entry("a:r4", stage.KindRequirement, nil, "x"),
			dependency("a:d1", "nothing", nil), dependency("a:d2", "a/b/c", nil), dependency("a:d3", "a/b", nil, "", 1.0),
			entry("a:d4", stage.KindDependency, nil, m{"component": 3.0}), entry("a:d5", stage.KindDependency, nil, m{"component": "a/b", "parameters": "x"}),
		}, stage.Link(opts))
		wantError(t, err, "Internal", "failed to decode requirement a:r1: data.targets: must be a list",
			"failed to decode requirement a:r2: data.targets.0", "failed to decode requirement a:r3: data.targets.0.entry", "a:r3: data.targets.0.path: must be a string", "a:r3: data.targets.1: must be a map with entry and path", "failed to decode requirement a:r4",
			"invalid dependency component nothing", "invalid dependency component a/b/c", "failed to decode dependency a:d3", "failed to decode dependency a:d4", "failed to decode dependency a:d5")
	}
}

func TestLinkTellsWhereAndWhatToDo(t *testing.T) {
	const text = `namespace: org.mod
entries:
  - {name: lib, kind: k}
  - name: two
    kind: ns.requirement
    targets: [{entry: lib, path: meta.x}]
  - name: none
    kind: ns.requirement
    targets: [{entry: lib, path: meta.x}]
  - name: other
    kind: ns.requirement
    default: 1
    targets:
      - {entry: lib, path: meta.y}
      - {entry: lbi, path: meta.y}
  - name: dep1
    kind: ns.dependency
    component: org/mod
    parameters: [{name: two, value: 1}, {name: nnoe, value: 1}]
  - name: dep2
    kind: ns.dependency
    component: org/mod
    parameters: [{name: two, value: 2}]
  - name: alone
    kind: ns.requirement
    meta: {module: acme/tool}
    targets: [{entry: lib, path: ""}]
`
	es := parse(t, text)
	_, _, err := run(t, es, stage.Link(stage.LinkOptions{}))
	wantError(t, err, "Internal",
		"src/a.yaml:4:5: org.mod:two: parameter conflict: multiple dependencies define different values: org.mod:two=1 (from org.mod:dep1), org.mod:two=2 (from org.mod:dep2) (the values are at src/a.yaml:19:37, src/a.yaml:23:37)",
		`src/a.yaml:7:5: org.mod:none: no value available: no dependency parameter found and no default value specified (org.mod:dep1 passes "nnoe": did you mean "none"?)`,
		`src/a.yaml:15:17: org.mod:other: no matching entries found: org.mod:lbi (did you mean "org.mod:lib" or "org.mod:two"?)`,
		`src/a.yaml:24:5: org.mod:alone: no value available: no dependency parameter found and no default value specified (add a parameter "alone" to org.mod:dep1 or org.mod:dep2, or a default)`)
	_, _, err = run(t, []registry.Entry{requirement("org.mod:r", nil, m{})}, stage.Link(stage.LinkOptions{}))
	wantError(t, err, "NotFound", "(no dependency declares this component: add one with a parameter r, or a default)")
	_, _, err = run(t, append(es[:2:2], dependency("app:dep", "org/mod", nil)), stage.Link(stage.LinkOptions{}))
	wantError(t, err, "NotFound", `(add a parameter "two" to app:dep, or a default)`)
}

func TestLinkWarnsOfFieldsThatMeanNothing(t *testing.T) {
	es := parse(t, `namespace: app
entries:
  - {name: lib, kind: k}
  - name: r
    kind: ns.requirement
    defualt: 3
    default: 3
    targets: [{entry: lib, path: meta.x, pth: 1}]
  - name: d
    kind: ns.dependency
    component: a/b
    version: "*"
    params: []
  - name: me
    kind: ns.definition
    module: m
    color: red
    wiki: 3
`)
	_, warnings, err := run(t, es, stage.Link(stage.LinkOptions{}))
	if err != nil || len(warnings) == 0 {
		t.Fatalf("%d warnings, %v", len(warnings), err)
	}
	if w := warnings[0]; w.Stage != "link" || w.Position != "src/a.yaml:6:14" || w.Hint != `did you mean "default"?` {
		t.Errorf("first warning %+v", w)
	}
	wantWarnings(t, warnings,
		`src/a.yaml:6:14: app:r: unknown field data.defualt of requirement (did you mean "default"?)`,
		`src/a.yaml:8:47: app:r: unknown field data.targets.0.pth of requirement (did you mean "path"?)`,
		`src/a.yaml:13:13: app:d: unknown field data.params of dependency`,
		`src/a.yaml:17:12: app:me: unknown field data.color of definition`,
		`src/a.yaml:18:11: app:me: failed to decode definition app:me: data.wiki: must be a map of pages, got float64`)
}

// Placeholders are for those who read the entries.
func TestLinkPassesPlaceholdersOn(t *testing.T) {
	es := []registry.Entry{
		entry("org.mod:lib", "k", nil, nil), requirement("org.mod:addr", nil, m{"targets": targets("lib", "addr")}),
		dependency("app:dep", "org/mod", nil, "addr", "${env:ADDR|:8080}"),
	}
	out, _, err := run(t, es, stage.Link(stage.LinkOptions{}))
	if v, _ := out[0].Field("data.addr"); err != nil || v != "${env:ADDR|:8080}" {
		t.Errorf("%v, %v", v, err)
	}
}

// The targets before one that fails are written: a warning must not hide more than it says.
func TestLinkWritesTheTargetsBeforeOneThatFails(t *testing.T) {
	es := []registry.Entry{
		entry("a:lib", "k", nil, nil),
		requirement("a:r", nil, m{"default": 1.0, "targets": targets("lib", "x", "none", "y", "lib", "z")}),
	}
	out, warnings, err := run(t, es, stage.Link(stage.LinkOptions{Lenient: true}))
	if want := entry("a:lib", "k", nil, m{"x": 1.0}); err != nil || !out[0].Equal(want) || len(warnings) != 1 {
		t.Errorf("%v, %v, %v", out[0], warnings, err)
	}
}

func TestLinkOfStrictModules(t *testing.T) {
	es := []registry.Entry{requirement("a:r", m{"module": "org/one"}, m{}), requirement("b:r", m{"module": "org/two"}, m{})}
	_, warnings, err := run(t, es, stage.Link(stage.LinkOptions{StrictModules: []string{"org/one"}}))
	wantError(t, err, "NotFound", "a:r: no value available")
	if len(warnings) != 1 || warnings[0].ID.String() != "b:r" {
		t.Errorf("warnings %v", warnings)
	}
}

func TestFindDefinition(t *testing.T) {
	def := entry("org.mod:definition", stage.KindDefinition, nil, m{"readme": "R", "wiki": m{"a/b": "page"}})
	d, err := stage.FindDefinition([]registry.Entry{entry("a:x", "k", nil, nil), def})
	if err != nil || d.Module != "definition" || d.Readme != "R" || d.Wiki["a/b"] != "page" || !d.Entry.Equal(def) {
		t.Errorf("%+v, %v", d, err)
	}
	_, err = stage.FindDefinition(nil)
	wantError(t, err, "NotFound", "ns.definition entry is required for publishing")
	es := parse(t, "namespace: a\nentries:\n  - {name: one, kind: ns.definition}\n  - {name: two, kind: ns.definition, module: 3, wiki: {p: 1}}\n")
	_, err = stage.FindDefinition(es)
	wantError(t, err, "Invalid", "exactly one ns.definition entry required, found 2: a:one src/a.yaml:3:5, a:two src/a.yaml:4:5")
	_, err = stage.FindDefinition(es[1:])
	wantError(t, err, "", "src/a.yaml:4:46: a:two: failed to decode definition a:two: data.module: must be a string, got float64", "src/a.yaml:4:59: a:two: failed to decode definition a:two: data.wiki.p")
}
