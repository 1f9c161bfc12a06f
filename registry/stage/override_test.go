// SPDX-License-Identifier: Apache-2.0

package stage_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/stage"
)

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
	_, _, err = run(t, es, stage.Override(m{"app:gatewya:x": 1}, stage.OverrideOptions{Position: func(string) string { return ".wippy.yaml:1:1" }}))
	if e, ok := errors.AsType[*stage.KeyError](err); !ok || e.Key != "app:gatewya:x" || e.Position != ".wippy.yaml:1:1" ||
		e.Hint != `did you mean "app:gateway"?` || e.Err.Error() != "no entry found for app:gatewya" || !errors.Is(e, e.Unwrap()) {
		t.Errorf("the error of one key is %+v", e)
	}
	lenient := stage.Override(m{"app:none:x": 1}, stage.OverrideOptions{Lenient: true})
	_, warnings, err := run(t, es, lenient, lenient)
	if err != nil {
		t.Error(err)
	}
	wantWarnings(t, warnings, "app:none: override ignored: no entry found for app:none")
}

func TestOverrideOfADisabledEntryIsAWarning(t *testing.T) {
	es := []registry.Entry{entry("app:a", "k", nil, m{"x": 1.0}), entry("app:b", "k", nil, nil)}
	o := override(m{"app:a:x": 2})
	out, warnings, err := run(t, es, o, stage.Disable(stage.DisableConfig{Entries: []string{"app:a"}}), stage.Link(stage.LinkOptions{}), o)
	if err != nil || names(out) != "app:b" {
		t.Errorf("%s, %v", names(out), err)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0].String(), "override app:a:x ignored: the entry was removed by disable") || warnings[0].Stage != "override" {
		t.Errorf("warnings %v", warnings)
	}
}

func TestOverrideAppendsToLists(t *testing.T) {
	es := []registry.Entry{entry("app:gw", "k", nil, m{"list": []any{"a"}, "text": "t"})}
	o := override(m{"app:gw:list+=": "b", "app:gw:.meta.tags +=": 1})
	out, _, err := run(t, es, o, o)
	if want := entry("app:gw", "k", m{"tags": []any{1.0}}, m{"list": []any{"a", "b"}, "text": "t"}); err != nil || !out[0].Equal(want) {
		t.Errorf("%v, %v", out, err)
	}
	_, _, err = run(t, es, override(m{"app:gw:text+=": "b"}))
	wantError(t, err, "Invalid", "cannot append to non-array at path: text")
}

// Which of two values for one field counts does not depend on the order of a map.
func TestOverrideOfAFieldGivenTwiceTakesTheLongerKey(t *testing.T) {
	for range 20 {
		out, _, err := run(t, []registry.Entry{entry("app:gw", "k", nil, nil)},
			override(m{"app:gw:tls": m{"cert": "map", "key": "map"}, "app:gw:tls.cert": "leaf"}))
		if want := entry("app:gw", "k", nil, m{"tls": m{"cert": "leaf", "key": "map"}}); err != nil || !out[0].Equal(want) {
			t.Fatalf("%v, %v", out, err)
		}
	}
}

// Whoever misspells a hundred names gets an answer all the same, and soon.
func TestHintsAreGivenForTheFirstMistakes(t *testing.T) {
	values := m{}
	for i := range 100 {
		values[fmt.Sprintf("app:gwy%d:x", i)] = 1
	}
	_, _, err := run(t, []registry.Entry{entry("app:gwyx", "k", nil, nil)}, override(values))
	wantError(t, err, "NotFound")
	if reported, hints := strings.Count(err.Error(), "no entry found"), strings.Count(err.Error(), "did you mean"); reported != 100 || hints != 20 {
		t.Errorf("%d mistakes reported, %d hints", reported, hints)
	}
}

// Two entries made from one by appending have nothing to do with each other.
func TestAppendLeavesTheListOfOthersAlone(t *testing.T) {
	list := append(make([]any, 0, 8), "a")
	e := entry("app:x", "k", nil, m{"list": list})
	b, err1 := stage.Append(e, "list", "b")
	c, err2 := stage.Append(e, "list", "c")
	if v, _ := b.Field("data.list.1"); v != "b" || err1 != nil || err2 != nil {
		t.Errorf("%v and %v, %v, %v", b, c, err1, err2)
	}
}
