// SPDX-License-Identifier: Apache-2.0

package expr_test

import (
	"testing"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/expr"
	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
)

// tools are Lua functions that the programs of the tests use.
const tools = `
	local eval, compile = expr.eval, expr.compile
	local function same(a, b)
		if type(a) ~= "table" or type(b) ~= "table" then return a == b end
		for k, v in pairs(a) do if not same(v, b[k]) then return false end end
		for k in pairs(b) do if a[k] == nil then return false end end
		return true
	end
	local function gives(want, source, env)
		local v, err = eval(source, env)
		assert(err == nil, tostring(err))
		assert(same(v, want), tostring(v))
	end
	local function fails(kind, text, v, err)
		assert(v == nil and err, "no error")
		assert(err:kind() == kind and err:retryable() == false, err:kind())
		assert(string.find(err:message(), text, 1, true), err:message())
	end
`

func check(t *testing.T, programs map[string]string) {
	t.Helper()
	b := moduletest.New(t, expr.Module())
	for name, body := range programs {
		t.Run(name, func(t *testing.T) { b.Check(t, tools+body) })
	}
}

func TestAcceptanceFacts(t *testing.T) {
	check(t, map[string]string{
		"42 remainder":    `assert(expr.eval("x % 2", {x = 5}) == 1)`,
		"42 division":     `assert(expr.eval("10 / 4") == 2.5)`,
		"42 nothing":      `fails("Invalid", "expression cannot be empty", expr.eval(""))`,
		"42 syntax":       `fails("Internal", "unexpected token", expr.eval("((("))`,
		"42 missing name": `fails("Internal", "<nil>", expr.compile("x + y"):run({x = 1}))`,
		"42 nil":          `local v, err = expr.eval("nil") assert(v == nil and err == nil)`,
		"43 unknown name": `fails("Internal", "unknown name zzz", expr.compile("value + zzz", {value = 0}))`,
	})
}

func TestEval(t *testing.T) {
	check(t, map[string]string{
		"numbers": `
			gives(7, "1 + 2 * 3") gives(1, "7 % 3") gives(2, "4 / 2") gives(8, "2 ** 3") gives(-3, "-x", {x = 3})
			gives(1.5, "x + 1", {x = 0.5}) gives(2, "items[n - 1]", {items = {1, 2, 3}, n = 2})
			gives("9007199254740993", "9007199254740993")`,
		"text":  `gives("ab", '"a" + "b"') gives(true, '"abc" contains "b"') gives(true, '"abc" matches "^a.c$"') gives("AB", 'upper("ab")')`,
		"logic": `gives(true, "a and not b", {a = true, b = false}) gives("yes", "x > 1 ? 'yes' : 'no'", {x = 2}) gives(5, "missing ?? 5", {})`,
		"lists": `
			gives({2, 4}, "filter(items, # % 2 == 0)", {items = {1, 2, 3, 4}})
			gives({1, 4, 9}, "map(1..3, # * #)") gives(6, "sum([1, 2, 3])") gives(3, "len(items)", {items = {1, 2, 3}})
			gives({1, 2}, "take(items, n)", {items = {1, 2, 3}, n = 2}) gives(true, "2 in items", {items = {1, 2}})
			gives(10, "reduce(1..4, #acc + #)") gives({3, 1}, "reverse([1, 3])") gives({1, 2}, "uniq([1, 2, 1])")
			gives({1, 2, 3}, "concat([1], [2, 3])") gives({1, 2, 3}, "flatten([1, [2, [3]]])") gives({1, 2}, "sort([2, 1])")
			gives(3, "max([1, 3, 2])") gives(2, "mean([1, 2, 3])") gives(2, "median([1, 2, 3])") gives(1, "min(2, 1)")`,
		"maps": `
			gives(1, "user.age", {user = {age = 1}}) gives({a = 1}, "{'a': 1}") gives(true, "'a' in m", {m = {a = 1}})
			gives({a = {{k = "a"}}, b = {{k = "b"}}}, "groupBy(items, .k)", {items = {{k = "a"}, {k = "b"}}})
			gives({{k = 1}, {k = 2}}, "sortBy(items, .k)", {items = {{k = 2}, {k = 1}}})
			gives({"a"}, "keys({'a': 1})") gives({1}, "values({'a': 1})") gives({{"a", 1}}, "toPairs({'a': 1})")
			gives({a = 1}, "fromPairs([['a', 1]])") gives(nil, "user?.address?.city", {user = {}})`,
		"functions of text": `
			gives({"a", "b"}, "split('a,b', ',')") gives({"a,", "b"}, "splitAfter('a,b', ',')") gives("a-b", "join(['a', 'b'], '-')")
			gives("ab", "join(['a', 'b'])") gives("xbx", "replace('aba', 'a', 'x')") gives("xba", "replace('aba', 'a', 'x', 1)")
			gives("aaa", "repeat('a', 3)") gives("[1]", "string([1])") gives("{\n  \"a\": 1\n}", "toJSON({'a': 1})") gives({a = 1}, "fromJSON('{\"a\": 1}')")
			gives("YQ==", "toBase64('a')") gives("a", "fromBase64('YQ==')") gives("a", "'A' | lower() | trim()")`,
		"variables":        `gives(6, "let x = 2; let y = 3; x * y")`,
		"predicates":       `gives(true, "all([1, 2], # > 0)") gives(1, "count([1, 2], # > 1)") gives(2, "find([1, 2], # > 1)") gives(true, "any([{'a': 1}], .a == 1)")`,
		"now is seconds":   `local before = os.time() local now = eval("now()") assert(before <= now and now <= os.time())`,
		"dates":            `gives(1704067200, "date('2024-01-01')")`,
		"a missing name":   `gives(nil, "missing", {}) fails("Internal", "", eval("missing"))`,
		"keys become text": `gives(1, 'm["true"]', {m = {[true] = 1}})`,
		"two results":      `assert(select("#", eval("1")) == 2 and select("#", compile("1")) == 2 and select("#", compile("1"):run()) == 2)`,
		"again and again":  `for i = 1, 3 do gives(i + 1, "x + 1", {x = i}) end`,
		"types may change": `gives("ab", "x + y", {x = "a", y = "b"}) gives(3, "x + y", {x = 1, y = 2})`,
		"the environment":  `gives(2, "len($env)", {a = 1, b = 2}) gives(1, "$env['a']", {a = 1})`,
		"a module within an expression is not there": `for _, name in ipairs({"os", "require", "print"}) do fails("Internal", "", eval(name .. "('x')", {})) end`,
		"the table is read-only":                     `assert(not pcall(function() expr.eval = nil end))`,
	})
}

func TestCompile(t *testing.T) {
	check(t, map[string]string{
		"run": `
			local p, err = compile("x * 2")
			assert(err == nil and p:run({x = 4}) == 8 and p:run({x = 5}) == 10)`,
		"types are checked": `
			fails("Internal", "invalid operation", compile("name * 2", {name = "x"}))
			assert(compile("name * 2", {name = 1}):run({name = 3}) == 6)
			assert(compile("upper(name) + '!'", {name = "x"}):run({name = "a"}) == "A!")
			fails("Internal", "", compile("upper(n)", {n = 1}))
			assert(compile("items[0].a + 1", {items = {{a = 1}}}):run({items = {{a = 41}}}) == 42)
			assert(compile("filter(items, # > 1)[0]", {items = {1}}):run({items = {1, 2}}) == 2)`,
		"without an environment": `
			assert(compile("1 + 1"):run() == 2)
			fails("Internal", "", compile("x"):run())
			fails("Internal", "<nil>", compile("x + 1", {x = 1}):run())`,
		"syntax": `fails("Internal", "unexpected token", compile("1 +"))`,
		"an object of its kind": `
			assert(not pcall(compile("1").run, {}))
			local ok, err = pcall(compile("1").run, "x")
			assert(not ok and tostring(err):find("Program expected", 1, true), err)`,
	})
}

func TestProgramsHaveAType(t *testing.T) {
	b := moduletest.New(t, expr.Module())
	program, err := b.Engine.Link(engine.ProgramSpec{ID: "app:test", Modules: []string{"expr"}, Source: `
		type P = expr.Program
		return function()
			local p: expr.Program = expr.compile("1")
			assert(P:is(p) and not P:is(1))
		end`})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Exec(program, nil); err != nil {
		t.Error(err)
	}
}

func TestFailures(t *testing.T) {
	check(t, map[string]string{
		"nothing":  `fails("Invalid", "expression cannot be empty", compile(""))`,
		"too long": `fails("Invalid", "expression is longer than 65536 bytes", eval(string.rep(" ", 65537)))`,
		"no text raises": `
			for _, f in ipairs({eval, compile}) do
				local ok, err = pcall(f, {})
				assert(not ok and tostring(err):find("bad argument #1", 1, true), err)
				assert(not pcall(f, "1", "env"))
			end`,
		"a list is no environment":    `fails("Invalid", "environment must be a table with names", eval("1", {1, 2}))`,
		"a cycle":                     `local t = {} t.t = t fails("Internal", "table contains itself", eval("t", {t = t}))`,
		"a cycle in what is not used": `local t = {} t.t = t assert(eval("a", {a = 1, t = t}) == 1)`,
		"a cycle in all of it":        `local t = {} t.t = t fails("Internal", "table contains itself", eval("len($env)", t))`,
		"no Lua form":                 `fails("Internal", "has no Lua form", eval('duration("1h")'))`,
		"no form within":              `fails("Internal", "has no Lua form", eval('[now() - now()]'))`,
		"a failure while running":     `fails("Internal", "cannot fetch", eval("x.y.z", {x = {}}))`,
	})
}
