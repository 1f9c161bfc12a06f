// SPDX-License-Identifier: Apache-2.0

//go:build treesitter && cgo

package treesitter_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
	"github.com/wippyrun/kit/luart/modules/treesitter"
)

// visit goes through a tree with a cursor and asks each node everything.
const visit = `
local function visit(tree, code)
	local c, n = tree:walk(), 0
	local function look()
		local node = c:current_node()
		local _ = node:kind() .. node:grammar_name()
		_ = node:is_named(), node:is_extra(), node:is_missing(), node:has_error(), node:is_error()
		node:text() node:text(code) node:start_point() node:end_point()
		node:parent() node:next_sibling() node:prev_sibling() node:next_named_sibling() node:prev_named_sibling()
		for i = 0, node:child_count() do node:child(i) node:named_child(i) node:field_name_for_child(i) end
		node:child_by_field_name("name")
		node:named_descendant_for_point_range(node:start_point(), node:end_point())
		assert(c:current_field_id() == 0 or c:current_field_name())
		c:goto_first_child_for_byte(node:end_byte()) c:reset_to(c)
		n = n + 1
	end
	repeat
		look()
		local more = c:goto_first_child() or c:goto_next_sibling()
		while not more and c:goto_parent() do more = c:goto_next_sibling() end
	until not more or n > 2000
	local copy = c:copy()
	copy:reset(tree:root_node())
	local all = tree:root_node():descendant_count()
	for _, i in ipairs({0, all - 1, math.floor(all / 2)}) do copy:goto_descendant(i) copy:current_node():kind() end
	copy:goto_last_child() copy:goto_previous_sibling() copy:reset_to(c)
	tree:root_node():to_sexp() tree:included_ranges()
end
`

// fuzzed makes the program of a fuzz target.
func fuzzed(tb testing.TB, body string) func(t *testing.T, args ...any) {
	b := moduletest.New(tb, treesitter.Modules()...)
	program := b.Link("local language, code, pattern, x, y, z = ... " + visit + body)
	return func(t *testing.T, args ...any) {
		t.Helper()
		if _, err := b.Exec(program, moduletest.Input(args...)); err != nil {
			t.Fatal(err)
		}
		if n := treesitter.Live(); n != 0 {
			t.Fatalf("%d objects are left", n)
		}
	}
}

// tokens are what sources and patterns are made of when each byte stands for one.
var (
	codeTokens = strings.Split(`def |class |if |else|: |:|( |)|[|]|{|}|"|'|"""|f"|{x}|\|`+"\n|\n  |\n    |\t|#|# c\n"+`|a|b1|=|+|-|*|/|,|.|;|lambda |return |1|0x|1e|é|`+"\xff|\x00|\xe2\x82|\r"+
		`|<?php |?>|$a|$|->|::|function |echo |<<<X|X;|namespace |use |fn|=>|&|//|/*|*/|@|!|?|<|>|new |match |enum |{$`, "|")
	patternTokens = strings.Split(`(|)|[|]|(_)|_| |*|+|?|.|!|@a|@b|@c |name|name: |function: |call|(call |(identifier)|(identifier) @a |(name) |(ERROR)|(MISSING|(module |(expression_statement|`+
		`(#eq? |(#any-of? @a |(#match? @a "|"|"x"|"\\0"|\0|;|`+"\n|\x00|\xff"+`|#set! |#is? |(expression/|/|(program|binary_operator|(block|"if"|"("|left: |1|é|-|(#`, "|")
)

// made makes a text of pieces. With raw it is data itself.
func made(data []byte, raw bool, pieces []string) string {
	if raw {
		return string(data)
	}
	var b strings.Builder
	for _, c := range data {
		b.WriteString(pieces[int(c)%len(pieces)])
	}
	return b.String()
}

const bodyParseAndQuery = `
		local tree = assert(treesitter.parse(language, code))
		visit(tree, code)
		local query = treesitter.query(language, "((_) @n (#match? @n \"a\")) (_ . (_) @a (_)* @b (#not-eq? @a @b))")
		local root = tree:root_node()
		query:set_byte_range(x % 50, y % 90)
		query:captures(root, code)
		query:set_point_range({row = x % 5, column = 0}, {row = y % 9, column = z % 7})
		query:matches(root, code)
		query:captures(root:child(x % 3) or root, "short")`

// FuzzParseAndQuery parses texts, visits all nodes and runs a query. Nothing may crash or be left behind.
func FuzzParseAndQuery(f *testing.F) {
	run := fuzzed(f, bodyParseAndQuery)
	for _, code := range []string{"def f():\n  g()\n", "<?php\nfunction f() { return \"a{$b}\"; }\n", "\x00", "\xff(\xfe", "if x:\n\t\"\"\"", "<?php <<<X\n"} {
		f.Add(false, true, []byte(code), uint16(0), uint16(0), uint16(0))
		f.Add(true, true, []byte(code), uint16(3), uint16(40), uint16(2))
	}
	f.Add(true, false, []byte("\x00\x12\x34\x55\x21\x99\x45"), uint16(1), uint16(2), uint16(3))
	f.Fuzz(func(t *testing.T, php, raw bool, data []byte, x, y, z uint16) {
		run(t, languageName(php), made(data, raw, codeTokens), "", int(x), int(y), int(z))
	})
}

// sample is a source with an error in it.
func sample(php bool) string {
	if php {
		return "<?php\nfunction f($x) { if ($x) { g($x, 1); } }\n(\n"
	}
	return "def f(x):\n  if x: g(x, 1)\nclass A: pass\n(\n"
}

func languageName(php bool) string {
	if php {
		return "php"
	}
	return "python"
}

const bodyQueryPattern = `
		local query, err = treesitter.query(language, pattern)
		if not query then assert(err:kind() == "Invalid") return end
		local root = treesitter.parse(language, code):root_node()
		query:captures(root, code) query:matches(root, code)
		for i = 0, query:pattern_count() - 1 do
			query:start_byte_for_pattern(i) query:end_byte_for_pattern(i)
			query:is_pattern_rooted(i) query:is_pattern_non_local(i) query:is_pattern_guaranteed(i)
			query:get_text_predicates(i) query:get_property_predicates(i) query:get_property_settings(i)
			query:capture_quantifier(i, 0)
		end
		query:disable_capture("a")
		if query:pattern_count() > 0 then query:disable_pattern(x % query:pattern_count()) end
		query:captures(root, code)`

// FuzzQueryPattern compiles patterns and runs those that are good.
func FuzzQueryPattern(f *testing.F) {
	run := fuzzed(f, bodyQueryPattern)
	for _, pattern := range []string{
		"(call function: (identifier) @c)", "((invalid", `((identifier) @a (#eq? @a "x"))`, `((_) @a (#match? @a "("))`, "[(_) (identifier)]* @x",
		`"if" @k`, "(_ (_)+ @a . (_) @b)", "!name", `"a\0b"`, "((((_)*)*)*)*", "(ERROR) @e (MISSING) @m", ";", "", "\x00", "\xff", "(#set! a b)", `(#any-of?)`,
	} {
		f.Add(false, true, []byte(pattern), uint16(0))
		f.Add(true, true, []byte(pattern), uint16(1))
	}
	f.Add(false, false, []byte("\x00\x12\x34\x55\x21\x99\x45"), uint16(1))
	f.Fuzz(func(t *testing.T, php, raw bool, data []byte, x uint16) {
		run(t, languageName(php), sample(php), made(data, raw, patternTokens), int(x), 0, 0)
	})
}

const bodyEdit = `
		local parser = treesitter.parser()
		parser:set_language(language)
		local tree = parser:parse(code)
		local before, kept = tree:root_node(), tree:copy()
		local kind, stop = before:kind(), before:end_byte()
		local function edit(t)
			return t:edit({start_byte = x % 70, old_end_byte = x % 70 + y % 50, new_end_byte = x % 70 + z,
				start_row = x % 4, start_column = x % 9, old_end_row = x % 4 + y % 3, old_end_column = 9 + y % 30,
				new_end_row = x % 4 + z % 5, new_end_column = 9 + z % 40})
		end
		assert(edit(tree))
		assert(before:kind() == kind and before:end_byte() == stop)
		visit(tree, code)
		local again = parser:parse(pattern, tree)
		visit(again, pattern)
		tree:changed_ranges(again) again:changed_ranges(tree) kept:changed_ranges(again)
		tree:close()
		edit(kept) edit(kept) edit(again)
		visit(kept, code)
		parser:set_ranges({
			{start_byte = x % 20, end_byte = x % 20 + y, start_row = z % 3, start_col = 0, end_row = 4, end_col = x},
			{start_byte = 4294967290, end_byte = 4294967295, start_row = 7, start_col = 1, end_row = 4294967295, end_col = 4294967295}})
		local parts = parser:parse(code, again)
		visit(parts, code)
		again:changed_ranges(parts)
		edit(parts)
		visit(parser:parse(pattern, parts), pattern)`

// FuzzEdit edits trees in ways that need not fit the sources, parses again on top of them, and with ranges.
func FuzzEdit(f *testing.F) {
	run := fuzzed(f, bodyEdit)
	for _, php := range []bool{false, true} {
		f.Add(php, true, []byte("def f():\n  g()\n"), []byte("def f(a):\n  g()\n"), uint16(6), uint16(0), uint16(1))
		f.Add(php, true, []byte("<?php\nif ($a) { b(); }\n"), []byte("<?php\nif ($a) { b(); }}}\n"), uint16(20), uint16(50), uint16(60000))
		f.Add(php, false, []byte("abcdefgh"), []byte("abcdeffgh"), uint16(60000), uint16(2), uint16(3))
	}
	f.Fuzz(func(t *testing.T, php, raw bool, data, more []byte, x, y, z uint16) {
		run(t, languageName(php), made(data, raw, codeTokens), made(more, raw, codeTokens), int(x), int(y), int(z))
	})
}

// patterns makes patterns that are mostly good.
func patterns(r *rand.Rand, php bool) string {
	kinds := []string{"identifier", "call", "module", "block", "if_statement", "argument_list", "expression_statement", "ERROR", "_", "function_definition", "parameters", "class_definition"}
	tokens := []string{"(", ")", "if", ":", ",", "def", "class", "pass"}
	fields := []string{"name", "body", "function", "arguments", "condition", "parameters"}
	if php {
		kinds = []string{"name", "program", "compound_statement", "if_statement", "arguments", "argument", "variable_name", "ERROR", "_", "function_definition", "formal_parameters", "function_call_expression"}
		tokens = []string{"(", ")", "if", "{", "}", ",", "function", ";", "$"}
	}
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	var node func(depth int) string
	node = func(depth int) string {
		var s string
		switch n := r.IntN(10); {
		case n == 0:
			s = "_"
		case n == 1:
			s = `"` + pick(tokens) + `"`
		case n < 4 && depth > 0:
			s = "["
			for range 1 + r.IntN(3) {
				s += node(depth-1) + " "
			}
			s += "]"
		case n == 4 && depth > 0:
			s = "("
			for range 1 + r.IntN(3) {
				s += node(depth-1) + pick([]string{" ", " ", " . "})
			}
			s += ")"
		case n == 5:
			s = pick([]string{"(MISSING)", "(ERROR)", "(MISSING ", "(" + pick(kinds) + "/" + pick(kinds)}) + pick([]string{"", ")", pick(kinds) + ")"})
		default:
			s = "(" + pick(kinds)
			if depth > 0 {
				for range r.IntN(4) {
					s += pick([]string{" ", " ", " ", " . ", " !" + pick(fields) + " ", " " + pick(fields) + ": "}) + node(depth-1)
				}
			}
			s += pick([]string{"", "", " ."}) + ")"
		}
		for range r.IntN(3) {
			s += pick([]string{"", "*", "+", "?", " @a", " @b", " @c"})
		}
		return s
	}
	var b strings.Builder
	for range 1 + r.IntN(4) {
		s := node(3)
		if r.IntN(3) == 0 {
			s = "(" + s + " " + pick([]string{`(#eq? @a @b)`, `(#eq? @a "x")`, `(#not-eq? @a @a)`, `(#any-of? @b "f" "g")`, `(#match? @a "^[a-g]")`, `(#any-not-match? @c "x")`, `(#set! k v)`, `(#is-not? @a k)`, `(#x? @a)`}) + ")"
		}
		b.WriteString(s + "\n")
	}
	return b.String()
}

var (
	rounds = flag.Int("rounds", 150, "how many random inputs each of the fuzz targets gets in an ordinary run")
	seed   = flag.Uint64("seed", 1, "the first of them")
)

// TestRandomInput gives the fuzz targets random inputs. The C code has no counters that would guide a fuzzer, so this
// finds as much.
func TestRandomInput(t *testing.T) {
	parse, pattern, edit := fuzzed(t, bodyParseAndQuery), fuzzed(t, bodyQueryPattern), fuzzed(t, bodyEdit)
	for i := range uint64(*rounds) {
		r := rand.New(rand.NewPCG(*seed+i, 0))
		text := func(pieces []string) string {
			data := make([]byte, r.IntN(60))
			for k := range data {
				data[k] = byte(r.IntN(256))
			}
			return made(data, r.IntN(10) == 0, pieces)
		}
		php := r.IntN(2) == 0
		name, x, y, z := languageName(php), r.IntN(1<<16), r.IntN(1<<16), r.IntN(1<<16)
		one, other, p := text(codeTokens), text(codeTokens), text(patternTokens)
		if r.IntN(5) > 0 {
			p = patterns(r, php)
		}
		if os.Getenv("TREESITTER_LOG") != "" { // what a crash in C was about
			fmt.Printf("%d %s %q %q %q %d %d %d\n", *seed+i, name, one, other, p, x, y, z)
		}
		parse(t, name, one, "", x, y, z)
		pattern(t, name, sample(php), p, x, 0, 0)
		edit(t, name, one, other, x, y, z)
	}
}
