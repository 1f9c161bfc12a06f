// SPDX-License-Identifier: Apache-2.0

package text_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
	"github.com/wippyrun/kit/luart/modules/text"
)

func TestDiff(t *testing.T) {
	check(t, map[string]string{
		"compare": `
			local d, err = text.diff.new()
			assert(d and err == nil)
			local diffs, err = d:compare("hello world", "hello there")
			assert(err == nil and same(diffs, {
				{operation = "equal", text = "hello "}, {operation = "delete", text = "wo"}, {operation = "insert", text = "the"},
				{operation = "equal", text = "r"}, {operation = "delete", text = "ld"}, {operation = "insert", text = "e"}}))`,
		"identical texts": `
			local d = text.diff.new()
			assert(same(d:compare("same", "same"), {{operation = "equal", text = "same"}}) and same(d:compare("", ""), {}))`,
		"one text is empty": `
			local d = text.diff.new()
			assert(same(d:compare("", "new"), {{operation = "insert", text = "new"}}))
			assert(same(d:compare("old", ""), {{operation = "delete", text = "old"}}))`,
		"characters, not bytes": `
			local diffs = text.diff.new():compare("é", "è")
			assert(same(diffs, {{operation = "delete", text = "é"}, {operation = "insert", text = "è"}}))`,
		"summary of nothing": `assert(same(text.diff.new():summarize({}), {deletions = 0, insertions = 0, equals = 0}))`,
		"summary takes what it knows": `
			local s = text.diff.new():summarize({{operation = "moved", text = "abc"}, 12, "x", {operation = "insert"}, {text = "abc"},
				{operation = "insert", text = "ab"}})
			assert(same(s, {deletions = 0, insertions = 2, equals = 0}))`,
		"pretty text": `
			local d = text.diff.new()
			local s, err = d:pretty_text(d:compare("abc", "abd"))
			assert(s == "ab\27[31mc\27[0m\27[32md\27[0m" and err == nil)`,
		"pretty html": `
			local d = text.diff.new()
			local s, err = d:pretty_html(d:compare("<a>\n", "<b>\n"))
			assert(err == nil and s == '<span>&lt;</span><del style="background:#ffe6e6;">a</del>' ..
				'<ins style="background:#e6ffe6;">b</ins><span>&gt;&para;<br></span>', s)`,
		"pretty shows unknown operations as equal": `
			local d = text.diff.new()
			assert(d:pretty_text({{operation = "moved", text = "x"}, 12, {text = "y"}}) == "xy")
			assert(d:pretty_html({{text = "x"}}) == "<span>x</span>")`,
		"wrong types raise": `
			local d = text.diff.new()
			raises("bad argument #2", d.summarize, d, "x")
			raises("bad argument #2", d.pretty_text, d)
			raises("bad argument #2", d.pretty_html, d, 12)
			raises("bad argument #2", d.compare, d, {}, "x")
			raises("bad argument #3", d.compare, d, "x")
			raises("Differ expected", d.compare, {}, "x", "y")`,
		"options": `
			local a, b = string.rep("a", 30) .. "x", string.rep("a", 30) .. "y"
			assert(#text.diff.new({patch_margin = 10}):patch_make(a, b)[1].text > #text.diff.new({patch_margin = 1}):patch_make(a, b)[1].text)
			local usual = text.diff.new():patch_make(a, b)
			for _, o in ipairs({{patch_margin = 0}, {patch_margin = "9"}, {patch_margin = -1}, {patch_margin = 0/0}, 12, "x", {diff_timeout = -1},
				{diff_edit_cost = {}}, {match_threshold = true}, {match_distance = 0}}) do
				assert(same(text.diff.new(o):patch_make(a, b), usual))
			end
			assert(text.diff.new({diff_timeout = 0}):compare("a", "b") and text.diff.new({diff_timeout = 1e300}):compare("a", "b"))
			assert(text.diff.new({patch_margin = 1e300, match_distance = 1e300, diff_edit_cost = 1e300}):patch_make(a, b))`,
		"too long": `
			local d = text.diff.new()
			for _, f in ipairs({d.compare, d.patch_make}) do
				local v, err = f(d, string.rep("x", 2^22 + 1), "")
				assert(v == nil and err:kind() == "Invalid" and err:message() == "texts to compare may have at most 4194304 bytes")
			end
			raises("resulting string too large", d.pretty_html, d, {{text = string.rep("<", 2^24)}, {text = "x"}})`,
	})
}

func TestPatches(t *testing.T) {
	check(t, map[string]string{
		"form": `
			local d = text.diff.new()
			local patches, err = d:patch_make("The quick brown fox", "The quick red fox")
			assert(err == nil and same(patches, {{text = "@@ -7,13 +7,11 @@\n ick \n-brown\n+red\n  fox\n"}}), patches[1].text)`,
		"percent encoding": `assert(text.diff.new():patch_make("a", "é%\n")[1].text:find("%%C3%%A9%%25%%0A"))`,
		"no change":        `assert(same(text.diff.new():patch_make("a", "a"), {}))`,
		"several changes": `
			local d = text.diff.new()
			local a = "first line\n" .. string.rep("unchanged\n", 20) .. "last line"
			local b = "1st line\n" .. string.rep("unchanged\n", 20) .. "last row"
			local patches = d:patch_make(a, b)
			assert(#patches == 2)
			local out, ok = d:patch_apply(patches, a)
			assert(out == b and ok == true)`,
		"a text that has changed a little": `
			local d = text.diff.new()
			local patches = d:patch_make("The quick brown fox jumps over the lazy dog.", "That quick brown fox jumped over a lazy dog.")
			local out, ok = d:patch_apply(patches, "The quick red rabbit jumps over the tired tiger.")
			assert(out == "That quick red rabbit jumped over a tired tiger." and ok == true)`,
		"a text that has changed too much": `
			local d = text.diff.new()
			local out, ok = d:patch_apply(d:patch_make("The quick brown fox", "The quick red fox"), "Something else altogether")
			assert(out == "Something else altogether" and ok == false)`,
		"no patches": `
			local out, ok = text.diff.new():patch_apply({}, "text")
			assert(out == "text" and ok == true)`,
		"what is no patch does not count": `
			local out, ok = text.diff.new():patch_apply({12, "x", {}, {text = "no patch"}, {text = ""}}, "text")
			assert(out == "text" and ok == true)`,
		"patches that contradict themselves": `
			local d = text.diff.new()
			local out, ok = d:patch_apply({{text = "@@ -999999999,5 +1,3 @@\n-a\n"}, {text = "@@ -1 +99999999 @@\n \n"}, {text = "@@ -0,0 +0,0 @@\n"}}, "text")
			assert(type(out) == "string" and type(ok) == "boolean")`,
		"bytes that are no text": `
			local v, err = text.diff.new():patch_make("\255", "a")
			assert(v == nil and err:kind() == "Invalid" and err:message() == "texts to patch must be valid UTF-8")`,
		"patches with all too many edits are one change": `
			local block = string.rep("0123456789", 160)
			local a, b = string.rep(block .. "x", 2500), string.rep(block .. "y", 2500)
			local d = text.diff.new({diff_timeout = 60})
			local patches = d:patch_make(a, b) -- 2500 places: copying 8 MB for each of them takes too long
			assert(#patches == 1)`,
		"too many": `
			local d = text.diff.new()
			raises("patches are longer than 1048576 bytes", d.patch_apply, d, {{text = string.rep("x", 2^20 + 1)}}, "x")
			local patch = "@@ -1 +1 @@\n-a\n+b\n"
			raises("text of 16777216 bytes is too long for", d.patch_apply, d, {{text = string.rep(patch, 2000)}}, string.rep("a", 2^24))`,
		"wrong types raise": `
			local d = text.diff.new()
			raises("bad argument #2", d.patch_apply, d, "x", "y")
			raises("bad argument #3", d.patch_apply, d, {}, {})`,
	})
}

func TestIndexFindsWhatStringsFinds(t *testing.T) {
	for _, c := range [][2]string{
		{"abc", "c"}, {"abc", "abc"}, {"aaaaab", "aab"}, {"abababac", "ababac"}, {"abc", "d"}, {"aabaabaaa", "aabaaa"}, {"ab", "abc"},
	} {
		if got, want := text.Index(c[0], c[1]), strings.Index(c[0], c[1]); got != want {
			t.Errorf("%q in %q: %d, want %d", c[1], c[0], got, want)
		}
	}
}

// rebuild returns the texts that a comparison is of.
func rebuild(parts []text.Part) (a, b string) {
	var x, y strings.Builder
	for _, p := range parts {
		if p.Operation != "insert" {
			x.WriteString(p.Text)
		}
		if p.Operation != "delete" {
			y.WriteString(p.Text)
		}
	}
	return x.String(), y.String()
}

// TestDiffEndsInTime compares texts for which a minimal answer takes minutes.
func TestDiffEndsInTime(t *testing.T) {
	a := strings.Repeat("abcdefghij", 40000)
	b := strings.Repeat("jihgfedcba", 40000)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for name, c := range map[string]struct {
		ctx     context.Context
		timeout time.Duration
	}{
		"no time":           {context.Background(), 0},
		"the process ended": {ended, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			parts := text.Compare(c.ctx, a, b, c.timeout)
			if x, y := rebuild(parts); x != a || y != b {
				t.Error("other texts")
			}
			if len(parts) > 100 {
				t.Errorf("%d parts", len(parts))
			}
		})
	}
}

// FuzzDiff compares and patches any texts.
func FuzzDiff(f *testing.F) {
	f.Add("hello world", "hello there")
	f.Add("", "\xff")
	f.Add("aéb", "aèb\n")
	f.Add(strings.Repeat("ab", 50), strings.Repeat("ba", 50))
	b := moduletest.New(f, text.Module())
	program := b.Link(`
		local a, b = ...
		local d = text.diff.new()
		local diffs = assert(d:compare(a, b))
		local x, y = {}, {}
		for _, part in ipairs(diffs) do
			if part.operation ~= "insert" then x[#x + 1] = part.text end
			if part.operation ~= "delete" then y[#y + 1] = part.text end
		end
		assert(table.concat(x) == a and table.concat(y) == b, "other texts")
		d:pretty_html(diffs)
		local patches = d:patch_make(a, b)
		if patches then
			local out, ok = d:patch_apply(patches, a)
			assert(out == b and ok, "other text: " .. out)
		end`)
	f.Fuzz(func(t *testing.T, x, y string) {
		if len(x)+len(y) > 5000 {
			return
		}
		if _, err := b.Exec(program, moduletest.Input(x, y)); err != nil {
			t.Errorf("%v", err)
		}
	})
}

// FuzzPatchApply applies any text as a patch.
func FuzzPatchApply(f *testing.F) {
	f.Add("@@ -7,13 +7,11 @@\n ick \n-brown\n+red\n  fox\n", "The quick brown fox")
	f.Add("@@ -1 +1 @@\n-a\n+b\n@@ -3,0 +3,2 @@\n+%C3%A9\n", "abc")
	f.Add("@@ -0,0 +1,9 @@\n+%\n-\n", "")
	f.Add("@@ -1,40 +1,2 @@\n-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
	f.Fuzz(func(t *testing.T, patches, s string) {
		if len(patches)+len(s) > 5000 {
			return
		}
		if out, applied, ok := text.Apply(patches, s); ok && !applied && out == "" && s != "" && patches == "" {
			t.Error("no patch, and nothing is left")
		}
	})
}
