// SPDX-License-Identifier: Apache-2.0

package stage_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/stage"
)

type m = map[string]any

func entry(id, kind string, meta m, data any) registry.Entry {
	return registry.Entry{ID: registry.ParseID(id), Kind: kind, Meta: meta, Data: data}
}

func find(es []registry.Entry, id string) registry.Entry {
	for _, e := range es {
		if e.ID.String() == id {
			return e
		}
	}
	return registry.Entry{}
}

func names(es []registry.Entry) string {
	var out []string
	for _, e := range es {
		out = append(out, e.ID.String())
	}
	return strings.Join(out, " ")
}

func run(t *testing.T, es []registry.Entry, stages ...stage.Stage) ([]registry.Entry, []stage.Warning, error) {
	t.Helper()
	r := &stage.Report{}
	before := make([]registry.Entry, len(es))
	for i, e := range es {
		before[i] = e.Clone()
	}
	out, err := stage.NewPipeline(stages...).Run(stage.WithReport(t.Context(), r), es)
	for i := range es {
		if !es[i].Equal(before[i]) {
			t.Errorf("a stage modified its input %v", es[i].ID)
		}
	}
	return out, r.Warnings(), err
}

func wantError(t *testing.T, err error, kind string, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", texts)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q does not contain %q", err, text)
		}
	}
	found := false
	for e := err; e != nil && !found; e = errors.Unwrap(e) {
		if k, ok := e.(interface{ Kind() string }); ok {
			found = k.Kind() == kind
		}
	}
	if kind != "" && !found {
		t.Errorf("no error of kind %s in the chain of %v", kind, err)
	}
}

func override(values m) stage.Stage { return stage.Override(values, stage.OverrideOptions{}) }

func TestOverride(t *testing.T) {
	es := []registry.Entry{
		entry("app:gw", "http.service", m{"a": "x"}, m{"addr": ":80", "tls": m{"on": true}}),
		entry("app:db", "db.sql.postgres", nil, nil),
	}
	out, _, err := run(t, es, override(m{
		"app:gw:addr":           ":9090",
		"app:gw:.data.tls.cert": "c",
		"app:gw:meta.a":         "y",
		"app:gw:addr2.x":        m{"y": m{"z": 1}},
		"app:gw:data.kind":      "payload",
		"app:db:port":           5432,
		"app:db:kind":           "db.sql.sqlite",
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := []registry.Entry{
		entry("app:gw", "http.service", m{"a": "y"}, m{"addr": ":9090", "tls": m{"on": true, "cert": "c"}, "addr2": m{"x": m{"y": m{"z": 1.0}}}, "kind": "payload"}),
		entry("app:db", "db.sql.sqlite", nil, m{"port": 5432.0}),
	}
	for i := range want {
		if !out[i].Equal(want[i]) {
			t.Errorf("got  %v\nwant %v", out[i], want[i])
		}
	}
}

func TestOverrideReportsEveryBadKey(t *testing.T) {
	es := []registry.Entry{entry("app:gateway", "k", nil, nil)}
	_, _, err := run(t, es, stage.Override(m{
		"": 1, "app": 1, ":x:y": 1, "app:": 1, "app::p": 1, "app:db": 1, "app:gatewya:x": 1,
		"app:gateway:kind": 3, "app:gateway:data": 1, "app:gateway:meta": 1, "app:gateway:a..b": 1,
	}, stage.OverrideOptions{Position: func(key string) string { return ".wippy.yaml:1:1" }}))
	wantError(t, err, "Internal", "failed to execute pipeline: stage 'override' failed: override errors",
		"invalid key : empty key",
		"invalid key app: missing first ':' separator (expected namespace:entry:path)",
		"invalid key :x:y: empty namespace",
		"invalid key app:: missing entry name and path",
		"invalid key app::p: empty entry name",
		"invalid key app:db: empty path",
		`.wippy.yaml:1:1: app:gatewya:x: no entry found for app:gatewya (did you mean "app:gateway"?)`,
		"kind override must be a string, got float64",
		"cannot replace entire data field", "cannot replace entire meta field", "empty segment")
	_, _, err = run(t, es, override(m{"app:none:x": 1}))
	wantError(t, err, "NotFound", "no entry found for app:none")
	_, warnings, err := run(t, es, stage.Override(m{"app:none:x": 1}, stage.OverrideOptions{Lenient: true}))
	if err != nil || len(warnings) != 1 {
		t.Errorf("lenient: %v, %v", warnings, err)
	}
}

func TestOverrideOfADisabledEntryIsAWarning(t *testing.T) {
	es := []registry.Entry{entry("app:a", "k", nil, m{"x": 1.0}), entry("app:b", "k", nil, nil)}
	o := override(m{"app:a:x": 2})
	out, warnings, err := run(t, es, o, stage.Disable(stage.DisableConfig{Entries: []string{"app:a"}}), stage.Link(stage.LinkOptions{}), o)
	if err != nil || names(out) != "app:b" {
		t.Errorf("%s, %v", names(out), err)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0].String(), "override app:a:x ignored: the entry was removed by disable") {
		t.Errorf("warnings %v", warnings)
	}
}

func TestDisable(t *testing.T) {
	es := []registry.Entry{
		entry("test:x", "k", nil, nil), entry("test.a:x", "k", nil, nil), entry("tests:x", "k", nil, nil),
		entry("app:a", "k", m{"env": "dev"}, nil), entry("app:b", "k", m{"env": "prod", "n": m{"t": "x"}}, nil), entry("app.sub:a", "k", nil, nil),
	}
	for _, c := range []struct {
		section m
		want    string
	}{
		{m{"namespaces": []any{"test.**"}}, "tests:x app:a app:b app.sub:a"},
		{m{"namespaces": "(test|tests)"}, "test.a:x app:a app:b app.sub:a"},
		{m{"entries": []any{"app:a", "**:b"}}, "test:x test.a:x tests:x app:b app.sub:a"},
		{m{"entries": []any{"app.**:a"}}, "test:x test.a:x tests:x app:b"},
		{m{"meta": m{"env": []any{"dev", "stage"}}}, "test:x test.a:x tests:x app:b app.sub:a"},
		{m{"meta.env": "prod"}, "test:x test.a:x tests:x app:a app.sub:a"},
		{m{"meta": m{"n": m{"t": "x"}}}, ""},
		{m{}, "test:x test.a:x tests:x app:a app:b app.sub:a"},
	} {
		cfg, err := stage.ParseDisable(c.section)
		if c.want == "" {
			wantError(t, err, "", "disable.meta.n")
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		cfg.Entries = slices.DeleteFunc(cfg.Entries, func(p string) bool { return p == "**:b" })
		out, _, err := run(t, es, stage.Disable(cfg))
		if err != nil || names(out) != c.want {
			t.Errorf("%v: %s, %v", c.section, names(out), err)
		}
	}
}

func TestDisableReportsWhatIsWrong(t *testing.T) {
	es := []registry.Entry{entry("app:gateway", "k", nil, nil)}
	_, _, err := run(t, es, stage.Disable(stage.DisableConfig{Entries: []string{"app", ":x", "app:", "app:gatewya"}}))
	wantError(t, err, "Internal",
		"invalid entry pattern 'app': missing ':' separator (expected namespace:name)",
		"invalid entry pattern ':x': empty namespace", "invalid entry pattern 'app:': empty name",
		`no entry found for app:gatewya (did you mean "app:gateway"?)`)
	out, warnings, err := run(t, es, stage.Disable(stage.DisableConfig{Entries: []string{"app:none", "x.*:y"}, Namespaces: []string{"z"}, Lenient: true}))
	if err != nil || len(out) != 1 || len(warnings) != 3 {
		t.Errorf("lenient: %v, %v, %v", out, warnings, err)
	}
	_, err = stage.ParseDisable(m{"entires": 1, "entries": 3, "namespaces": []any{1}, "meta": "x"})
	wantError(t, err, "", `disable.entires: unknown field (did you mean "entries"?)`, "disable.entries: must be a string or a list", "disable.namespaces", "disable.meta")
}

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
	if !strings.Contains(warnings[5].String(), `parameter "tow" of org/mod matches no requirement`) {
		t.Errorf("warning %q", warnings[5])
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
			requirement("a:r3", nil, m{"targets": []any{m{"entry": 1.0}}}), entry("a:r4", stage.KindRequirement, nil, "x"),
			dependency("a:d1", "nothing", nil), dependency("a:d2", "a/b/c", nil), dependency("a:d3", "a/b", nil, "", 1.0),
			entry("a:d4", stage.KindDependency, nil, m{"component": 3.0}), entry("a:d5", stage.KindDependency, nil, m{"component": "a/b", "parameters": "x"}),
		}, stage.Link(opts))
		wantError(t, err, "Internal", "failed to decode requirement a:r1: data.targets: must be a list",
			"failed to decode requirement a:r2: data.targets.0", "failed to decode requirement a:r3: data.targets.0.entry", "failed to decode requirement a:r4",
			"invalid dependency component nothing", "invalid dependency component a/b/c", "failed to decode dependency a:d3", "failed to decode dependency a:d4", "failed to decode dependency a:d5")
	}
}

func TestPipelineNamesTheFailingStage(t *testing.T) {
	p := stage.NewPipeline(override(nil), stage.Disable(stage.DisableConfig{}), stage.Link(stage.LinkOptions{}))
	if got := strings.Join(p.Stages(), " "); got != "override disable link" {
		t.Errorf("stages %s", got)
	}
}
