// SPDX-License-Identifier: Apache-2.0

package source_test

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/source"
)

// FuzzYAML feeds any bytes as a YAML file: it must load or be reported with a place, what
// is loaded must be fit for a registry, and it must be what the decoder of the library
// makes of the file.
func FuzzYAML(f *testing.F) {
	for _, s := range []string{
		"namespace: app\nentries:\n  - name: x\n    kind: k\n    a: [1, two, {b: 3}]\n",
		"namespace: app\nname: x\nkind: k\ndata: {a: file://x.lua}\n",
		"namespace: app\nname: x\nkind: k\na: &a [*a]\nb: {<<: *a}\n",
		"namespace: app\nentries:\n  - name: x\n    kind: k\n    s: |\n      text\n     - {\n",
		"namespace: app\nname: x\nkind: k\nv: !!int foo\nw: !!float x\nb: !!binary '*'\nn: 0x_\n",
		"namespace: app\nname: x\nkind: k\n? [complex]\n: 1\n",
		"\xff\xfe", "%YAML 9.9\n---\n", "%YAML 1.2\n---\nnamespace: app\nname: x\nkind: k\n...\nmore\n",
		"namespace: app\nentries: [{<<: [{name: x}, {kind: k}]}]\n",
		"namespace: app\nx: &b {kind: k, p: 1, p: 2}\nmeta: {m: &n 1}\nentries: [{<<: *b, name: x, meta: {<<: {o: *n}}, q: *b}]\n",
		"namespace: app\nname: x\nkind: k\na: 'open\nb: [1\n", "namespace: app\nname: x\nkind: k\nt: 2024-01-02\ni: [0b1, 0o7, 07, 1_0, .5, 1e400, 18446744073709551616]\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		es := fuzzLoad(t, "a.yaml", text)
		var doc any
		if len(es) > 0 && yaml.Unmarshal([]byte(text), &doc) == nil && plainValues(doc) && !strings.Contains(text, "file://") {
			compare(t, es, doc)
		}
	})
}

// FuzzJSON does the same with JSON.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{
		`{"namespace":"app","entries":[{"name":"x","kind":"k","a":"\u00e9\ud83d\ude00"}]}`,
		`{"namespace":"app","name":"x","kind":"k","data":[1,-0.5e3,true,null,{"":""}]}`,
		`{"namespace":"app","name":"x","kind":"k","a":18446744073709551616,"b":1e400,"a":1}`,
		"\ufeff{\n\t\"namespace\": \"app\", \"meta\": {\"a\": 1}, \"entries\": [{\"name\": \"x\", \"kind\": \"k\", \"meta\": {\"b\": 2}}]\n}\n x",
		`{"namespace":"app","entries":[}`, `{"a":"` + "\xff", "", "3", `[[[`, `{"namespace":"app","name":"x","kind":"k","a":"file://x.lua"}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		es := fuzzLoad(t, "a.json", text)
		var doc any
		if len(es) > 0 && json.Unmarshal([]byte(strings.TrimPrefix(text, "\ufeff")), &doc) == nil && !strings.Contains(text, "file:") {
			compare(t, es, doc)
		}
	})
}

// fuzzLoad loads one file, strictly and leniently, and checks what holds for any file.
func fuzzLoad(t *testing.T, name, text string) []registry.Entry {
	files := tree(name, text, "x.lua", "return 1")
	if _, err := source.LoadFS(t.Context(), files, "src", source.Options{Lenient: true, Parallel: 1}); err != nil {
		t.Fatalf("lenient: %v", err)
	}
	es, err := source.LoadFS(t.Context(), files, "src", source.Options{Parallel: 1})
	var ps source.Problems
	if err != nil && !errors.As(err, &ps) {
		t.Fatalf("error %T %v", err, err)
	}
	lines := strings.Count(text, "\n") + strings.Count(text, "\r") + strings.Count(text, "\u0085") + strings.Count(text, "\u2028") + strings.Count(text, "\u2029") + 1
	utf16 := strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff")
	for _, p := range ps {
		if p.File != "src/"+name || p.Line < 1 || p.Col < 1 || p.Message == "" || (p.Line > lines && !utf16) {
			t.Errorf("problem in no place of %d lines: %+v", lines, p)
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
	return es
}

// plainValues reports whether the library decodes the value the way an entry holds it:
// not so times, and keys that are no strings.
func plainValues(v any) bool {
	switch v := v.(type) {
	case time.Time, map[any]any:
		return false
	case map[string]any:
		for _, x := range v {
			if !plainValues(x) {
				return false
			}
		}
	case []any:
		for _, x := range v {
			if !plainValues(x) {
				return false
			}
		}
	}
	return true
}

// compare checks entries against the decoded file, entry by entry.
func compare(t *testing.T, es []registry.Entry, decoded any) {
	n, err := registry.NormalizeValue(decoded)
	if err != nil {
		t.Fatalf("loaded what is not normal: %v", err)
	}
	doc := n.(map[string]any)
	above, _ := doc["meta"].(map[string]any)
	raw, _ := doc["entries"].([]any)
	without := []string{"name", "kind", "meta", "data"}
	if len(raw) == 0 {
		raw, above = []any{doc}, nil
		without = []string{"namespace", "name", "kind", "meta", "version", "requirements", "entries"}
	}
	if len(raw) != len(es) {
		t.Fatalf("%d entries, want %d", len(es), len(raw))
	}
	for i, x := range raw {
		fields := x.(map[string]any)
		meta := maps.Clone(above)
		if own, ok := fields["meta"].(map[string]any); ok {
			if meta == nil {
				meta = map[string]any{}
			}
			maps.Copy(meta, own)
		}
		data, inData := fields["data"]
		if !inData {
			data = fields
		}
		if m, ok := data.(map[string]any); ok && (!inData || len(without) > 4) {
			m = maps.Clone(m)
			for _, k := range without {
				delete(m, k)
			}
			data = m
		}
		if (len(meta) > 0 || len(es[i].Meta) > 0) && !registry.EqualValues(es[i].Meta, meta) {
			t.Errorf("meta %v, want %v", es[i].Meta, meta)
		}
		if !registry.EqualValues(es[i].Data, data) {
			t.Errorf("data %v, want %v", es[i].Data, data)
		}
		for key, got := range map[string]string{"name": es[i].ID.Name, "kind": es[i].Kind} {
			if want, ok := fields[key].(string); ok && want != got {
				t.Errorf("%s %q, want %q", key, got, want)
			}
		}
	}
}
