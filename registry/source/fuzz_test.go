// SPDX-License-Identifier: Apache-2.0

package source_test

import (
	"errors"
	"testing"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/source"
)

// FuzzLoad feeds any bytes as a file: it must load or be reported with a position, and
// what is loaded must be fit for a registry.
func FuzzLoad(f *testing.F) {
	for _, s := range []string{
		"namespace: app\nentries:\n  - name: x\n    kind: k\n    a: [1, two, {b: 3}]\n",
		"namespace: app\nname: x\nkind: k\ndata: {a: file://x.lua}\n",
		"namespace: app\nname: x\nkind: k\na: &a [*a]\nb: {<<: *a}\n",
		"namespace: app\nentries:\n  - name: x\n    kind: k\n    s: |\n      text\n     - {\n",
		`{"namespace":"app","entries":[{"name":"x","kind":"k","a":"\u00e9"}]}`,
		"namespace: app\nname: x\nkind: k\nv: !!int foo\nw: !!float x\nb: !!binary '*'\nn: 0x_\n",
		"namespace: app\nname: x\nkind: k\n? [complex]\n: 1\n",
		"\xff\xfe", "%YAML 9.9\n---\n", "namespace: app\nentries: [{<<: [{name: x}, {kind: k}]}]\n",
	} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, text string, yaml bool) {
		name := "a.json"
		if yaml {
			name = "a.yaml"
		}
		for _, lenient := range []bool{false, true} {
			es, err := source.LoadFS(t.Context(), tree(name, text, "x.lua", "return 1"), "src", source.Options{Lenient: lenient, Parallel: 1})
			var ps source.Problems
			switch {
			case err != nil && lenient:
				t.Fatalf("lenient: %v", err)
			case err != nil && !errors.As(err, &ps):
				t.Fatalf("error %T %v", err, err)
			}
			for _, p := range ps {
				if p.File != "src/"+name || p.Line < 1 || p.Message == "" {
					t.Errorf("problem without a place: %+v", p)
				}
			}
			for _, e := range es {
				n, err := registry.NormalizeValue(e.Data)
				if err != nil || !registry.EqualValues(n, e.Data) {
					t.Errorf("data %v is not normal: %v", e.Data, err)
				}
				if e.ID.Name == "" || e.Kind == "" || e.Position("") == "" || e.Position("data.a.b.0") == "" {
					t.Errorf("entry %+v", e)
				}
			}
		}
	})
}
