// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"
)

// show writes nodes with everything that the parser promises.
func show(n *yaml.Node) string {
	var b strings.Builder
	var walk func(n *yaml.Node, depth int)
	walk = func(n *yaml.Node, depth int) {
		fmt.Fprintf(&b, "%s%d %s %q style %d anchor %q at %d:%d\n", strings.Repeat(" ", depth), n.Kind, n.Tag, n.Value, n.Style, n.Anchor, n.Line, n.Column)
		for _, c := range n.Content {
			walk(c, depth+1)
		}
	}
	walk(n, 0)
	return b.String()
}

// reused has been used for other texts: what is left of them must not show.
var reused quickParser

// agree checks that the parser makes the same of a text as the library, if it accepts it.
func agree(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, text string) (accepted bool) {
	t.Helper()
	got, ok := reused.parse(text)
	if !ok {
		return false
	}
	want, p := parseYAML([]byte(text))
	if p != nil {
		t.Fatalf("%q: accepted what is wrong: %v", text, p)
	}
	if want == nil || show(got) != show(want) {
		t.Fatalf("%q:\n%swant\n%s", text, show(got), show(want))
	}
	if moreDocuments([]byte(text), want.Line) > 0 {
		t.Fatalf("%q: accepted several documents", text)
	}
	return true
}

var quickTexts = []struct {
	text     string
	accepted bool
}{
	{"a: \"b\\n\\t\\r\\\"\\\\\" # c\n", true}, {"a: \"\\/\"\n", false}, {"a: \"\\x41\"\n", false}, {"a: \"\\\"\n", false}, {"a: \"b\\\n", false}, {"a: 'it''s'\n", true}, {"a: ['''', '''b']\n", true}, {"a: '''\n", false}, {"'it''s': \"\"\n", true},
	{"a: |\n  x\n  \nb: |-\n  y\n  \n", true}, {"a: |\n  \tx\n", false},
	{"a:\n", true}, {"a:\nb: 1\n", true}, {"a:", true}, {"a:\n  b: # c\n  d:\n- e\n", false}, {"a:\n  b: # c\n  d:\n  - e:\n    f:\n  g:\n", true},
	{"a: b\n", true}, {"a: b", true}, {"# c\n\n---\n# d\na: b # e\n", true}, {"--- \na: b\n", true},
	{"a:\n  b: 1\n  c: 2\nd: 3\n", true}, {"a:\n- 1\n- 2\nb: 3\n", true}, {"a:\n  - 1\n  - b: c\n    d: e\n  -  f: g\nh: i\n", true},
	{"a: [b, 1, true, ~x, c d , \"q\", 's', -1, a:b, x.*]\n", false}, {"a: [b, 1, true, c d , \"q\", 's', -1, a:b, x.*]\n", true},
	{"a: {b: 1, c: {d: []}, \"e\": [{}]} # x\n", true}, {"a: [] \nb: {}\n", true}, {"a: [1,2,]\n", false}, {"a: [1\n  ]\n", false}, {"a: {b:1}\n", false}, {"a: [b: c]\n", false}, {"a: [b #c]\n", false},
	{"a: |\n  x\n\n   y\n  z\t\n\n# c\nb: |-\n  t\n", true}, {"a: |\n\n\n  x\n", true}, {"a: |\n  x", false}, {"a: |\n   \n  x\n", false}, {"a: |\n", false}, {"a: |\nb: c\n", false}, {"a: |+\n  x\n", false}, {"a: |2\n  x\n", false}, {"a: |\n  x\n # c\nb: d\n", true}, {"a: |\n  x\n y\n", false}, {"a: |\n  x\n    \n\n", true}, {"a: |\n\tx\n", false}, {"a: | # c\n  x\n", false},
	{"a: >\n  x\n", false}, {"a: &b c\n", false}, {"a: *b\n", false}, {"a: !!str b\n", false}, {"? a\n: b\n", false}, {"<<: {a: b}\n", false}, {"a: <<\n", false},
	{"a: b\n  c\n", false}, {"a: 'b\n  c'\n", false}, {"a: \"b\" c\n", false}, {"a: 'b'#c\n", false}, {"a: 'b' # c\n", true},
	{"a: b: c\n", false}, {"a: b:\n", false}, {"a: http://x:80/y#z\n", true}, {"a: b #c\n", true}, {"a: b#c\n", true}, {"a: -\n", false}, {"a: - b\n", false}, {"a: --b\n", true}, {"a: -1\n", true},
	{"a: # c\n  b: 1\n", true}, {"a:\n  b\n", false}, {"a:#c\n", false}, {"a:b\n", false}, {"a : b\n", false},
	{"a: 0600\nb: 0x1F\nc: 1e3\nd: .5\ne: 2024-01-02\nf: ~\ng: null\nh: True\ni: yes\nj: 1_0\nk: .inf\nl: +1\nm: Off\n", true}, {"1: a\ntrue: b\nnull: c\n2024-01-02: d\n", true},
	{"é: 1\n", false}, {"a: é\nb: {c: 'é', d: 1}\n", true}, {"a: é # ü\n", true}, {"a: \u0085\n", false}, {"a: \ufeff\n", false}, {"\ufeffa: b\n", false}, {"a: \xff\n", false}, {"a: \x01\n", false},
	{"a: b\r\n", false}, {"\ta: b\n", false}, {"a:\tb\n", false}, {"a: b\tc\n", false}, {"a: 'b\tc'\n", false}, {"# \t\na: b\n", true},
	{"a: b\n---\nc: d\n", false}, {"a: b\n...\n", false}, {"%YAML 1.1\n---\na: b\n", false}, {"- a\n", false}, {" a: b\n", false}, {"a: b\n c: d\n", false}, {"a:\n  b: c\n d: e\n", false}, {"a:\n  - b\n c: d\n", false}, {"a:\n - b\n  - c\n", false}, {"a:\n- - b\n", false}, {"a:\n-\n  b\n", false}, {"", false}, {"# a\n", false}, {"---\n---\na: b\n", false},
	{"a: " + strings.Repeat("[", 300) + strings.Repeat("]", 300) + "\n", false}, {strings.Repeat("k", 1100) + ": b\n", false}, {"a: b\n\n\n   \n", true}, {"a: {b: c\n", false}, {"a: b}\n", true}, {"a:\n- b: c\n- d\n- e: [f]\n  g: h\n", true}, {"a: ---\n", true}, {"a: ...\nb: '---'\n", true}, {"---a: b\n", false},
}

func TestQuickParserAgreesWithTheLibraryOnEveryForm(t *testing.T) {
	for _, c := range quickTexts {
		if got := agree(t, c.text); got != c.accepted {
			t.Errorf("%.60q: accepted %v", c.text, got)
		}
	}
}

// The parser agrees with the library on texts of pieces that are put together at random,
// most of which have something that is not quite right.
func TestQuickParserAgreesWithTheLibrary(t *testing.T) {
	pieces := []string{"a", "b:", "c: d", "- ", "-", ":", ": ", " ", "  ", "    ", "\n", "\n  ", "\n    ", "\n- ", "\n  - ", "\na: ", "\n  b: ", "#", " # ", "'", "\"", "[", "]", "{", "}", ", ", "|", "|\n  x\n", "|-\n    y\n", "1", "-1", "true", "~", "é", "\t", "---", "...", "<<", "http://x", "x:y"}
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		text := "k: v" + strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 14).Draw(t, "pieces"), "")
		if agree(t, text) {
			accepted++
		}
	})
	if accepted == 0 {
		t.Error("no text was accepted")
	}
}

func FuzzQuick(f *testing.F) {
	for _, c := range quickTexts {
		f.Add(c.text)
	}
	f.Add("version: \"1.0\"\nnamespace: app\nmeta:\n  g: x\nentries:\n  - name: h\n    kind: function.lua\n    meta:\n      tags: [http, api]\n    source: |\n      local x = 1\n\n      return x\n    pool:\n      type: inline\n      size: 3\n")
	f.Fuzz(func(t *testing.T, text string) { agree(t, text) })
}

func BenchmarkParse(b *testing.B) {
	var text strings.Builder
	text.WriteString("namespace: app\nentries:\n")
	for i := range 100 {
		fmt.Fprintf(&text, "  - name: h%d\n    kind: function.lua\n    meta:\n      comment: Handles request number %d\n      tags: [http, api]\n    source: |\n      local x = %d\n      return {x = x}\n    method: main\n    pool:\n      type: inline\n      size: %d\n", i, i, i, i)
	}
	raw := []byte(text.String())
	b.Run("quick", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		b.ReportAllocs()
		var q quickParser
		for b.Loop() {
			if _, ok := q.parse(string(raw)); !ok {
				b.Fatal("not accepted")
			}
		}
	})
	b.Run("library", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		b.ReportAllocs()
		for b.Loop() {
			if _, p := parseYAML(raw); p != nil {
				b.Fatal(p)
			}
		}
	})
}
