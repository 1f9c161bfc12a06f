// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/wippyrun/kit/registry"
)

type m = map[string]any

func TestReferencesFollowTheRegisteredPatterns(t *testing.T) {
	x, err := registry.NewExtractor("data.custom.*.pre*suf", "meta.pre*")
	if err != nil {
		t.Fatal(err)
	}
	e := registry.Entry{
		ID: registry.ParseID("app:x"), Kind: "k",
		Meta: m{"parent": "p", "depends_on": []any{"d1", "d2", 3.0}, "prefixed": "mp", "other": "no", "db_env": "menv", "server": "srv"},
		Data: m{
			"imports": m{"a": "app:lib", "b": ":json"}, "func": m{"ns": "app", "name": "f"}, "driver": m{"name": "q"}, "host": "app:host", "lifecycle": m{"requires": []any{"r"}, "security": m{"policies": []any{"pol"}}},
			"anything": m{"depends_on": []any{"any"}}, "dsn_env": "denv", "tls": m{"cert_env": "tenv"},
			"contracts": []any{m{"contract": "c1", "methods": m{"m": "mf"}}},
			"custom":    []any{m{"preXsuf": "glob", "presuf": "glob2", "pre": "no", "suf": "no"}}, "method": "no",
		},
	}
	want := []string{":json", "any", "app:f", "app:host", "app:lib", "c1", "d1", "d2", "denv", "glob", "glob2", "menv", "mf", "mp", "p", "pol", "q", "r", "srv", "tenv"}
	if got := x.References(e); !slices.Equal(got, want) {
		t.Errorf("references %q\n     want %q", got, want)
	}
	for _, bad := range []string{"", "data", "other.x", "data..x", "data.a*b*c"} {
		if err := x.Add(bad); err == nil {
			t.Errorf("pattern %q was accepted", bad)
		}
	}
	n := len(x.Patterns())
	if err := x.Add("meta.parent"); err != nil || len(x.Patterns()) != n {
		t.Error("a pattern was registered twice")
	}
}

func TestDependenciesResolveNamesGroupsNamespacesAndVariables(t *testing.T) {
	r := newRegistry(t, registry.WithInternalKinds("**"))
	group := m{"groups": []any{"g"}}
	err := r.LoadState(t.Context(), []registry.Entry{
		{ID: registry.ParseID("app:x"), Kind: "k", Meta: m{"depends_on": []any{"y", "other:z", "group:g", "ns:lib", "nowhere", "x"}}, Data: m{
			"url": "http://${env:HOST}:${env:lib:port|80}/$${env:OUT}${SHORT|d}${env:open", "list": []any{"${env:HOST}"}}},
		{ID: registry.ParseID("app:y"), Kind: "k"}, {ID: registry.ParseID("other:z"), Kind: "k"},
		{ID: registry.ParseID("other:g1"), Kind: "k", Meta: group}, {ID: registry.ParseID("lib:a"), Kind: "k"},
		{ID: registry.ParseID("env:host"), Kind: "env.variable", Data: m{"variable": "HOST", "storage": "env:os"}},
		{ID: registry.ParseID("env:short"), Kind: "env.variable", Data: m{"variable": "SHORT"}},
		{ID: registry.ParseID("env:out"), Kind: "env.variable", Data: m{"variable": "OUT"}},
		{ID: registry.ParseID("env:os"), Kind: "env.storage.os"},
		{ID: registry.ParseID("lib:port"), Kind: "env.variable"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "[app:y env:host env:short lib:a lib:port other:g1 other:z]"
	if got := fmt.Sprint(r.Dependencies(registry.ParseID("app:x"))); got != want {
		t.Errorf("dependencies %s, want %s", got, want)
	}
	if got := r.Dependencies(registry.ParseID("no:thing")); got != nil {
		t.Errorf("dependencies of nothing: %v", got)
	}
}

func TestEntriesComeAfterTheVariablesTheirPlaceholdersName(t *testing.T) {
	r, rec := withRecorder(t)
	if err := r.Listen("env.*", rec); err != nil {
		t.Fatal(err)
	}
	if err := r.Listen("env.storage.*", rec); err != nil {
		t.Fatal(err)
	}
	mustApply(t, r, create(
		entry("a:user", "test.one", "dsn", "${env:DSN}"),
		entry("b:dsn", "env.variable", "variable", "DSN", "storage", "c:os"),
		entry("c:os", "env.storage.os"),
	))
	wantCalls(t, rec, "create c:os", "create b:dsn", "create a:user")
	mustApply(t, r, create(
		entry("a:other", "test.one", "dsn_env", "URL"),
		entry("b:url", "env.variable", "variable", "URL", "storage", "c:os"),
	))
	wantCalls(t, rec, "create b:url", "create a:other")
}

func TestBuildDeltaDeletesFirst(t *testing.T) {
	x, err := registry.NewExtractor()
	if err != nil {
		t.Fatal(err)
	}
	from := []registry.Entry{entry("a:gone", "k"), entry("a:user", "k", "func", "gone"), entry("a:same", "k"), entry("a:kind", "k")}
	to := []registry.Entry{entry("a:user", "k", "func", "new"), entry("a:new", "k"), entry("a:same", "k"), entry("a:kind", "k2")}
	want := "[entry.delete a:gone entry.delete a:kind entry.create a:kind entry.create a:new entry.update a:user]"
	if got := fmt.Sprint(registry.BuildDelta(from, to, x)); got != want {
		t.Errorf("delta %s\n want %s", got, want)
	}
	if got := registry.BuildDelta(from, from, nil); len(got) != 0 {
		t.Errorf("delta between equal states: %v", got)
	}
}

func TestReplacedDependencyKeepsItsUsers(t *testing.T) {
	r, rec := withRecorder(t)
	mustApply(t, r, create(entry("a:lib", "test.one"), entry("a:user", "test.one", "func", "lib")))
	rec.take()
	var c registry.Changeset
	c.UpdateEntry(entry("a:user", "test.one", "func", "lib", "n", 1))
	c.DeleteEntry(registry.ParseID("a:lib"))
	c.CreateEntry(entry("a:lib", "test.two"))
	mustApply(t, r, c)
	wantCalls(t, rec, "delete a:lib", "create a:lib", "update a:user")
}

func TestExtractorTellsItsSizeInLogs(t *testing.T) {
	x, err := registry.NewExtractor("data.uses")
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("Extractor(%d patterns)", len(registry.DefaultPatterns())+1); fmt.Sprint(x) != want {
		t.Errorf("got %v, want %s", x, want)
	}
}
