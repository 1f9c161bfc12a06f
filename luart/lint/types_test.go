package lint_test

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wippyrun/kit/luart/lint"
)

// checkTypes lints a source for types alone.
func checkTypes(text string) []lint.Diagnostic {
	ds := lint.Check(lint.Source{Name: "app:x", Text: text}, lint.Options{Types: true})
	slices.SortStableFunc(ds, func(a, b lint.Diagnostic) int { return cmp.Or(a.Line-b.Line, a.Column-b.Column) })
	return ds
}

const person = "type Person = {name: string, age: number, nick?: string}\n"

func TestTypeErrors(t *testing.T) {
	for _, c := range []struct{ name, source, want string }{
		{"assign", `local x: number = "hello"`, `E0000 error 1:19 cannot assign "hello" to number`},
		{"assign nil", `local x: number = nil`, `E0000 error 1:19 cannot assign nil to number`},
		{"several", `local a: string, b: boolean = 1, "x"`, "E0000 error 1:31 cannot assign 1 to string\nE0000 error 1:34 cannot assign \"x\" to boolean"},
		{"integer", "local a: integer = 3.5\nlocal b: integer = 3\nlocal c: number = 3", "E0000 error 1:20 cannot assign 3.5 to integer"},
		{"union", `local x: number | string = true`, `E0000 error 1:28 cannot assign true to number | string`},
		{"union fits", `local x: number | string = 1 local y: string? = nil local z: string? = "a"`, ""},
		{"literal type", `local m: "fast" | "safe" = "slow"`, `E0000 error 1:28 cannot assign "slow" to "fast" | "safe"`},
		{"literal type fits", "local m: \"fast\" | \"safe\" = \"fast\"\nlocal s: string = \"x\"\nm = s", ""},
		{"result that may be nil", "local function opt(): number? return nil end\nlocal x: number = opt()", "E0000 error 2:19 cannot assign number? to number"},
		{"narrowed", "local function opt(): number? return nil end\nlocal x = opt()\nif x ~= nil then local y: number = x end\nlocal z: number? = opt()\nif z then local w: number = z end", ""},
		{"variable", "local s: string = \"a\"\nlocal n: number = s", "E0000 error 2:19 cannot assign string to number"},
		{"later assignment", "local n: number = 1\nn = \"x\"\nn = 2", `E0000 error 2:5 cannot assign "x" to number`},
		{"computed", `local a: string = 1 + 2 local b: number = "a" .. "b" local c: string = 1 < 2 local d: number = -1 local e: string = not 1`,
			"E0000 error 1:19 cannot assign number to string\nE0000 error 1:43 cannot assign string to number\nE0000 error 1:72 cannot assign boolean to string\nE0000 error 1:117 cannot assign boolean to string"},
		{"cast", "local x: number = \"a\" as any\nlocal y: number = \"a\" :: number\nlocal z: number = \"a\" as string\nlocal w: number = opt()!", "E0000 error 3:19 cannot assign string to number"},
		{"function and table", "local f: number = function() end\nlocal t: string = {1}\nlocal g: (number) -> number = function(n) return n end", "E0000 error 1:19 cannot assign function to number\nE0000 error 2:19 cannot assign {number} to string"},
		{"validated", `local x: number @min(0) = "a"`, `E0000 error 1:27 cannot assign "a" to number`},
		{"not enough", "local function add(a: number, b: number) return a + b end\nadd(1)", "E0003 error 2:1 not enough arguments"},
		{"too many", "local function add(a: number, b: number) return a + b end\nadd(1, 2, 3)", "E0003 error 2:1 too many arguments"},
		{"argument", "local function greet(n: string) end\ngreet(42)", "E0000 error 2:7 argument 1: expected string, got 42"},
		{"optional argument", "local function f(a: number, b: string?, c) end\nf(1)\nf(1, nil, 2)", ""},
		{"any number of arguments", "local function f(a: number, b: string) end\nf(g())\nf(...)\nf(1, g())\nlocal function h(a: number, ...) end\nh(1, 2, 3)\nlocal function n(): number return 1 end\nn(1)", ""},
		{"one value of a call", "local function f(a: number, b: string) end\nf((g()))", "E0003 error 2:1 not enough arguments"},
		{"function that changes", "local function f(a: number) end\nf = g\nf()", ""},
		{"unannotated", "local function f(a, b) end\nf() f(1, 2, 3)", ""},
		{"generic", "local function f<T>(x: T): T return x end\nlocal s: string = f(1)\nf(\"a\")", ""},
		{"no function", "local x: number = 42\nx()", "E0002 error 2:1 expected function, got number"},
		{"literal called", `("a")(); ({})()`, "E0002 error 1:2 expected function, got \"a\"\nE0002 error 1:11 expected function, got {}"},
		{"text in arithmetic", `print("a" + 1, "10" + 1, "0x10" * 2)`, `E0019 error 1:7 cannot perform arithmetic on "a", expected number`},
		{"booleans in arithmetic", "print(true + false)", "E0019 error 1:7 cannot perform arithmetic on true, expected number\nE0019 error 1:14 cannot perform arithmetic on false, expected number"},
		{"other operands", "print({} .. 'a', -nil, #5, {} < 1, 'a' < 1, 1 < 2, 'a' < 'b')", "E0019 error 1:7 cannot concatenate {}, expected string or number\n" +
			"E0019 error 1:18 cannot apply unary - to nil, expected number\nE0019 error 1:24 cannot apply length operator to 5, expected string or table\n" +
			"E0019 error 1:28 cannot compare {}, expected orderable type\nE0019 error 1:36 cannot compare \"a\" with 1, expected both operands to be numbers or both strings"},
		{"index of a number", "local n: number = 42\nprint(n.f)", "E0000 error 2:7 cannot index type number"},
		{"loop bounds", "for i = 1, {} do print(i) end\nfor i = true, 2 do print(i) end", "E0000 error 1:12 for loop limit must be numeric, got {}\nE0000 error 2:9 for loop init must be numeric, got true"},
		{"field", person + "local p: Person = {name = \"a\", age = 1}\nlocal y = p.unknown\nlocal z = p.nmae", "E0004 error 3:13 field 'unknown' does not exist on type Person\nE0004 error 4:13 field 'nmae' does not exist on type Person (did you mean \"name\"?)"},
		{"probed field", person + "local p: Person = {name = \"a\", age = 1}\nif p.unknown then end\nlocal a = p.unknown or 1\nlocal b = not p.unknown\nprint(type(p.unknown))\nwhile p.unknown == nil do break end", ""},
		{"record", person + "local a: Person = {name = 1, age = 2}\nlocal b: Person = {name = \"x\"}\nlocal c: Person = {}\nlocal d: Person = {name = \"x\", age = 1, nick = nil, more = 1}",
			"E0000 error 2:27 cannot assign 1 to string\nE0000 error 3:19 cannot assign {name: string} to Person: field 'age' is missing"},
		{"field assignment", person + "local p: Person = {name = \"a\", age = 1}\np.name = 5\np.nick = nil\np.other = 1", "E0000 error 3:10 cannot assign 5 to string"},
		{"array and map", "local a: {string} = {\"a\", 1}\nlocal m: {[string]: number} = {a = 1, b = \"x\"}\nm.c = nil\nm.d = true\na[1] = 2\nlocal e: {string} = {f()}",
			"E0000 error 1:27 cannot assign 1 to string\nE0000 error 2:43 cannot assign \"x\" to number\nE0000 error 4:7 cannot assign true to number\nE0000 error 5:8 cannot assign 2 to string"},
		{"field read", person + "local p: Person = {name = \"a\", age = 1}\nlocal a: number = p.name\nlocal b: string = p.nick\nlocal c: number = p.age\np.name.x = 1", "E0000 error 3:19 cannot assign string to number"},
		{"nested", "type T = {list: {{n: number}}}\nlocal t: T = {list = {{n = 1}, {n = \"x\"}}}", `E0000 error 2:37 cannot assign "x" to number`},
		{"optional record", person + "local p: Person? = {name = 1, age = 1}\nlocal q: Person | string = {name = 1, age = 1}", "E0000 error 2:28 cannot assign 1 to string\nE0000 error 3:36 cannot assign 1 to string"},
		{"records to each other", person + "type Named = {name: string}\nlocal p: Person = {name = \"a\", age = 1}\nlocal n: Named = p\nlocal o: Person = n", "E0000 error 5:19 cannot assign Named to Person"},
		{"recursive types", "type L = {next: L?, v: number}\nlocal a: L = {v = 1, next = {v = \"x\"}}\ntype A = B\ntype B = A\nlocal b: A = 1", `E0000 error 2:34 cannot assign "x" to number`},
		{"return", "local function f(): number return \"x\" end\nlocal function g(): (number, string) return 1, 2 end", "E0000 error 1:35 cannot return \"x\", expected number\nE0000 error 2:48 cannot return 2 at position 2, expected string"},
		{"failure", "local function f(): number return nil, 'why' end\nlocal function g(): number return nil end", "E0000 error 2:35 cannot return nil, expected number"},
		{"missing return", "local function f(): number end", "E0010 error 1:7 missing return"},
		{"empty return", "local function f(): number\n  return\nend", "E0010 error 2:3 missing return"},
		{"second value", "local function f(): (number, string) return 1 end", "E0010 error 1:38 missing return value at position 2 (expected string)"},
		{"results that may be nil", "local function f(): number? end local function g(): (number, string?) return 1 end local function h(): any end local function i(): () end", ""},
		{"all ways return", "local function f(a): number if a then return 1 elseif b then return 2 else error('x') end end\nlocal function g(): number while true do end end\n" +
			"local function h(): number repeat return 1 until true end\nlocal function i(): number do return 1 end end\nlocal function j(): number assert(false) end", ""},
		{"one way does not", "local function f(a): number if a then return 1 end end\nlocal function g(): number while true do break end end\nlocal function h(): number for _ = 1, 2 do return 1 end end",
			"E0010 error 1:7 missing return\nE0010 error 2:7 missing return\nE0010 error 3:7 missing return"},
		{"jumps", "local function f(): number ::top:: goto top end", ""},
		{"results of a call", "local function f(): (number, string) return g() end", ""},
		{"unknown types", "local x: Nowhere = 1 local y: lib.T = \"a\" local z: Channel<number> = {} local e: error = \"x\"", ""},
		{"two of a name", "do type T = number end\ndo type T = string\nlocal x: T = 1 end", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := strings.TrimSuffix(lines(checkTypes(c.source)), "\n"); got != c.want {
				t.Errorf("%s\n%s\nwant\n%s", c.source, got, c.want)
			}
		})
	}
}

// Types that refer to one another in exponentially many ways are compared in no time.
func TestWideRecursiveTypesAreCompared(t *testing.T) {
	fields := "a: %?, b: %?, c: %?, d: %?"
	source := "type T = {" + strings.ReplaceAll(fields, "%", "T") + ", x: number}\n" +
		"type U = {" + strings.ReplaceAll(fields, "%", "U") + ", x: string}\n" +
		"type V = {" + strings.ReplaceAll(fields, "%", "V") + ", x: number}\n" +
		"local function f(t: T)\n  local u: U = t\n  local v: V = t\nend\nf()"
	want := "E0000 error 5:16 cannot assign T to U\nE0003 error 8:1 not enough arguments\n"
	if got := lines(checkTypes(source)); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// Programs that run do not contradict themselves. Those that call what is wrong on purpose, to see the error, are left out.
func TestTypedProgramsAreClean(t *testing.T) {
	files, err := filepath.Glob("../../wippy/examples/*/src/*.lua")
	more, err2 := filepath.Glob("../../wippy/examples/*/src/*/*.lua")
	files = append(files, more...)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range checkTypes(string(text)) {
			if d.Code != lint.CodeUndeclared {
				t.Errorf("%s: %s", name, d.Render(false))
			}
		}
	}
}
