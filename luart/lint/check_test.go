package lint_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/luart/lint"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var modules = []string{"json", "time", "sql", "io", "process", "funcs", "http"}

// check lints a source that lists the modules json and io and imports lib.
func check(text string, rules bool) []lint.Diagnostic {
	return lint.Check(lint.Source{Name: "app:x", Text: text, Modules: []string{"json", "io"}, Imports: []string{"lib"}},
		lint.Options{Rules: rules, Modules: modules})
}

// lines renders diagnostics one per line: code, place, message and help.
func lines(ds []lint.Diagnostic) string {
	var b strings.Builder
	for _, d := range ds {
		fmt.Fprintf(&b, "%s %s %d:%d %s", d.Code, d.Severity, d.Line, d.Column, d.Message)
		if d.Help != "" {
			b.WriteString(" (" + d.Help + ")")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestErrors(t *testing.T) {
	for _, c := range []struct{ name, source, want string }{
		{"declared", `local json, lib = require("json"), require("lib")`, ""},
		{"ambient", `require("process") require("channel") require("errors") require("os") require("string")`, ""},
		{"undeclared require", "local x = 1\nlocal nope = require('nope')", `E0001 error 2:14 require("nope") is not declared in _index.yaml imports or modules` + "\n"},
		{"known module", `local t = require("time")`, `E0001 error 1:11 require("time") is not declared in _index.yaml imports or modules (add it to the entry: modules: [time])` + "\n"},
		{"mistyped", `local j = require("jsom")`, `E0001 error 1:11 require("jsom") is not declared in _index.yaml imports or modules (did you mean "json"?)` + "\n"},
		{"every call", "require('a1b2')\nf(require('a1b2').x)", "E0001 error 1:1 require(\"a1b2\") is not declared in _index.yaml imports or modules\n" +
			"E0001 error 2:3 require(\"a1b2\") is not declared in _index.yaml imports or modules\n"},
		{"call without parentheses", `require "nope"`, "E0001 error 1:1 require(\"nope\") is not declared in _index.yaml imports or modules\n"},
		{"not a literal", `local name = "x" require(name) require(name .. "y") require()`, ""},
		{"own require", `local function require(x) return x end require("nope")`, ""},
		{"module as global", "local function f()\n  return time.now()\nend", `E0001 error 2:10 module "time" is not declared in _index.yaml modules (add it to the entry: modules: [time])` + "\n"},
		{"method of a module", "sql:get()", `E0001 error 1:1 module "sql" is not declared in _index.yaml modules (add it to the entry: modules: [sql])` + "\n"},
		{"once per module", "time.now() time.now()", `E0001 error 1:1 module "time" is not declared in _index.yaml modules (add it to the entry: modules: [time])` + "\n"},
		{"tested for presence", "if time then time.now() end", ""},
		{"assigned", "time = {now = f} time.now()", ""},
		{"local of the name", "local time = {} time.now()", ""},
		{"parameter of the name", "local function f(time) time.now() end", ""},
		{"declared module", "json.encode(1) io.print(2)", ""},
		{"always there", "process.send(1) string.upper('x')", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := lines(check(c.source, false)); got != c.want {
				t.Errorf("%s\n%swant\n%s", c.source, got, c.want)
			}
		})
	}
}

func TestVisibleNamesNeedNoDeclaration(t *testing.T) {
	s := lint.Source{Name: "app:x", Text: "return time.now() + helper.x", Visible: []string{"time", "helper"}}
	if ds := lint.Check(s, lint.Options{Rules: true, Modules: modules}); len(ds) > 0 {
		t.Error(lines(ds))
	}
}

func TestRules(t *testing.T) {
	for _, c := range []struct{ name, source, want string }{
		{"empty if", "if a then end", "W0001 warning 1:1 empty if block\n"},
		{"empty elseif", "if a then print(1)\nelseif b then\nelse end", "W0001 warning 2:1 empty if block\n"},
		{"empty else, do and function", "if a then print(1) else end do end print(function() end)", ""},
		{"empty loops", "while a do end\nrepeat until a\nfor _ = 1, 2 do end\nfor _ in a do end",
			"W0001 warning 1:1 empty while block\nW0001 warning 2:1 empty repeat block\nW0001 warning 3:1 empty for block\nW0001 warning 4:1 empty for block\n"},
		{"empty in an argument", "print(function() while a do end end)", "W0001 warning 1:18 empty while block\n"},
		{"empty in a cast", "print(function() while a do end end as any)", ""},
		{"global assignment", "x = 1\na.b = 2\nprint(x)", "W0002 warning 1:1 assignment to global variable 'x'; consider using 'local'\n"},
		{"several targets", "local a\na, b = 1, 2\nprint(a)", "W0002 warning 2:4 assignment to global variable 'b'; consider using 'local'\n"},
		{"global function", "function f() end\nfunction a.f() end\nfunction a:m() end\nlocal g function g() end print(g)",
			"W0002 warning 1:10 function 'f' declared as global; consider using 'local function'\n"},
		{"in a block and in a function", "do x = 1 end\nlocal function f() y = 1 end\nf()", "W0002 warning 1:4 assignment to global variable 'x'; consider using 'local'\n"},
		{"standard name", "string = 1 time = 2", ""},
		{"self comparison", "print(b == b)", "W0003 error 1:7 comparison of identical expressions; result is always true\n"},
		{"all operators", "print(b ~= b, b <= b, b < b)", "W0003 error 1:7 comparison of identical expressions; result is always false\n" +
			"W0003 error 1:15 comparison of identical expressions; result is always true\nW0003 error 1:23 comparison of identical expressions; result is always false\n"},
		{"paths and literals", "print(b.c[1] == b.c[1], 'x' == 'x', 1 > 1)", "W0003 error 1:7 comparison of identical expressions; result is always true\n" +
			"W0003 error 1:25 comparison of identical expressions; result is always true\nW0003 error 1:37 comparison of identical expressions; result is always false\n"},
		{"different and calls", "print(b.c == b.d, b() == b(), b == c, nil == nil)", ""},
		{"comparison in a cast", "print((b == b) as any)", ""},
		{"unused local", "local v = 1", "W0004 warning 1:7 variable 'v' is declared but never used\n"},
		{"assigned only", "local v\nv = 2", "W0004 warning 1:7 variable 'v' is declared but never used\n"},
		{"unused function", "local function f() end", "W0004 warning 1:16 variable 'f' is declared but never used\n"},
		{"used as index base and key", "local t, k = {}, 1\nt[k] = 2", ""},
		{"one of several", "local v, w = 1, 2\nprint(w)", "W0004 warning 1:7 variable 'v' is declared but never used\n"},
		{"loop variables", "for i = 1, 2 do print(1) end\nfor k, v in pairs({}) do print(v) end",
			"W0004 warning 1:5 loop variable 'i' is declared but never used\nW0004 warning 2:5 loop variable 'k' is declared but never used\n"},
		{"read in a closure and in until", "local v = 1 print(function() return v end)\nrepeat local w = 1 until w", ""},
		{"underscore", "local _v = 1 for _ = 1, 2 do print(1) end print(function(_a) end) local _ = require('json')", ""},
		{"looked into", "local f = function() local v end\nlocal t = {}\nt.x = function() local w end\nreturn function() local x end, f",
			"W0004 warning 1:28 variable 'v' is declared but never used\nW0004 warning 3:24 variable 'w' is declared but never used\nW0004 warning 4:25 variable 'x' is declared but never used\n"},
		{"not looked into", "print(function() local v end)\nreturn {f = function(p) local w end}", ""},
		{"unused parameter", "local function f(p, q, ...) return q end\nf()", "W0005 hint 1:7 parameter 'p' is unused\n"},
		{"self and dots", "local t = {}\nfunction t:m(...) end\nfunction t.n(self) end", ""},
		{"unused require", "local json = require('json')", "W0004 warning 1:7 variable 'json' is declared but never used\nW0006 warning 1:7 imported module 'json' is never used\n"},
		{"in a function statement", "function a.b() local json = require('json') end", "W0004 warning 1:22 variable 'json' is declared but never used\nW0006 warning 1:22 imported module 'json' is never used\n"},
		{"in a local function", "local function f() local json = require('json') end f()", "W0004 warning 1:26 variable 'json' is declared but never used\n"},
		{"used in a type only", "local lib = require('lib')\nlocal v: {lib.Config}? = nil\nprint(v)", ""},
		{"used by typeof", "local v = 1\nlocal w: typeof(v) = 2\nprint(w)", ""},
		{"shadowed", "local v = 1\nlocal function f(v) return v end\nprint(f, v)\nlocal v = 2\nprint(v)",
			"W0007 hint 2:18 variable 'v' shadows a variable in an outer scope\nW0007 hint 4:7 variable 'v' shadows a variable in an outer scope\n"},
		{"shadowed by a loop", "local i = 0\nfor i = 1, 2 do print(i) end\nprint(i)", "W0007 hint 2:5 variable 'i' shadows a variable in an outer scope\n"},
		{"out of scope", "do local v = 1 print(v) end\nlocal v = 2\nprint(v)", ""},
		{"undefined", "local function foo() end\nfooo()\nfoo()", "W0008 warning 2:1 undefined global 'fooo' (did you mean \"foo\"?)\n"},
		{"defined somewhere", "local function f() return later end\nfunction later() end f()", "W0002 warning 2:10 function 'later' declared as global; consider using 'local function'\n"},
		{"operators and types", "type P = {x: number}\nprint(P:is({}), integer(1), 7 // 2, 1 & 3, ~0)", ""},
		{"recursion", "local f = function(n) return f(n - 1) end\nf(1)", ""},
		{"goto", "for i = 1, 3 do if i == 2 then goto continue end print(i) ::continue:: end", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var kept []lint.Diagnostic
			for _, d := range check(c.source, true) {
				// The sources use names of nowhere and little of what is declared: other tests are about that.
				if d.Field == "" && (d.Code != lint.CodeUndefined || strings.Contains(c.want, lint.CodeUndefined)) {
					kept = append(kept, d)
				}
			}
			slices.SortStableFunc(kept, func(a, b lint.Diagnostic) int { return cmp.Or(a.Line-b.Line, a.Column-b.Column) })
			if got := lines(kept); got != c.want {
				t.Errorf("%s\n%swant\n%s", c.source, got, c.want)
			}
		})
	}
}

func TestUnusedDeclarationsAreNamedByField(t *testing.T) {
	ds := check("return 1", true)
	if len(ds) != 3 || ds[0].Field != "modules.io" || ds[1].Field != "modules.json" || ds[2].Field != "imports.lib" {
		t.Fatalf("%+v", ds)
	}
	if got, want := lines(ds), "W0009 warning 0:0 module 'io' is listed in modules but never used\n"+
		"W0009 warning 0:0 module 'json' is listed in modules but never used\nW0010 warning 0:0 import 'lib' is declared but never used\n"; got != want {
		t.Errorf("%s", got)
	}
	if ds := check("return json, io.x, require('lib')", true); len(ds) > 0 {
		t.Error(lines(ds))
	}
}

func TestSyntaxErrorsCarryTheirRendering(t *testing.T) {
	ds := check("local x = 1\nlocal y = = 2\n", true)
	if len(ds) != 1 || ds[0].Code != lint.CodeSyntax || ds[0].Severity != lint.Error || ds[0].Line != 0 {
		t.Fatalf("%+v", ds)
	}
	for _, want := range []string{"error: syntax error: unexpected '='", " --> app:x:2:11", "2 | local y = = 2", "  |           ^"} {
		if !strings.Contains(ds[0].Message, want) || !strings.Contains(ds[0].Render(false), want) {
			t.Errorf("%q is missing in\n%s", want, ds[0].Message)
		}
	}
	if line, column := lint.SyntaxPlace(lint.Source{Text: "\nlocal x = = 2"}); line != 2 || column != 11 {
		t.Errorf("at %d:%d", line, column)
	}
	if line, _ := lint.SyntaxPlace(lint.Source{Text: "return 1"}); line != 0 {
		t.Errorf("line %d of no error", line)
	}
	// What only the compiler notices.
	var b strings.Builder
	for i := range 201 {
		fmt.Fprintf(&b, "local v%d = %d\n", i, i)
	}
	ds = check(b.String(), false)
	if len(ds) != 1 || ds[0].Code != lint.CodeSyntax || !strings.Contains(ds[0].Message, "too many local variables") {
		t.Errorf("%.300v", ds)
	}
}

// Whatever runs passes: the sources of all examples and scripts of the engine.
func TestPlainProgramsAreClean(t *testing.T) {
	files, err := filepath.Glob("../engine/testdata/*.lua")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range lint.Check(lint.Source{Name: name, Text: string(text), Modules: []string{"test"}}, lint.Options{Modules: modules}) {
			t.Error(d.Render(false))
		}
	}
}

func TestRender(t *testing.T) {
	s := lint.Source{Name: "app:x", Text: strings.Repeat("\n", 11) + "\tlocal unused\t= 1 == 1"}
	ds := lint.Check(s, lint.Options{Rules: true})
	if len(ds) != 2 {
		t.Fatal(lines(ds))
	}
	want := `error[W0003]: comparison of identical expressions; result is always true
  --> app:x:12:17
   |
12 |         local unused    = 1 == 1
   |                           ^~~~~~`
	if got := ds[0].Render(false); got != want {
		t.Errorf("\n%s\nwant\n%s", got, want)
	}
	ds[1].File, ds[1].Help = "src/x.lua:12:8", "use it"
	want = `warning[W0004]: variable 'unused' is declared but never used
  --> app:x:12:8 (src/x.lua:12:8)
   |
12 |         local unused    = 1 == 1
   |               ^~~~~~
   = help: use it`
	if got := ds[1].Render(false); got != want {
		t.Errorf("\n%s\nwant\n%s", got, want)
	}
	colored := ds[1].Render(true)
	for _, want := range []string{"\x1b[1;33mwarning[W0004]\x1b[0m: \x1b[1mvariable", "\x1b[1;34m12 |\x1b[0m"} {
		if !strings.Contains(colored, want) {
			t.Errorf("%q is missing in %q", want, colored)
		}
	}
	d := lint.Diagnostic{Entry: "app:x", Code: "R0001", Severity: lint.Hint, Message: "m", File: "src/_index.yaml:3:5"}
	if got, want := d.Render(false), "hint[R0001]: m\n --> src/_index.yaml:3:5 (app:x)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestSeverities(t *testing.T) {
	for text, want := range map[string]lint.Severity{"hint": lint.Hint, "Warning": lint.Warning, "WARN": lint.Warning, "error": lint.Error, "what": lint.Error, "": lint.Error} {
		if got := lint.ParseSeverity(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func FuzzCheck(f *testing.F) {
	for _, s := range []string{
		"local x = require('json')\r\nreturn x.y == x.y", "if a then elseif b then end", "for i = 1, 2 do end for k, v in p do v = k end",
		"type T = {a: lib.X}\nlocal x: T? = (y as T)!", "function a.b:c(self, ...) return ~arg[1] // 2 end", "local f = function() return f end",
		"\t\xffé = 'é'\n--[[\n]] x = 1", "goto x ::x:: repeat local y until y", "a, b.c = b, a", "return function() time.x() end",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, d := range append(check(text, true), checkTypes(text)...) {
			if d.Code == lint.CodeSyntax || d.Field != "" {
				continue
			}
			if d.Line < 1 || d.Column < 1 || d.Column > len(d.Excerpt)+1 || !strings.Contains(text, d.Excerpt) {
				t.Errorf("%q: %+v", text, d)
			}
			if d.EndColumn != 0 && d.EndColumn < d.Column {
				t.Errorf("%q: ends before it begins: %+v", text, d)
			}
			if i := strings.Index(d.Message, "'"); i >= 0 && d.Code == lint.CodeUnusedLocal {
				name := d.Message[i+1 : strings.LastIndex(d.Message, "' is")]
				if got := d.Excerpt[d.Column-1 : d.EndColumn-1]; got != name {
					t.Errorf("%q: %q stands where %q is said to be", text, got, name)
				}
			}
			d.Render(true)
		}
	})
}

func TestEveryCodeHasASource(t *testing.T) {
	for code, source := range map[string]string{
		lint.CodeSyntax:       "local",
		lint.CodeMismatch:     `local x: number = "a" return x`,
		lint.CodeUndeclared:   `return require("nope")`,
		lint.CodeNotCallable:  "local x: number = 1 return x()",
		lint.CodeArity:        "local function f(a: number) return a end return f()",
		lint.CodeNoField:      "type P = {x: number} local p: P = {x = 1} return p.y",
		lint.CodeNoReturn:     "local function f(): number end return f",
		lint.CodeOperand:      "return true + 1",
		lint.CodeEmptyBlock:   "while a do end",
		lint.CodeGlobalAssign: "x = 1 return x",
		lint.CodeSelfCompare:  "return a == a",
		lint.CodeUnusedLocal:  "local v = 1",
		lint.CodeUnusedParam:  "local function f(p) return 1 end return f",
		lint.CodeUnusedImport: "local json = require('json')",
		lint.CodeShadowed:     "local v = 1 return function(v) return v end, v",
		lint.CodeUndefined:    "return nowhere",
		lint.CodeModuleUnused: "return 1",
		lint.CodeAliasUnused:  "return 2",
	} {
		ds := lint.Check(lint.Source{Name: "app:x", Text: source, Modules: []string{"json"}, Imports: []string{"lib"}},
			lint.Options{Rules: true, Types: true, Modules: modules})
		if !slices.ContainsFunc(ds, func(d lint.Diagnostic) bool { return d.Code == code }) {
			t.Errorf("%s: %s\n%s", code, source, lines(ds))
		}
	}
}

func TestFunctionsOfOtherEntriesMayNeedMore(t *testing.T) {
	source := lint.Source{Name: "app:x", Modules: []string{"json"}, Elsewhere: []string{"json", "sql", "time"}, Text: `
local json = require("json")
local function other() local sql = require("sql") return sql, time.now(), json end
local function wrong() return require("html") end
return {other = other, wrong = wrong}`}
	ds := lint.Check(source, lint.Options{Modules: []string{"json", "sql", "time", "html"}})
	if len(ds) != 1 || ds[0].Line != 4 {
		t.Errorf("in functions:\n%s", lines(ds))
	}
	source.Text = `local sql = require("sql") return sql`
	if ds = lint.Check(source, lint.Options{Modules: []string{"json", "sql"}}); len(ds) != 1 || ds[0].Code != lint.CodeUndeclared {
		t.Errorf("when the source is loaded:\n%s", lines(ds))
	}
}

func TestSortShowsTheWorstOfAnEntryFirst(t *testing.T) {
	ds := []lint.Diagnostic{
		{Entry: "b", Severity: lint.Error, Line: 1},
		{Entry: "a", Severity: lint.Hint, Line: 1},
		{Entry: "a", Severity: lint.Error, Line: 9},
		{Entry: "a", Severity: lint.Error, Line: 3, Column: 2, Code: "E2"},
		{Entry: "a", Severity: lint.Error, Line: 3, Column: 2, Code: "E1"},
		{Entry: "a", Severity: lint.Error, Line: 3, Column: 1},
	}
	lint.Sort(ds)
	var got strings.Builder
	for _, d := range ds {
		fmt.Fprintf(&got, "%s %s %d:%d%s, ", d.Entry, d.Severity, d.Line, d.Column, d.Code)
	}
	if want := "a error 3:1, a error 3:2E1, a error 3:2E2, a error 9:0, a hint 1:0, b error 1:0, "; got.String() != want {
		t.Errorf("got %s\nwant %s", &got, want)
	}
}
