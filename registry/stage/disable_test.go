// SPDX-License-Identifier: Apache-2.0

package stage_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/stage"
)

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
		{m{"meta": m{"n": m{"t": "x"}}}, "test:x test.a:x tests:x app:a app.sub:a"},
		{m{"meta.n.t": []any{"x"}}, "test:x test.a:x tests:x app:a app.sub:a"},
		{m{"meta": m{"n.t": "y", "env": []string{}}}, "test:x test.a:x tests:x app:a app:b app.sub:a"},
		{m{"meta": m{}}, "test:x test.a:x tests:x app:a app:b app.sub:a"},
		{m{}, "test:x test.a:x tests:x app:a app:b app.sub:a"},
	} {
		cfg, err := stage.ParseDisable(c.section)
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
	out, warnings, err := run(t, es, stage.Disable(stage.DisableConfig{
		Entries: []string{"app:gatewy", "x.*:y"}, Namespaces: []string{"ap", "z.**"}, Meta: map[string][]string{"env": {"dev"}}, Lenient: true,
		Position: func(key string) string { return ".wippy.yaml:" + key },
	}))
	if err != nil || len(out) != 1 {
		t.Errorf("lenient: %v, %v", out, err)
	}
	wantWarnings(t, warnings,
		`.wippy.yaml:namespaces: disable.namespaces: "ap" matches no entry (did you mean "app"?)`,
		`.wippy.yaml:namespaces: disable.namespaces: "z.**" matches no entry`,
		`.wippy.yaml:entries: disable.entries: "app:gatewy" matches no entry (did you mean "app:gateway"?)`,
		`.wippy.yaml:entries: disable.entries: "x.*:y" matches no entry`,
		`.wippy.yaml:meta.env: disable.meta.env: "dev" matches no entry`)
	_, err = stage.ParseDisable(m{"entires": 1, "entries": 3, "namespaces": []any{1}, "meta": "x", "meta.a": m{"b": 1}})
	wantError(t, err, "", `disable.entires: unknown field (did you mean "entries"?)`, "disable.entries: must be a string or a list", "disable.namespaces", "disable.meta: must be a map", "disable.meta.a.b")
}

func TestMatcherTellsWhatDisableWouldRemove(t *testing.T) {
	match, err := stage.DisableConfig{Entries: []string{"app:old_*", "app.*:x"}, Meta: map[string][]string{"stage": {"dev"}}}.Matcher()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		e    registry.Entry
		want bool
	}{
		{entry("app.a:x", "k", nil, nil), true},
		{entry("app.a:y", "k", nil, nil), false},
		{entry("app:y", "k", m{"stage": "dev"}, nil), true},
		{entry("app:y", "k", m{"stage": "prod"}, nil), false},
	} {
		if got := match(c.e); got != c.want {
			t.Errorf("%v %v: %v", c.e.ID, c.e.Meta, got)
		}
	}
	_, err = stage.DisableConfig{Entries: []string{"app", ":x"}}.Matcher()
	if err == nil || !strings.Contains(err.Error(), "missing ':' separator") || !strings.Contains(err.Error(), "empty namespace") {
		t.Errorf("malformed patterns: %v", err)
	}
}
