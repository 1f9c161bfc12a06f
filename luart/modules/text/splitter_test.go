// SPDX-License-Identifier: Apache-2.0

package text_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"
	"pgregory.net/rapid"

	"github.com/wippyrun/kit/luart/modules/text"
)

type options = map[string]lua.LValue

func TestRecursiveSplitter(t *testing.T) {
	for _, c := range []struct {
		name    string
		options options
		text    string
		want    []string
	}{
		{"nothing", nil, "", nil},
		{"white space", nil, " \n ", nil},
		{"short", nil, " one two ", []string{"one two"}},
		{"no overlap", options{"chunk_size": lua.LNumber(7), "chunk_overlap": lua.LNumber(0)}, "aaa bbb ccc", []string{"aaa bbb", "ccc"}},
		{"characters count", options{"chunk_size": lua.LNumber(3), "chunk_overlap": lua.LNumber(0)}, "éé éé", []string{"éé", "éé"}},
		{"within a word", options{"chunk_size": lua.LNumber(4), "chunk_overlap": lua.LNumber(1)}, "abcdefgh", []string{"abcd", "defg", "gh"}},
		{"separators", options{"chunk_size": lua.LNumber(4), "chunk_overlap": lua.LNumber(0), "separators": list(";", ",")},
			"aaa;bbb,ccc;d", []string{"aaa", "bbb", "ccc", "d"}},
		{"separators kept", options{"chunk_size": lua.LNumber(6), "chunk_overlap": lua.LNumber(0), "separators": list(", "), "keep_separator": lua.LTrue},
			"aaa, bbb, ccc", []string{"aaa", ", bbb", ", ccc"}},
		{"too long for the last separator", options{"chunk_size": lua.LNumber(3), "separators": list(" ")}, "aaaaaa b", []string{"aaaaaa", "b"}},
		{"an empty list of separators does not count", options{"chunk_size": lua.LNumber(3), "separators": list()}, "a b", []string{"a b"}},
		{"overlap as large as the chunk", options{"chunk_size": lua.LNumber(3), "chunk_overlap": lua.LNumber(9)}, "abcde", []string{"abc", "bcd", "cde"}},
		{"wrong options", options{"chunk_size": lua.LString("9"), "chunk_overlap": lua.LNumber(-1), "separators": lua.LString("x"),
			"keep_separator": lua.LNumber(1)}, "a b", []string{"a b"}},
		{"no size", options{"chunk_size": lua.LNumber(0)}, "a b", []string{"a b"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := text.Recursive(c.options, c.text); err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func list(items ...string) *lua.LTable {
	t := new(lua.LState).CreateTable(len(items), 0)
	for i, s := range items {
		t.RawSetInt(i+1, lua.LString(s))
	}
	return t
}

func TestMarkdownSplitter(t *testing.T) {
	for _, c := range []struct {
		name    string
		options options
		text    string
		want    []string
	}{
		{"nothing", nil, "", nil},
		{"headings", nil, "# One\n\ntext\nmore\n\n## Two\n\nother\n", []string{"# One\ntext\nmore", "## Two\nother"}},
		{"a heading with nothing under it", nil, "# One\n\n## Two\n\nx", []string{"# One", "## Two\nx"}},
		{"underlined headings", nil, "One\n===\n\nx\n\nTwo\n---\ny", []string{"# One\nx", "## Two\ny"}},
		{"hierarchy", options{"heading_hierarchy": lua.LTrue}, "# A\n\n### B\n\nx\n\n## C\n\ny\n", []string{"# A", "# A\n### B\nx", "# A\n## C\ny"}},
		{"blocks go together", nil, "one\n\ntwo\n\n---\n\n- a\n- b\n\n1. c\n1. d\n", []string{"one\ntwo\n\n---\n- a\n- b\n1. c\n2. d"}},
		{"as many as there is room for", options{"chunk_size": lua.LNumber(10), "chunk_overlap": lua.LNumber(0)}, "one two\n\nthree\n\nfour\n\nfive", []string{"one two", "three\nfour", "five"}},
		{"nested lists", nil, "- a\n  - b\n    - c\n- d\n", []string{"- a\n  - b\n    - c\n- d"}},
		{"quotes", nil, "a\n\n> b\n> c\n>\n> - d\n\ne", []string{"a\n> b\n> c\n> - d", "e"}},
		{"code is dropped", nil, "a\n\n```go\nx()\n```\n\n    y()\n", []string{"a"}},
		{"code is kept", options{"code_blocks": lua.LTrue}, "a\n\n```go\nx()\n```\n\nb\n\n    y()\n    z()\n",
			[]string{"a\n\n```go\nx()\n```\n\nb\n\n    y()\n    z()"}},
		{"code in a list", options{"code_blocks": lua.LTrue}, "- a\n\n  ```\n  x\n  ```\n", []string{"- a\n  ```\n  x\n  ```"}},
		{"tables by row", nil, "| A | B |\n|---|:-:|\n| 1 | 2 |\n| 3 |\n", []string{"| A | B |\n| --- | --- |\n| 1 | 2 |", "| A | B |\n| --- | --- |\n| 3 |  |"}},
		{"tables joined", options{"join_table_rows": lua.LTrue}, "| A | B |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n", []string{"| A | B |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |"}},
		{"a table without header", nil, "|  |  |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n", []string{"| 1 | 2 |\n| --- | --- |\n| 3 | 4 |"}},
		{"a table without rows", nil, "| A |\n|---|\n", []string{"| A |\n| --- |"}},
		{"HTML is text", nil, "<p>\nx\n</p>", []string{"<p>\nx\n</p>"}},
		{"line ends", nil, "a\r\nb\r\n", []string{"a\nb"}},
		{"long paragraphs", options{"chunk_size": lua.LNumber(8), "chunk_overlap": lua.LNumber(0)}, "# T\n\naaa bbb ccc ddd", []string{"# T\naaa bbb", "# T\nccc ddd"}},
		{"separators", options{"chunk_size": lua.LNumber(8), "chunk_overlap": lua.LNumber(0), "separators": list(";")}, "aaa bbb;ccc ddd", []string{"aaa bbb", "ccc ddd"}},
		{"definitions are dropped", nil, "a [x][y] b\n\n[y]: http://y \"title\"\n[z]: <http://z>\n", []string{"a [x][y] b"}},
		{"definitions of several lines", nil, "[y]:\nhttp://y\n'title'\n\na", []string{"a"}},
		{"text after definitions", nil, "[y]: http://y\na b\n", []string{"a b"}},
		{"links", options{"reference_links": lua.LTrue},
			"[x][y] [y][] [Y] ![i][y] [n] [a](b) `[y]` \\[y] [z [y]][none] [q]\n\n[y]: http://y \"title\"\n[q]: <u v>\n\"q\"\n",
			[]string{`[x](http://y "title") [y](http://y "title") [Y](http://y "title") ![i](http://y "title") [n] [a](b) ` + "`[y]`" +
				` \[y] [z [y](http://y "title")][none] [q](u v "q")`}},
		{"links without definitions", options{"reference_links": lua.LTrue}, "[x][y]", []string{"[x][y]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := text.Markdown(c.options, c.text); err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestSplitterObjects(t *testing.T) {
	check(t, map[string]string{
		"two results": `
			assert(select("#", text.splitter.recursive()) == 2 and select("#", text.splitter.markdown("x")) == 2)
			local chunks, err = text.splitter.markdown():split_text("# A\n\nb")
			assert(same(chunks, {"# A\nb"}) and err == nil and same(text.splitter.recursive():split_text(""), {}))`,
		"batch": `
			local s = text.splitter.recursive({chunk_size = 5, chunk_overlap = 0})
			local m = {page = 1}
			local out, err = s:split_batch({{content = "aaaa bbbb", metadata = m}, 12, "x", {}, {content = ""}, {content = 5}, {content = "c", metadata = "x"}})
			assert(err == nil and #out == 3 and out[1].content == "aaaa" and out[2].content == "bbbb" and out[3].content == "c")
			assert(out[1].metadata == m and same(out[3].metadata, {}))`,
		"wrong types raise": `
			local s = text.splitter.recursive()
			raises("bad argument #2", s.split_text, s, {})
			raises("bad argument #2", s.split_batch, s, "x")
			raises("Splitter expected", s.split_text, {}, "x")`,
		"separators": `
			local many = {}
			for i = 1, 1001 do many[i] = "x" end
			local v, err = text.splitter.recursive({separators = many})
			assert(v == nil and err:kind() == "Invalid" and err:message() == "more than 1000 separators")
			assert(same(text.splitter.recursive({chunk_size = 2, separators = {"-", 1}}):split_text("a b"), {"a", "b"}))`,
	})
}

func TestSplitterIsBounded(t *testing.T) {
	check(t, map[string]string{
		"chunks": `local v, err = text.splitter.recursive({chunk_size = 1}):split_text(string.rep("a", 2^18 + 1)) assert(v == nil and err:kind() == "Internal", err)`,
		"titles": `
			local v, err = text.splitter.markdown({chunk_size = 10, chunk_overlap = 0}):split_text("# " .. string.rep("t", 2^20) .. "\n\n" .. string.rep("aaaaa ", 2000))
			assert(v == nil and err:message() == "text has too many chunks, or too long ones")`,
		"overlap":  `assert(#text.splitter.recursive({chunk_size = 100000, chunk_overlap = 99999}):split_text(string.rep("a", 200000)) == 100001)`,
		"markdown": `local v, err = text.splitter.markdown():split_text(string.rep("a", 2^24 + 1)) assert(v == nil and err:message() == "markdown is longer than 16777216 bytes")`,
		"batch": `
			local s, pages = text.splitter.recursive({chunk_size = 1}), {}
			local page = {content = string.rep("a", 2^16)}
			for i = 1, 5 do pages[i] = page end
			raises("pages have more than 262144 chunks", s.split_batch, s, pages)`,
	})
}

// TestMarkdownIsBounded has texts that take the common parsers minutes, or all of the stack.
func TestMarkdownIsBounded(t *testing.T) {
	const n = 200_000
	for name, source := range map[string]string{
		"quotes":      strings.Repeat(">", n),
		"lists":       strings.Repeat("1. ", n/3),
		"both":        strings.Repeat(">- ", n/3),
		"brackets":    strings.Repeat("[", n),
		"links":       strings.Repeat("[a](", n/4),
		"emphasis":    strings.Repeat("*a_ ", n/4),
		"backticks":   strings.Repeat("`a``", n/4),
		"definitions": strings.Repeat("[a]: b\n", n/7),
		"references":  "[a]: b\n\n" + strings.Repeat("[a]", n/3),
		"bars":        "|a|\n|-|\n" + strings.Repeat("|", n),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := text.Markdown(options{"reference_links": lua.LTrue, "code_blocks": lua.LTrue}, source); err != nil {
				t.Error(err)
			}
		})
	}
	deep, err := text.Markdown(nil, strings.Repeat("> ", 100)+"x")
	if err != nil || len(deep) != 1 || strings.Count(deep[0], ">") != 100 {
		t.Errorf("%q, %v", deep, err)
	}
}

// TestRecursiveSplitterKeepsItsPromises checks that chunks are parts of the text, as small as they can be cut, and that
// without overlap nothing but separators is lost.
func TestRecursiveSplitterKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source := rapid.StringOf(rapid.SampledFrom([]rune("ab é \n"))).Draw(t, "text")
		size := rapid.IntRange(1, 20).Draw(t, "size")
		overlap := rapid.IntRange(0, 10).Draw(t, "overlap")
		chunks, err := text.Recursive(options{"chunk_size": lua.LNumber(size), "chunk_overlap": lua.LNumber(overlap)}, source)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range chunks {
			if !strings.Contains(source, c) || utf8.RuneCountInString(c) > size || strings.TrimSpace(c) != c || c == "" {
				t.Errorf("%q is no chunk of %q", c, source)
			}
		}
		squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if got := squeeze(strings.Join(chunks, "")); overlap == 0 && got != squeeze(source) {
			t.Errorf("%q became %q", source, chunks)
		}
	})
}

// FuzzSplitter cuts any text with any sizes.
func FuzzSplitter(f *testing.F) {
	f.Add("# A\n\n- b\n  - c\n\n| x |\n|---|\n| y |\n\n> q\n\n```\ncode\n```\n", 10, 3, uint8(255))
	f.Add("[a][b] `c` [b]\n\n[b]: c 'd'\n", 5, 0, uint8(1))
	f.Add("a\r\n\r\n\tb\x00\xff", 1, 9, uint8(0))
	f.Fuzz(func(t *testing.T, source string, size, overlap int, flags uint8) {
		o := options{"chunk_size": lua.LNumber(size), "chunk_overlap": lua.LNumber(overlap)}
		for i, name := range []string{"keep_separator", "code_blocks", "reference_links", "heading_hierarchy", "join_table_rows"} {
			o[name] = lua.LBool(flags>>i&1 == 1)
		}
		for name, split := range map[string]func(options, string) ([]string, error){"recursive": text.Recursive, "markdown": text.Markdown} {
			chunks, err := split(o, source)
			if err != nil && len(source) < 1000 {
				t.Errorf("%s: %v", name, err)
			}
			for _, c := range chunks {
				if strings.TrimSpace(c) != c || c == "" {
					t.Errorf("%s: chunk %q", name, c)
				}
			}
		}
	})
}
