// SPDX-License-Identifier: Apache-2.0

package text_test

import (
	"testing"
	"testing/synctest"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
	"github.com/wippyrun/kit/luart/modules/text"
)

// tools are Lua functions that the programs of the tests use.
const tools = `
	local re = text.regexp.compile
	local function same(a, b)
		if type(a) ~= "table" or type(b) ~= "table" then return a == b end
		for k, v in pairs(a) do if not same(v, b[k]) then return false end end
		for k in pairs(b) do if a[k] == nil then return false end end
		return true
	end
	local function raises(text, f, ...)
		local ok, err = pcall(f, ...)
		assert(not ok and string.find(tostring(err), text, 1, true), tostring(err))
	end
`

func check(t *testing.T, programs map[string]string) {
	t.Helper()
	b := moduletest.New(t, text.Module())
	for name, body := range programs {
		t.Run(name, func(t *testing.T) {
			// In a bubble the clock stands still while anything runs: comparisons have a second, whatever the machine does.
			synctest.Test(t, func(t *testing.T) { b.Check(t, tools+body) })
		})
	}
}

func TestAcceptanceFacts(t *testing.T) {
	check(t, map[string]string{
		"26 bad pattern": `
			local v, err = text.regexp.compile("[invalid")
			assert(v == nil and err:kind() == "Invalid" and string.find(err:message(), "error parsing regexp:", 1, true) == 1)`,
		"26 no match": `
			assert(re("[0-9]+"):find_string("abc") == nil)
			assert(same(re("[0-9]+"):find_all_string("abc"), {}))
			assert(re("[0-9]+"):find_all_string_index("abc") == nil)`,
		"27 positions": `assert(same(re("page\\d+"):find_string_index("The page1 here"), {5, 9}))`,
		"27 split":     `assert(same(re(","):split("a,b,c,d", 2), {"a", "b,c,d"}))`,
		"28 replace":   `assert(re("(\\w+)@(\\w+)"):replace_all_string("x@y", "$2-$1") == "y-x")`,
		"29 patches": `
			local d = text.diff.new()
			local a, b = "The quick brown fox", "The slow brown dog"
			local out, ok = d:patch_apply(d:patch_make(a, b), a)
			assert(out == b and ok == true)`,
		"29 summary in bytes": `
			local d = text.diff.new()
			local s = d:summarize({{operation = "delete", text = "hello"}, {operation = "insert", text = "world"},
				{operation = "equal", text = "é"}, {operation = "delete", text = "HELLO"}, {operation = "insert", text = "WORLD"}})
			assert(same(s, {deletions = 10, insertions = 10, equals = 2}))`,
		"30 three chunks": `
			local s = text.splitter.recursive({chunk_size = 20, chunk_overlap = 5})
			local chunks, err = s:split_text("aaa bbb ccc ddd eee fff ggg hhh\n\nzzz yyy")
			assert(err == nil and same(chunks, {"aaa bbb ccc ddd eee", "eee fff ggg hhh", "zzz yyy"}))`,
		"30 the same metadata": `
			local metadata = {source = "x"}
			local chunks = text.splitter.recursive({chunk_size = 5}):split_batch({{content = "aaaa bbbb", metadata = metadata}})
			assert(#chunks == 2 and chunks[1].metadata == metadata and chunks[2].metadata == metadata)`,
	})
}

func TestRegexp(t *testing.T) {
	check(t, map[string]string{
		"two results":  `local v, err = text.regexp.compile("a") assert(v and err == nil and select("#", text.regexp.compile("a")) == 2)`,
		"match_string": `assert(re("b+"):match_string("abbc") == true and re("^b"):match_string("ab") == false)`,
		"find_string":  `assert(re("b+"):find_string("abbcb") == "bb" and re("x*"):find_string("abc") == nil)`,
		"find_all_string": `
			assert(same(re("\\d"):find_all_string("1a2"), {"1", "2"}))
			assert(same(re("a*"):find_all_string("baac"), {"", "aa", ""}))`,
		"find_string_submatch": `
			assert(same(re("(a)(b)?(c)"):find_string_submatch("xac"), {"ac", "a", "", "c"}))
			assert(re("(a)"):find_string_submatch("x") == nil)`,
		"find_all_string_submatch": `
			assert(same(re("(\\w)=(\\d)"):find_all_string_submatch("a=1 b=2"), {{"a=1", "a", "1"}, {"b=2", "b", "2"}}))
			assert(same(re("x"):find_all_string_submatch("a"), {}))`,
		"find_string_index": `
			local s = "héllo wörld"
			local i = re("w.r"):find_string_index(s)
			assert(s:sub(i[1], i[2]) == "wör")
			assert(same(re("x*"):find_string_index("abc"), {1, 0}) and re("x"):find_string_index("abc") == nil)`,
		"find_all_string_index": `assert(same(re("a."):find_all_string_index("abxac"), {{1, 2}, {4, 5}}))`,
		"replace_all_string": `
			assert(re("a(x*)b"):replace_all_string("-ab-axxb-", "${1}W") == "-W-xxW-")
			assert(re("a(x*)b"):replace_all_string("-ab-axxb-", "$1W") == "---")
			assert(re("a(?P<n>x*)b"):replace_all_string("-axxb-", "[$n]$$") == "-[xx]$-")
			assert(re("x*"):replace_all_string("abc", "-") == "-a-b-c-")`,
		"split": `
			assert(same(re(","):split("a,b,"), {"a", "b", ""}))
			assert(same(re(","):split("a,b", 0), {}) and same(re(","):split(""), {""}) and same(re(","):split("a,b", 1), {"a,b"}))
			assert(same(re(","):split("a,b", -1), {"a", "b"}) and same(re(","):split("a,b", nil), {"a", "b"}))
			assert(same(re(","):split("a,b,c", 2.9), {"a", "b,c"}) and same(re(","):split("a,b", 1e300), {"a", "b"}))`,
		"the expression": `
			local e = re("(?P<year>\\d+)-(\\d+)")
			assert(e:num_subexp() == 2 and same(e:subexp_names(), {"", "year", ""}))
			assert(e:string() == "(?P<year>\\d+)-(\\d+)" and tostring(e) == e:string())`,
		"bytes that are no text": `assert(re("b"):find_string("a\255b") == "b" and same(re("."):find_all_string("\255"), {"\255"}))`,
		"numbers are text":       `assert(re(1):match_string(21) == true)`,
		"wrong types raise": `
			raises("bad argument #1", text.regexp.compile, {})
			raises("bad argument #1", text.regexp.compile)
			raises("bad argument #2", re("a").match_string, re("a"), {})
			raises("bad argument #1", re("a").match_string, "a", "a")
			raises("Regexp expected", re("a").string, text.diff.new())`,
		"objects cannot be changed": `raises("", function() re("a").x = 1 end)`,
		"tables are read-only": `
			for _, t in ipairs({text, text.regexp, text.diff, text.splitter}) do raises("", function() t.x = 1 end) end`,
	})
}

func TestObjectsHaveTypes(t *testing.T) {
	b := moduletest.New(t, text.Module())
	program, err := b.Engine.Link(engine.ProgramSpec{ID: "app:test", Modules: []string{"text"}, Source: `
		type R = text.Regexp
		type D = text.Differ
		type S = text.Splitter
		return function()
			local e: text.Regexp = text.regexp.compile("a")
			assert(R:is(e) and D:is(text.diff.new()) and S:is(text.splitter.markdown()) and not S:is("x"))
		end`})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Exec(program, nil); err != nil {
		t.Error(err)
	}
}

func TestRegexpIsBounded(t *testing.T) {
	check(t, map[string]string{
		"work": `
			local e = re("(" .. string.rep("a?", 500) .. "){10}")
			assert(e:match_string(string.rep("a", 1000)))
			raises("is too long for an expression of", e.match_string, e, string.rep("a", 2^22))`,
		"matches":               `raises("text has more than 1048576 matches", re(".").find_all_string, re("."), string.rep("a", 2^20 + 1))`,
		"matches with groups":   `raises("text has more than 262144 matches", re("(.)()()").find_all_string_index, re("(.)()()"), string.rep("a", 2^18 + 1))`,
		"parts":                 `raises("text has more than 1048576 parts", re("a").split, re("a"), string.rep("a", 2^20))`,
		"replacement":           `raises("resulting string too large", re("a").replace_all_string, re("a"), string.rep("a", 2^16), string.rep("b", 2^16))`,
		"replacement by groups": `raises("resulting string too large", re("a*").replace_all_string, re("a*"), string.rep("a", 2^20), string.rep("$0", 2^10))`,
		"large but allowed": `
			assert(#re("a"):replace_all_string(string.rep("a", 2^10) .. string.rep("b", 2^20), string.rep("c", 2^10)) == 2 * 2^20)
			assert(#re("b(a*)b"):replace_all_string("b" .. string.rep("a", 2^22) .. "b", "$1$1$$" .. string.rep("x", 100)) == 2^23 + 101)`,
		"expression": `
			local v, err = text.regexp.compile("((a{1000}){1000}){1000}")
			assert(v == nil and err:kind() == "Invalid")`,
	})
}

// FuzzRegexp uses any text as an expression, a text and a template.
func FuzzRegexp(f *testing.F) {
	f.Add("(a)(b)?", "abac", "$1-$2")
	f.Add("[", "", "")
	f.Add("x*", "aé\xff", "${0}")
	f.Add(`(?i)(?P<n>\pL+)\b`, "Käse", "$n$$")
	b := moduletest.New(f, text.Module())
	program := b.Link(`
		local pattern, s, template = ...
		local e = text.regexp.compile(pattern)
		if not e then return end
		assert((e:find_string_index(s) ~= nil) == e:match_string(s))
		for i, at in ipairs(e:find_all_string_index(s) or {}) do
			assert(e:find_all_string(s)[i] == s:sub(at[1], at[2]))
			assert(#e:find_all_string_submatch(s)[i] == e:num_subexp() + 1)
		end
		e:replace_all_string(s, template)
		assert(#e:split(s, 2) <= 2 and #e:subexp_names() == e:num_subexp() + 1)`)
	f.Fuzz(func(t *testing.T, pattern, s, template string) {
		if len(s) > 1000 {
			return // the program is quadratic
		}
		if _, err := b.Exec(program, moduletest.Input(pattern, s, template)); err != nil {
			t.Errorf("%v", err)
		}
	})
}
