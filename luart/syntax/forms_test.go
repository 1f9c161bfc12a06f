// SPDX-License-Identifier: Apache-2.0

package syntax_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/wippyrun/kit/luart/syntax"
)

// typeTexts lists every form of the type syntax with the text FormatType gives it.
var typeTexts = []struct{ source, text string }{
	{"nil", "nil"},
	{"true", "true"},
	{"false", "false"},
	{`"fast"`, `"fast"`},
	{"[[fast]]", `"fast"`},
	{"3", "3"},
	{"0x10", "16"},
	{"007", "7"},
	{"1.5", "1.5"},
	{"number", "number"},
	{"function", "function"},
	{"type", "type"},
	{"http.Request", "http.Request"},
	{"fs.type", "fs.type"},
	{"http.is", "http.is"},
	{"Channel<Message>", "Channel<Message>"},
	{"Map<string, Array<number>>", "Map<string, Array<number>>"},
	{"A<B<C<D>>>", "A<B<C<D>>>"},
	{"queue.Box<A>", "queue.Box<A>"},
	{"{number}", "number[]"},
	{"number[]", "number[]"},
	{"number[][]", "number[][]"},
	{"{{number}}", "number[][]"},
	{"{A | B}", "(A | B)[]"},
	{"{A?}", "A?[]"},
	{"number[]?", "number[]?"},
	{"{[string]: any}", "{[string]: any}"},
	{`{["a"]: any}`, `{["a"]: any}`},
	{"{}", "{}"},
	{"{a: number}", "{a: number}"},
	{"{a: number, b?: string,}", "{a: number, b?: string}"},
	{"{type: A, as: B, is: C, fun: D, typeof: E, keyof: F, extends: G, interface: H}", "{type: A, as: B, is: C, fun: D, typeof: E, keyof: F, extends: G, interface: H}"},
	{"{readonly: A, asserts: B}", "{readonly: A, asserts: B}"},
	{"readonly {number}", "readonly number[]"},
	{"readonly {[string]: number}", "readonly {[string]: number}"},
	{"readonly {a: number}", "readonly {a: number}"},
	{"interface {a: number}", "{a: number}"},
	{"interface {}", "{}"},
	{"string?", "string?"},
	{"string??", "string??"},
	{"A | B", "A | B"},
	{"A | B | C", "A | B | C"},
	{"A & B", "A & B"},
	{"A | B & C", "A | B & C"},
	{"A | B?", "A | B?"},
	{"nil | \"x\"", `nil | "x"`},
	{"() -> ()", "fun() -> ()"},
	{"() -> A", "fun() -> A"},
	{"(A) -> B", "fun(A) -> B"},
	{"(a: A, B, ...C) -> (D, E)", "fun(a: A, B, ...C) -> (D, E)"},
	{"(...A) -> B", "fun(...A) -> B"},
	{"(is: A) -> B", "fun(is: A) -> B"},
	{"(A) -> B?", "fun(A) -> B?"},
	{"((A) -> B)?", "(fun(A) -> B)?"},
	{"((A) -> B)[]", "(fun(A) -> B)[]"},
	{"((A) -> B) | C", "(fun(A) -> B) | C"},
	{"(A) -> B | C", "fun(A) -> B | C"},
	{"(A) -> (B) -> C", "fun(A) -> fun(B) -> C"},
	{"(A) -> ((B) -> C)", "fun(A) -> fun(B) -> C"},
	{"((A) -> B) -> C", "fun(fun(A) -> B) -> C"},
	{"fun()", "fun()"},
	{"fun(a: A, ...B)", "fun(a: A, ...B)"},
	{"fun(a: A): B", "fun(a: A) -> B"},
	{"fun(): (A, B)", "fun() -> (A, B)"},
	{"fun(): ()", "fun() -> ()"},
	{"typeof(a.b(1))", "typeof(...)"},
	{"keyof(A | B)", "keyof(A | B)"},
	{`A["field"]`, `A["field"]`},
	{"A[K][]", "A[K][]"},
	{"A extends B ? C : D", "A extends B ? C : D"},
	{"A extends B? ? C? : D", "A extends B? ? C? : D"},
	{"A extends B ? C : D extends E ? F : G", "A extends B ? C : D extends E ? F : G"},
	{"asserts x", "asserts x"},
	{"asserts x is A | B", "asserts x is A | B"},
	{"string @min_len(1) @max_len(2)", "string"},
	{"string @min_len(1)?", "string?"},
	{"string @v", "string"},
	{"string @v()", "string"},
	{"A @min(1) | B @max(-1)", "A | B"},
	{"{number @min(0)}", "number[]"},
	{"{a: string? @min_len(1) @v, b: number @max(2)}", "{a: string?, b: number}"},
	{"{\n  a: number, -- comment\n  b: {\n    [string]: A\n  }\n}", "{a: number, b: {[string]: A}}"},
}

func TestTypeForms(t *testing.T) {
	for _, tt := range typeTexts {
		chunk, err := syntax.Parse("t", "type X = "+tt.source)
		if err != nil {
			t.Errorf("%s: %v", tt.source, err)
			continue
		}
		d, ok := chunk.Types.Lookup("X")
		if !ok {
			t.Errorf("%s: no declaration recorded", tt.source)
		} else if got := syntax.FormatType(d.Type); got != tt.text {
			t.Errorf("%s: text %q, want %q", tt.source, got, tt.text)
		}
		if len(chunk.Stmts) != 0 {
			t.Errorf("%s: the declaration left %d statements", tt.source, len(chunk.Stmts))
		}
	}
}

func TestTypeFormsInEveryPosition(t *testing.T) {
	for _, tt := range typeTexts {
		// Only simple types can be the target of a cast; a list of results reads a leading parenthesis its own way.
		for _, form := range []string{
			"local x: @", "local x: @ = nil", "local a, x: @, c = 1", "local function f(x: @) end",
			"local f = function(a, x: @, ...) end", "function a.b:c(...: @) end", "type N<T: @> = T",
			"type N = {x: @, y: @}", "type N = {[string]: @}", "type N = {@}", "type N = (@) -> @",
			"interface I function m(self: any, x: @): @ end",
			"local function f(): @ return end", "local f = function<T>(x: T): @ end",
		} {
			src := strings.ReplaceAll(form, "@", tt.source)
			if _, err := syntax.Parse("t", src); err != nil {
				t.Errorf("%s: %v", src, err)
			}
		}
	}
}

// accepted lists texts that are legal although they look doubtful.
var accepted = []string{
	"", ";", ";;;", "return", "return;", "do return end", "f();(g)()", "local x;", "::a::", "goto a ::a::",
	"type(x)", "local type = 1", "type = f", "t.type = 1", "local t = {type = 1}", "type.x = 1", "type:f()", "type 'x'", "type {}",
	"local type T = X", "type T = X", "type T<U>= X", "type\nT\n=\nX", "type type = type",
	"sql.as.int(1)", "T:is(v)", "local t = {as = 1, is = 2, extends = 3, fun = 4, keyof = 5, typeof = 6}",
	"a.interface.readonly.as.asserts.is.fun = 1", "function a.is() end", "function a:as() end", "x:fun 'y'", "x:typeof {}",
	"local g: (a: number, b: string) -> (string, number)",
	"local function f(): ((number, string) -> string) end",
	"local function f(): (number) -> string end",
	"local function f(): (a: number, b: string) -> string end",
	"local function f(): ((A) -> B)?, C end",
	"local function f(): ((A) -> B)[] end",
	"local function f(): () end", "local function f(): () -> A end", "local function f(): A, B end", "local function f(): (A, B) end",
	"local m: Map<string, Array<number>> = {}", "local m: Map<string, Array<number>>= {}", "local m: Array<number>= {}",
	"f(x!)", "print((x!).name)", "(x!).name = 1", "(x!)()", "return x! == y!", "return x!==y", "return a as A as B", "return a :: A as B",
	"f((x :: any) :: string)", "return -x as T", "return x as T? or y", "return #x :: T", "return f<T>(x)",
	"local a = b as X\n(f)()", "local a = b!\n(f)()", "local a = b\ntype T = X\n(f)()",
	"local x = a ::b\nlocal y = c", "f() ::done::", "return x :: A", ":: spaced ::",
	"local x = {f() as any, ... :: T}", "return function<T>(...: T): T return ... end",
	"local s = [==[\n]]]=]]==]", "--[==[ ]] ]=] ]==] return 1", "--[==x\nreturn 1", "--[[]]return", "-- end", "local a = 'x\\\ny\\z\\0\\65\\255'",
	"return 0x1F, 1e5, 1E-5, .5, 5., 08, 1e+2", "return a//b//c, a>>b, a<<b, a~b, ~a, a|b&c, a~=b", "return 1 .. 2 ..3",
	"for i = 1, 2 do end", "for i = 1, 2, 3 do end", "for k in f do end", "for k, v in a, b, c do end",
	"a.b['c'].d, e = f'x', g{}", "a().b = 1", "a:b'c':d{}:e().f = 1", "(a).b = 1", "(f())",
}

func TestAcceptedTexts(t *testing.T) {
	for _, src := range accepted {
		if _, err := syntax.Parse("t", src); err != nil {
			t.Errorf("%q: %v", src, err)
		}
	}
}

// rejected lists illegal texts with the position and a part of the message.
var rejected = []struct{ source, where, message string }{
	{"local x: (A)", "t:1:10", "parentheses around a type"},
	{"local x: (A | B)[]", "t:1:10", "parentheses around a type"},
	{"local x: ()", "t:1:10", "'->' is missing"},
	{"local x: (A, B)", "t:1:10", "'->' is missing"},
	{"local x: (((A) -> B))", "t:1:10", "parentheses around a type"},
	{"function f(): (number) end", "t:1:15", "parentheses around a type"},
	{"function f(): (A, B) -> C end", "t:1:22", "unexpected '->'"},
	{"local function f(): (number, string) -> string end", "t:1:38", "unexpected '->'"},
	{"local x: T?[]", "t:1:12", "syntax error"},
	{"local x: {a: T; b: U}", "t:1:15", "unexpected ';'"},
	{"local x: {a: T, [string]: U}", "t:1:17", "unexpected '['"},
	{"local x: {[string]: U, a: T}", "t:1:22", "unexpected ','"},
	{"local x: {a: T, ...}", "t:1:17", "unexpected '...'"},
	{"local x: {T, U}", "t:1:12", "unexpected ','"},
	{"local x: a.b.c", "t:1:13", "unexpected '.'"},
	{"local x: readonly {}", "t:1:20", "expected a type"},
	{"local x: readonly T", "t:1:19", "expected '{'"},
	{"local x: -1", "t:1:10", "expected a type"},
	{"local x: | A", "t:1:10", "expected a type"},
	{"local x: A |", "t at EOF", "expected a type"},
	{"local x: Map<", "t at EOF", "expected a type"},
	{"local x: Map<A", "t at EOF", "expected '>'"},
	{"local x: {a? : T}", "t:1:14", "syntax error"},
	{"local x: string? @v()", "t:1:18", "syntax error"},
	{"local x: (...) -> A", "t:1:14", "expected a type"},
	{"local x: (A,) -> B", "t:1:13", "expected a type"},
	{"local x: fun(): (A)", "t:1:17", "parentheses around a type"},
	{"local function f(x?: T) end", "t:1:19", "unexpected '?:'"},
	{"local x?: T", "t:1:8", "unexpected '?:'"},
	{"local x? = 1", "t:1:8", "unexpected '?'"},
	{"local x <const> = 1", "t:1:9", "unexpected '<'"},
	{"local x: number< = 42", "t:1:18", "expected a type"},
	{"local x = 1 @@ 2", "t:1:13", "unexpected '@'"},
	{"local a <= b", "t:1:9", "syntax error"},
	{"for i: number = 1, 2 do end", "t:1:6", "unexpected ':'"},
	{"for k: A, v in x do end", "t:1:6", "unexpected ':'"},
	{"for k, v: B in x do end", "t:1:9", "unexpected ':'"},
	{"export type T = number", "t:1:8", "unexpected identifier"},
	{"foo bar = 1", "t:1:5", "unexpected identifier"},
	{"continue\nx = 1", "t:2:1", "unexpected identifier"},
	{"while true do continue end", "t:1:15", "parse error"},
	{"type T", "t at EOF", "expected '=' in the declaration of type T"},
	{"type T X", "t:1:8", "expected '='"},
	{"type T = ", "t at EOF", "expected a type"},
	{"type T<> = X", "t:1:8", "expected a type parameter"},
	{"interface", "t at EOF", "expected an interface name"},
	{"interface A: B, end", "t:1:17", "expected an interface name"},
	{"interface A x end", "t:1:13", "expected 'end'"},
	{"interface A function f(...) end", "t:1:24", "expected a parameter name"},
	{"local is = 1", "t:1:7", "expected a variable name"},
	{"as = 1", "t:1:1", "unexpected 'as'"},
	{"local function fun() end", "t:1:16", "expected a function name"},
	{"goto is", "t:1:6", "expected a label name"},
	{"::is::", "t:1:1", "expected a label name"},
	{"::end::", "t:1:1", "expected a label name"},
	{"t.goto = 1", "t:1:3", "expected a field name"},
	{"t.end = 1", "t:1:3", "expected a field name"},
	{"local t = {goto = 1}", "t:1:12", "expected an expression"},
	{"print(typeof(x))", "t:1:7", "unexpected 'typeof'"},
	{"return x :: any :: string", "t:1:10", "syntax error"},
	{"return (x :: A\n:: B)", "t:2:1", "unexpected '::'"},
	{"return x as Foo < y", "t at EOF", "expected '>'"},
	{"return x!.name", "t:1:10", "syntax error"},
	{"return x!(1)", "t:1:10", "syntax error"},
	{"f()!", "t:1:4", "parse error"},
	{"f() as T", "t:1:5", "parse error"},
	{"f() :: T", "t:1:5", "parse error"},
	{"x as T = 1", "t:1:3", "parse error"},
	{"x += 1", "t:1:3", "parse error"},
	{"x++", "t:1:2", "parse error"},
	{"if x != y then end", "t:1:6", "unexpected '!'"},
	{"x == 1", "t:1:1", "parse error"},
	{"x", "t:1:1", "parse error"},
	{"x.y", "t:1:1", "parse error"},
	{"(x)", "t:1:1", "parse error"},
	{"(a) = 1", "t:1:5", "parse error"},
	{"f() = 1", "t:1:5", "unexpected '='"},
	{"a, f() = 1", "t:1:8", "syntax error"},
	{"a, b", "t at EOF", "expected '='"},
	{"'x'", "t:1:1", "syntax error"},
	{"1", "t:1:1", "syntax error"},
	{"return return", "t:1:8", "expected an expression"},
	{"return 1 x = 2", "t:1:10", "expected the end of the block"},
	{"while true do break x() end", "t:1:21", "expected the end of the block"},
	{"return;;", "t:1:8", "expected the end of the block"},
	{"end", "t:1:1", "expected a statement"},
	{"if x then", "t at EOF", "expected 'end'"},
	{"if x else end", "t:1:6", "expected 'then'"},
	{"while x end", "t:1:9", "expected 'do'"},
	{"repeat x()", "t at EOF", "expected 'until'"},
	{"for 1 = 2 do end", "t:1:5", "expected a variable name"},
	{"for i = 1 do end", "t:1:11", "expected ','"},
	{"for i do end", "t:1:7", "expected '=' or 'in'"},
	{"function f(a,) end", "t:1:14", "expected a parameter name"},
	{"function f(..., a) end", "t:1:15", "expected ')'"},
	{"function f(1) end", "t:1:12", "expected a parameter name"},
	{"function f.1() end", "t:1:11", "expected"},
	{"local t = {1, 2", "t at EOF", "expected '}'"},
	{"local t = {[1] 2}", "t:1:16", "expected '='"},
	{"f(1, )", "t:1:6", "expected an expression"},
	{"a.b:c = 1", "t:1:7", "arguments of the method call"},
	{"f\n()\n(g)()", "t:3:1", "ambiguous syntax (function call x new statement)"},
	{"local x = f()\n(g)()", "t:2:1", "ambiguous syntax (function call x new statement)"},
	{"local x = f() -- note\n\n(g)()", "t:3:1", "ambiguous syntax (function call x new statement)"},
	{"x = 'abc", "t:1:5", "unterminated string"},
	{"x = 'abc\n'", "t:1:5", "unterminated string"},
	{"x = 'abc\\", "t:1:5", "unterminated string"},
	{"x = 'a\\nb\n'", "t:1:5", "unterminated string"},
	{"x = [[abc", "t:1:5", "unterminated multiline string"},
	{"x = [=abc", "t:1:5", "invalid multiline string"},
	{"--[[ abc", "t:1:1", "invalid multiline comment"},
	{"x = 0x", "t:1:5", "illegal hexadecimal number"},
	{"x = 1e", "t:1:5", "malformed exponent"},
	{"x = 1e+", "t:1:5", "malformed exponent"},
	{"x = '\\256'", "t:1:6", "decimal escape too large"},
	{"x = $y", "t:1:5", "Invalid token"},
	{"x = “y”", "t:1:5", "Invalid token"},
	{"x = \x00", "t:1:5", "Invalid token"},
	{"break", "compile error near line(1) t", "no loop to break"},
	{"while x do local f = function() break end end", "compile error near line(1) t", "no loop to break"},
	{"function f() return ... end", "compile error near line(1) t", "cannot use '...' outside a vararg function"},
	{"\ngoto l", "compile error near line(2) t", "no visible label 'l' for <goto> at line 2"},
	{"goto l\ndo ::l:: end", "compile error near line(1) t", "no visible label 'l' for <goto> at line 1"},
	{"::l::\nlocal function f() goto l end", "compile error near line(2) t", "no visible label 'l' for <goto> at line 2"},
	{"::l::\n::l::", "compile error near line(2) t", "label 'l' already defined on line 1"},
	{"goto l\nlocal v = 1\n::l::\nprint(v)", "compile error near line(1) t", "<goto l> at line 1 jumps into the scope of local 'v'"},
	{"repeat goto l local v ::l:: until v", "compile error near line(1) t", "jumps into the scope of local 'v'"},
}

func TestRejectedTexts(t *testing.T) {
	for _, tt := range rejected {
		chunk, err := syntax.Parse("t", tt.source)
		var e *syntax.Error
		if !errors.As(err, &e) {
			t.Errorf("%q: error %v, want one of the package", tt.source, err)
			continue
		}
		if chunk != nil {
			t.Errorf("%q: a chunk came with the error", tt.source)
		}
		if got := err.Error(); !strings.HasPrefix(got, tt.where+": ") || !strings.Contains(got, tt.message) {
			t.Errorf("%q:\n got %s\nwant %s: %s", tt.source, got, tt.where, tt.message)
		}
	}
}
