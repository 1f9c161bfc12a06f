// SPDX-License-Identifier: Apache-2.0

package source_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wippyrun/kit/registry"
)

func TestOriginMapsFieldsAndText(t *testing.T) {
	es := mustLoad(t,
		"app/a.yaml", `namespace: app
meta:
  owner: me
entries:
  - name: x
    kind: k
    meta:
      tags: [a, b]
    method: main
    source: file://x.lua
    inline: |
      local a = 1
      return a
    pool:
      size: 3
      "a.b": {c: 1}
  - name: y
    kind: k
    data:
      script: |-

          first
`,
		"app/x.lua", "return 1")
	x, y := es[0], es[1]
	for path, want := range map[string]string{
		"":                "src/app/a.yaml:5:5",
		"name":            "src/app/a.yaml:5:11",
		"kind":            "src/app/a.yaml:6:11",
		"meta":            "src/app/a.yaml:8:7",
		"meta.owner":      "src/app/a.yaml:3:10",
		"meta.tags.1":     "src/app/a.yaml:8:17",
		"data.method":     "src/app/a.yaml:9:13",
		"data.source":     "src/app/a.yaml:10:13",
		"data.pool.size":  "src/app/a.yaml:15:13",
		"data.pool.a.b.c": "src/app/a.yaml:16:18",
		"data.pool.none":  "src/app/a.yaml:15:7",
		"data.none":       "src/app/a.yaml:5:5",
		"nothing":         "src/app/a.yaml:5:5",
	} {
		if got := x.Position(path); got != want {
			t.Errorf("Position(%q) = %s, want %s", path, got, want)
		}
	}
	if got := x.SourceFile("data.source"); got != "src/app/x.lua" {
		t.Errorf("SourceFile(data.source) = %q", got)
	}
	if got := x.SourceFile("data.inline"); got != "" {
		t.Errorf("SourceFile(data.inline) = %q", got)
	}
	for _, c := range []struct {
		e         registry.Entry
		path      string
		line, col int
		want      string
	}{
		{x, "data.source", 3, 7, "src/app/x.lua:3:7"},
		{x, "data.inline", 2, 8, "src/app/a.yaml:13:14"},
		{x, "data.inline", 1, 0, "src/app/a.yaml:12"},
		{y, "data.script", 2, 1, "src/app/a.yaml:22:11"},
		{x, "data.method", 1, 3, "src/app/a.yaml:9:15"},
		{x, "data.none", 1, 1, "src/app/a.yaml:5:5"},
		{registry.Entry{}, "data.x", 1, 1, ""},
	} {
		if got := c.e.Locate(c.path, c.line, c.col); got != c.want {
			t.Errorf("Locate(%s, %d, %d) = %s, want %s", c.path, c.line, c.col, got, c.want)
		}
	}
}

func TestOriginOfMergedAndInheritedFields(t *testing.T) {
	es := mustLoad(t, "a.yaml", `namespace: app
meta: &m
  a: 1
  b: {c: 2}
x-base: &base
  kind: k
  p: {q: 1}
entries:
  - <<: *base
    name: x
    meta: {<<: *m, a: 2}
  - <<: *base
    name: y
    meta: {d: 1}
`)
	for i, want := range map[int]map[string]string{
		0: {"kind": "a.yaml:6:9", "data.p.q": "a.yaml:7:10", "meta.a": "a.yaml:11:23", "meta.b.c": "a.yaml:4:10"},
		1: {"kind": "a.yaml:6:9", "meta.d": "a.yaml:14:15", "meta.a": "a.yaml:3:6", "meta.b.c": "a.yaml:4:10"},
	} {
		for path, place := range want {
			if got := es[i].Position(path); got != "src/"+place {
				t.Errorf("%v: Position(%q) = %s, want src/%s", es[i].ID, path, got, place)
			}
		}
	}
}

// Metadata of a file times its entries must not fill the memory with places.
func TestPlacesOfInheritedFieldsAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("namespace: app\nmeta:\n")
	for i := range 1500 {
		fmt.Fprintf(&b, "  f%d: 1\n", i)
	}
	b.WriteString("entries:\n")
	for i := range 1500 {
		fmt.Fprintf(&b, "  - {name: e%d, kind: k}\n", i)
	}
	es := mustLoad(t, "a.yaml", b.String())
	for i, want := range map[int]string{0: "src/a.yaml:10:7", 1499: "src/a.yaml:3003:5"} {
		if v, _ := es[i].Field("meta.f7"); v != 1.0 || es[i].Position("meta.f7") != want {
			t.Errorf("%v: %v at %s, want %s", es[i].ID, v, es[i].Position("meta.f7"), want)
		}
	}
}
