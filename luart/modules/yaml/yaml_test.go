// SPDX-License-Identifier: Apache-2.0

package yaml_test

import (
	"testing"

	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
	"github.com/wippyrun/kit/luart/modules/yaml"
)

func TestAcceptanceFacts(t *testing.T) {
	b := moduletest.New(t, yaml.Module())
	for name, body := range map[string]string{
		"11 integers": `
			assert(yaml.encode({port = 8080}) == "port: 8080\n")
			assert(yaml.encode({count = 1000000}) == "count: 1000000\n")`,
		"12 field order": `assert(yaml.encode({zebra = 1, alpha = 2, name = "t", kind = "d"},
			{field_order = {"name", "kind"}, sort_unordered = true}) == "name: t\nkind: d\nalpha: 2\nzebra: 1\n")`,
		"14 keys are text":       `assert(yaml.decode("1: x")["1"] == "x")`,
		"14 yes is text":         `assert(yaml.decode("a: yes").a == "yes")`,
		"14 first document only": `assert(yaml.decode("---\na: 1\n---\nb: 2").b == nil)`,
	} {
		t.Run(name, func(t *testing.T) { b.Check(t, body) })
	}
	b.CheckFailures(t, []moduletest.Failure{
		{Name: "13 encode a string", Call: `yaml.encode("x")`, Kind: "Invalid", Text: "table expected"},
		{Name: "13 decode nothing", Call: `yaml.decode("")`, Kind: "Invalid", Text: "input cannot be empty"},
		{Name: "13 open list", Call: `yaml.decode("a: [1,2")`, Kind: "Internal", Text: "yaml: line 1"},
		{Name: "13 the same key twice", Call: `yaml.decode("a: 1\na: 2")`, Kind: "Internal", Text: `yaml: line 2: mapping key "a" already defined`},
	})
}

func TestEncode(t *testing.T) {
	b := moduletest.New(t, yaml.Module())
	for _, c := range []struct{ call, want string }{
		{`{}`, "{}\n"},
		{`{1, "two", {3}}`, "- 1\n- two\n- - 3\n"},
		{`{[3] = "c"}`, "- null\n- null\n- c\n"},
		{`{1, dropped = 2}`, "- 1\n"},
		{`{[0] = "zero", [true] = "yes!"}`, "\"0\": zero\n\"true\": yes!\n"},
		{`{a = {b = {c = 1}}}`, "a:\n    b:\n        c: 1\n"},
		{`{a = {b = 1}}, {sort_unordered = true}`, "a:\n  b: 1\n"},
		{`{a = {b = 1}}, {field_order = {"x"}}`, "a:\n  b: 1\n"},
		{`{a = {b = 1}}, {field_order = {}}`, "a:\n    b: 1\n"},
		{`{a = {b = 1}}, {field_order = {1, true}, sort_unordered = "yes"}`, "a:\n    b: 1\n"},
		{`{a = {b = 1}}, "options"`, "a:\n    b: 1\n"},
		{`{f10 = 1, f2 = 2, f1 = 3}`, "f1: 3\nf2: 2\nf10: 1\n"},
		{`{f10 = 1, f2 = 2, f1 = 3}, {sort_unordered = true}`, "f1: 3\nf10: 1\nf2: 2\n"},
		{`{f10 = 1, f2 = 2, x = 3, deep = {f2 = 1, x = 2}}, {field_order = {"x", 12, "f2", "x"}}`,
			"x: 3\nf2: 2\ndeep:\n  x: 2\n  f2: 1\nf10: 1\n"},
		{`{"yes", "1", "2024-01-01", "null", "~", "1.5", "0x10", "12:30", "on", "N", "", " x", "a: b", "# c", "true"}`,
			"- \"yes\"\n- \"1\"\n- \"2024-01-01\"\n- \"null\"\n- \"~\"\n- \"1.5\"\n- \"0x10\"\n- \"12:30\"\n- \"on\"\n- \"N\"\n- \"\"\n- ' x'\n" +
				"- 'a: b'\n- '# c'\n- \"true\"\n"},
		{`{yes = 1, ["12"] = 2}`, "\"12\": 2\n\"yes\": 1\n"},
		{`{text = "a\nb\n"}`, "text: |\n    a\n    b\n"},
		{`{text = "a\n  b\n\nc"}`, "text: |-\n    a\n      b\n\n    c\n"},
		{`{text = " a\nb"}`, "text: \" a\\nb\"\n"},
		{`{text = "a\nb"}`, "text: |-\n    a\n    b\n"},
		{`{1.5, -0.25, 1e300, 2^53, 1/0, -1/0, 1e-7}`, "- 1.5\n- -0.25\n- 1e+300\n- 9.007199254740992e+15\n- .inf\n- -.inf\n- 1e-07\n"},
		{`{0/0}`, "- .nan\n"},
		{`{true, false}`, "- true\n- false\n"},
		{`{"\255\0"}`, "- !!binary /wA=\n"},
		{`{errors.new("bad")}`, "- bad\n"},
		{`table.freeze({a = 1})`, "a: 1\n"},
	} {
		t.Run(c.call, func(t *testing.T) {
			b.Check(t, `local want = ... local got, err = yaml.encode(`+c.call+`) assert(err == nil, err) assert(got == want, got)`, c.want)
		})
	}
}

func TestEncodeTheTextOfWhatHasNoForm(t *testing.T) {
	moduletest.New(t, yaml.Module()).Check(t, `assert(yaml.encode({print}):match("^%- 'function: ") or yaml.encode({print}):match("^%- .?function"))`)
}

func TestDecode(t *testing.T) {
	b := moduletest.New(t, yaml.Module())
	for name, body := range map[string]string{
		"nothing but a comment": `local v, err = yaml.decode("# nothing") assert(v == nil and err == nil)`,
		"null":                  `local v, err = yaml.decode("~") assert(v == nil and err == nil)`,
		"scalar":                `assert(yaml.decode("hello") == "hello" and yaml.decode("12") == 12 and yaml.decode("true") == true)`,
		"words of YAML 1.1":     `for _, w in ipairs({"yes", "no", "on", "off", "y", "N"}) do assert(yaml.decode(w) == w) end`,
		"integers": `
			for text, want in pairs({["0"] = 0, ["-3"] = -3, ["+3"] = 3, ["0x10"] = 16, ["0o17"] = 15, ["017"] = 15, ["-017"] = -15,
				["1_000"] = 1000, ["0b101"] = 5, ["9007199254740992"] = 2^53, ["999999999999999"] = 999999999999999}) do
				assert(yaml.decode(text) == want, text)
			end`,
		"integers that are not exact are text": `
			assert(yaml.decode("9007199254740993") == "9007199254740993")
			assert(yaml.decode("-9223372036854775807") == "-9223372036854775807")
			assert(yaml.decode("0x7fffffffffffffff") == "9223372036854775807")`,
		"floats": `
			assert(yaml.decode("1.5") == 1.5 and yaml.decode("1e3") == 1000 and yaml.decode(".inf") == 1/0 and yaml.decode("-.inf") == -1/0)
			assert(yaml.decode("1e300") == 1e300 and yaml.decode("10000000000000000000.0") == 1e19)
			local nan = yaml.decode(".nan") assert(nan ~= nan)`,
		"dates are seconds": `
			assert(yaml.decode("2024-01-01") == 1704067200)
			assert(yaml.decode("2024-01-01T00:00:00+01:00") == 1704063600)
			assert(yaml.decode("'2024-01-01'") == "2024-01-01")`,
		"binary":       `assert(yaml.decode("!!binary aGVsbG8=") == "hello")`,
		"tags":         `assert(yaml.decode("!!str 12") == "12" and yaml.decode("!!int '12'") == 12 and yaml.decode("!mine x") == "x")`,
		"sequences":    `local t = yaml.decode("- 1\n- ~\n- [3, {a: b}]") assert(t[1] == 1 and t[2] == nil and t[3][1] == 3 and t[3][2].a == "b")`,
		"null members": `local t = yaml.decode("a: ~\nb: 1") assert(t.a == nil and t.b == 1)`,
		"empty mapping and sequence": `
			local t = yaml.decode("a: {}\nb: []")
			assert(next(t.a) == nil and next(t.b) == nil)`,
		"keys": `
			local t = yaml.decode("1: a\n0x10: b\n1.5: c\ntrue: d\n~: e\n2024-01-01: f\n!!binary aGk=: g")
			assert(t["1"] == "a" and t["16"] == "b" and t["1.5"] == "c" and t["true"] == "d" and t["null"] == "e")
			assert(t["2024-01-01"] == "f" and t["hi"] == "g")`,
		"aliases are copies": `
			local t = yaml.decode("a: &x {n: 1}\nb: *x\nc: &k key\nd: {*k : 2}")
			assert(t.b.n == 1 and t.a ~= t.b and t.d.key == 2)`,
		"merge": `
			local t = yaml.decode("base: &b {a: 1, b: 2, c: ~}\nt: {<<: *b, b: 3, c: 4}")
			assert(t.t.a == 1 and t.t.b == 3 and t.t.c == 4 and t.t["<<"] == nil)`,
		"merge after the keys":     `local t = yaml.decode("b: &b {a: 1}\nt: {a: 2, <<: *b}") assert(t.t.a == 2)`,
		"merge does not undo null": `local t = yaml.decode("b: &b {a: 1}\nt: {a: ~, <<: *b}") assert(t.t.a == nil)`,
		"merge of several": `
			local t = yaml.decode("x: &x {a: 1}\ny: &y {a: 2, b: 3}\nt: {<<: [*x, *y, {c: 4}]}")
			assert(t.t.a == 1 and t.t.b == 3 and t.t.c == 4)`,
		"merge of merge": `
			local t = yaml.decode("x: &x {a: 1}\ny: &y {<<: *x, b: 2}\nt: {<<: *y, c: 3}")
			assert(t.t.a == 1 and t.t.b == 2 and t.t.c == 3)`,
		"quoted merge is a key":  `assert(yaml.decode("'<<': 1")["<<"] == 1)`,
		"merge as a value":       `assert(yaml.decode("a: <<").a == "<<")`,
		"multi-line text":        `assert(yaml.decode("a: |\n  x\n  y\n").a == "x\ny\n" and yaml.decode("a: >-\n  x\n  y\n").a == "x y")`,
		"the table is read-only": `assert(not pcall(function() yaml.decode = nil end))`,
	} {
		t.Run(name, func(t *testing.T) { b.Check(t, body) })
	}
}

func TestFailures(t *testing.T) {
	moduletest.New(t, yaml.Module()).CheckFailures(t, []moduletest.Failure{
		{Call: `yaml.encode()`, Kind: "Invalid", Text: "table expected"},
		{Call: `yaml.encode(12)`, Kind: "Invalid", Text: "table expected"},
		{Call: `yaml.decode()`, Kind: "Invalid", Text: "string expected"},
		{Call: `yaml.decode(12)`, Kind: "Invalid", Text: "string expected"},
		{Name: "a table in itself", Call: `(function() local t = {} t.t = t return yaml.encode(t) end)()`, Kind: "Internal", Text: "table contains itself"},
		{Name: "the same key text", Call: `yaml.encode({[true] = 1, ["true"] = 2})`, Kind: "Internal", Text: `two keys are written "true"`},
		{Name: "tab", Call: `yaml.decode("a:\n\t- b")`, Kind: "Internal", Text: "cannot start any token"},
		{Name: "unsigned", Call: `yaml.decode("a: 9223372036854775808")`, Kind: "Internal", Text: "yaml: line 1: integer 9223372036854775808 is out of range"},
		{Name: "large", Call: `yaml.decode("a: 100000000000000000000")`, Kind: "Internal", Text: "integer 100000000000000000000 is out of range"},
		{Name: "small", Call: `yaml.decode("a: -9223372036854775809")`, Kind: "Internal", Text: "integer -9223372036854775809 is out of range"},
		{Name: "unknown anchor", Call: `yaml.decode("*x")`, Kind: "Internal", Text: "unknown anchor 'x' referenced"},
		{Name: "an anchor in itself", Call: `yaml.decode("a: &x\n  b: [*x]")`, Kind: "Internal", Text: `yaml: line 2: anchor "x" contains itself`},
		{Name: "a merge of itself", Call: `yaml.decode("&x\n<<: *x")`, Kind: "Internal", Text: `anchor "x" contains itself`},
		{Name: "a merge of a scalar", Call: `yaml.decode("<<: 1")`, Kind: "Internal", Text: "map merge requires map"},
		{Name: "a merge of lists", Call: `yaml.decode("<<: [[{a: 1}]]")`, Kind: "Internal", Text: "map merge requires map"},
		{Name: "two merges", Call: `yaml.decode("<<: {a: 1}\n<<: {b: 1}")`, Kind: "Internal", Text: `mapping key "<<" already defined`},
		{Name: "keys with the same text", Call: `yaml.decode("1: a\n'1': b")`, Kind: "Internal", Text: `yaml: line 2: mapping key "1" already defined`},
		{Name: "null twice", Call: `yaml.decode("a: ~\na: ~")`, Kind: "Internal", Text: `mapping key "a" already defined`},
		{Name: "a mapping as key", Call: `yaml.decode("? {a: 1}\n: b")`, Kind: "Internal", Text: "invalid map key"},
		{Name: "wrong tag", Call: `yaml.decode("!!int x")`, Kind: "Internal", Text: "cannot decode !!str `x` as a !!int"},
		{Name: "wrong null", Call: `yaml.decode("!!null x")`, Kind: "Internal", Text: "cannot decode !!str `x` as a !!null"},
		{Name: "wrong binary", Call: `yaml.decode("!!binary '%'")`, Kind: "Internal", Text: "invalid base64 data"},
		{Name: "no text", Call: `yaml.decode("a: \255")`, Kind: "Internal", Text: "invalid"},
		{Name: "too long", Call: `yaml.decode(string.rep("#", 16 * 2^20 + 1))`, Kind: "Internal", Text: "text is longer than 16777216 bytes"},
		{Name: "too long encoded", Call: `(function()
			local s, t = string.rep("x", 2^20), {}
			for i = 1, 17 do t[i] = s end
			return yaml.encode(t)
		end)()`, Kind: "Internal", Text: "yaml: text is longer than 16777216 bytes"},
	})
}
