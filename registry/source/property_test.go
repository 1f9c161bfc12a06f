// SPDX-License-Identifier: Apache-2.0

package source_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/source"
)

// texts are strings that a careless printer or parser would take for something else.
var texts = []string{
	"", " ", "a", "ab c", " lead", "trail ", "a: b", "- a", "# a", "a #b", "yes", "no", "on", "null", "~", "Null", "true", "True",
	"1", "1.0", "0600", "0x1F", "1e3", ".inf", "-.INF", ".nan", "1_000", "2024-01-02", "2024-01-02T03:04:05Z", "18:30", "<<", "=",
	"[a]", "{a: b}", "*a", "&a", "!a", "!!int 3", "|", ">", "%a", "@a", "`a`", "'", "''", "\"", "\\", "\\n", ", ", "? a", "...", "---",
	"a\nb", "a\n", "\na", "a\n\n", "  a\n b\n", "a\n  b", "\ta", "a\tb", "é", "日本語", "😀", "\u2028", "\u00a0", "\ufeff", "\x7f", "\u0085",
	"file:/x", "file:", "xfile://y", "a\r\nb", "\r", "namespace", "name", "kind", "data", "meta", "entries", "version",
}

func drawText() *rapid.Generator[string] {
	return rapid.OneOf(rapid.SampledFrom(texts), rapid.StringMatching(`[a-z:#\-\[\]{}'", |>&*!?\n]{0,12}`))
}

func drawValue(depth int) *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		top := 6
		if depth == 0 {
			top = 4
		}
		switch rapid.IntRange(0, top).Draw(t, "sort") {
		case 0:
			return nil
		case 1:
			return rapid.Bool().Draw(t, "bool")
		case 2:
			return rapid.SampledFrom([]float64{0, 1, -1, 384, 0.5, -1e-9, 1e21, 1 << 53, -(1 << 53), 1.5e300}).Draw(t, "number")
		case 5:
			list := []any{}
			for range rapid.IntRange(0, 3).Draw(t, "items") {
				list = append(list, drawValue(depth-1).Draw(t, "item"))
			}
			return list
		case 6:
			return drawMap(depth-1, nil).Draw(t, "map")
		default:
			return drawText().Draw(t, "text")
		}
	})
}

func drawMap(depth int, without []string) *rapid.Generator[map[string]any] {
	return rapid.Custom(func(t *rapid.T) map[string]any {
		m := map[string]any{}
		for range rapid.IntRange(0, 4).Draw(t, "fields") {
			if k := drawText().Draw(t, "key"); !slices.Contains(without, k) {
				m[k] = drawValue(depth).Draw(t, "value")
			}
		}
		return m
	})
}

// printed is a file and the entries that must come out of it.
type printed struct {
	name    string
	text    []byte
	entries []registry.Entry
}

func drawFile(t *rapid.T, index int) printed {
	ns := fmt.Sprintf("app.n%d", index)
	doc := map[string]any{"namespace": ns}
	if rapid.Bool().Draw(t, "version") {
		doc["version"] = "1.0"
	}
	meta := map[string]any{}
	if rapid.Bool().Draw(t, "file meta") {
		meta = drawMap(1, nil).Draw(t, "meta")
		doc["meta"] = meta
	}
	p := printed{name: fmt.Sprintf("d%d/f%d", index%2, index)}
	if rapid.IntRange(0, 3).Draw(t, "form") == 0 {
		data := drawMap(2, []string{"namespace", "name", "kind", "meta", "version", "requirements", "entries", "data"}).Draw(t, "data")
		doc["name"], doc["kind"] = "only", "k.only"
		if rapid.Bool().Draw(t, "in data") {
			doc["data"] = data
		} else {
			maps.Copy(doc, data)
		}
		p.entries = append(p.entries, registry.Entry{ID: registry.NewID(ns, "only"), Kind: "k.only", Meta: meta, Data: data})
	} else {
		entries := []any{}
		for i := range rapid.IntRange(0, 4).Draw(t, "entries") {
			e := registry.Entry{ID: registry.NewID(ns, fmt.Sprintf("e%d", i)), Kind: fmt.Sprintf("k.%d", i%2), Meta: maps.Clone(meta)}
			out := map[string]any{"name": e.ID.Name, "kind": e.Kind}
			if rapid.Bool().Draw(t, "own meta") {
				own := drawMap(1, nil).Draw(t, "meta")
				out["meta"] = own
				maps.Copy(e.Meta, own)
			}
			if rapid.Bool().Draw(t, "in data") {
				e.Data = drawValue(2).Draw(t, "data")
				out["data"] = e.Data
			} else {
				data := drawMap(2, []string{"name", "kind", "meta", "data"}).Draw(t, "data")
				maps.Copy(out, data)
				e.Data = data
			}
			entries = append(entries, out)
			p.entries = append(p.entries, e)
		}
		doc["entries"] = entries
	}
	var err error
	switch rapid.IntRange(0, 3).Draw(t, "print as") {
	case 0:
		p.text, err = json.Marshal(doc)
		p.name += ".json"
	case 1:
		p.text, err = json.MarshalIndent(doc, "", "\t")
		p.name += ".json"
	case 2:
		out := &printer{t: t}
		out.flow(doc)
		p.text = []byte(out.b.String())
		p.name += ".yml"
	default:
		p.text = printYAML(t, doc)
		p.name += ".yaml"
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Whatever tree of entries is printed comes back from reading it, in the order of the
// files, however many are read at a time.
func TestPrintedEntriesAreReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		files := fstest.MapFS{}
		var all []printed
		for i := range rapid.IntRange(1, 5).Draw(t, "files") {
			p := drawFile(t, i)
			files[p.name] = &fstest.MapFile{Data: p.text}
			all = append(all, p)
		}
		slices.SortFunc(all, func(a, b printed) int { return strings.Compare(a.name, b.name) })
		for _, parallel := range []int{1, 3} {
			got, err := source.LoadFS(t.Context(), files, "src", source.Options{Parallel: parallel, Warn: func(p *source.Problem) { t.Errorf("warning %v", p) }})
			if err != nil {
				t.Fatal(err, show(all))
			}
			i := 0
			for _, p := range all {
				for _, want := range p.entries {
					if i >= len(got) || !got[i].Equal(want) {
						t.Fatalf("entry %d is not %#v\n%#v\n%s", i, want, got[min(i, len(got)):], show(all))
					}
					if place := got[i].Position("kind"); !strings.HasPrefix(place, path.Join("src", p.name)+":") {
						t.Fatalf("%v is at %s, not in %s", want.ID, place, p.name)
					}
					i++
				}
			}
			if i != len(got) {
				t.Fatalf("%d entries, want %d", len(got), i)
			}
		}
	})
}

func show(all []printed) string {
	var b strings.Builder
	for _, p := range all {
		fmt.Fprintf(&b, "--- %s\n%s\n", p.name, p.text)
	}
	return b.String()
}
