// SPDX-License-Identifier: Apache-2.0

package syntax_test

import (
	"strings"
	"testing"

	"github.com/yuin/gopher-lua/ast"

	"github.com/wippyrun/kit/luart/syntax"
)

func TestTypesVanishAndProgramsRun(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{`local function f(a: string, b: {[string]: any}): integer return 1 end print(f("x", {}))`, "1"},
		{"type T = {a: string, b: integer}\nprint(1)", "1"},
		{`local function g(r: {p: string?, m: {any}?}): string?, string? return nil, "e" end print(g({}))`, "nil e"},
		{`local function k(s: string): (string, string) return s, s end print(k("a"))`, "a a"},
		{"print(type(1)) local type = 3 local t = {type = 1} t.type = 2 print(type, t.type)", "number\n3 2"},
		{"local n = 0 for i = 1, 3 do if i == 2 then goto continue end n = n + i ::continue:: end print(n)", "4"},
		{"local f = function() print('f') end\nlocal b = function() print('b') end\nlocal a = b\ntype T = X\n(f)()", "f"},
		{"local f = function() print('f') end\nlocal b = function() print('b') end\nlocal a = b as X\n(f)()", "f"},
		{"local f = function() print('f') end\nlocal b = function() print('b') end\nlocal a = b!\n(f)()", "f"},
		{"local f = function() print('f') end\nlocal b = function() print('b') end\nlocal a = b :: X\n(f)()", "f"},
		{"local function f() return 1, 2 end local t = {f() as any} print(#t)", "1"},
		{"local function f() return 1, 2 end local a, b = f() :: any print(a, b)", "1 nil"},
		{"local function g() return 1, 2 end local function f() return g()! end print(f())", "1"},
		{"local function g() return 1, 2 end local function f() return g() as T end print(f(), (f()))", "1 1"},
		{"local function f(...) return ... as T end print(f(1, 2))", "1"},
		{"local function f(...) return (...) end print(f(1, 2))", "1"},
		{"local function f(...) print(...!, ...) end f(1, 2)", "1 1 2"},
		{"local x = 2 print(-x as T, 2 ^ x as T, x .. x as T, nil or x as T)", "-2 4 22 2"},
		{"local x: number @min(0) = -1 print(x)", "-1"},
		{"local x: string print(x)", "nil"},
		{"local a: A, b, c: C = 1, 2, 3 print(a, b, c)", "1 2 3"},
		{"local o = {} function o:m<T>(x: T, ...: T): T return x end print(o:m(5))", "5"},
		{"local x = 3 print((x as A | 4), x as A & 1)", "7 1"},
		{"local t = {is = 1, as = 2, fun = 3} function t.typeof() return t.is + t.as + t.fun end print(t.typeof())", "6"},
	} {
		wantOutput(t, tt.src, tt.want)
	}
}

func TestOperatorsBeyondLua51(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"local a, b = 7, 2 print(a // b, -a // b, a // -b, -a // -b)", "3 -4 -4 3"},
		{"local a, b = 7.9, 2.9 print(a // b)", "3"},
		{"local a, b = 6, 3 print(a & b, a | b, a ~ b)", "2 7 5"},
		{"local a, b = 1, 4 print(a << b, ~(a - 1), -16 >> b, 1 << 64, 1 << -1, -1 >> 70)", "16 -1 -1 0 0 -1"},
		{"local a = 5 print(a << 70, a >> -1, -a << -1, a << -70, -a << -70)", "0 10 -3 0 -1"},
		{"print(7 // 2, -7 // 2, 7.5 // 2, 6 & 3, 6 | 3, 6 ~ 3, 1 << 4, 256 >> 4, ~0)", "3 -4 3 2 7 5 16 16 -1"},
		{"print(1 // 0, -1 // 0, (1 + 1) // 2 ^ 0, -(3) & 0xff)", "+Inf -Inf 2 253"},
		{"local a = 2 print(a | 1 ~ 3 & 6 << 1, a + 1 << 1, a == 2 & 3)", "3 6 true"},
		{"local function f() return 9, 4 end print(f() // f(), ~f(), f() & f())", "1 -10 9"},
		{"local a = 7 local function f() return a // 2 end print(f(), (a // 2) as T)", "3 3"},
	} {
		wantOutput(t, tt.src, tt.want)
	}
}

func TestOperatorErrorsNameTheOperationAndTheLine(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"local a = 1\nreturn a // 0", "t:2: attempt to divide by zero"},
		{"local a = 1\nreturn a // 0.5", "t:2: attempt to divide by zero"},
		{"local a\nreturn 1 // a", "t:2: attempt to perform arithmetic on a nil value"},
		{"local a = '4'\n\nreturn a // 2", "t:3: attempt to perform arithmetic on a string value"},
		{"local a = 'a'\nreturn a & 1", "t:2: attempt to perform bitwise operation on a string value"},
		{"local a = {}\nreturn 1 | a", "t:2: attempt to perform bitwise operation on a table value"},
		{"return ~nil", "t:1: attempt to perform bitwise operation on a nil value"},
		{"return {} << 1", "t:1: attempt to perform bitwise operation on a table value"},
	} {
		if _, err := run(t, tt.src); err != tt.want {
			t.Errorf("%s\nerror %q, want %q", tt.src, err, tt.want)
		}
	}
}

func TestStackTracesShowOperatorsNotIntrinsics(t *testing.T) {
	chunk, err := syntax.Parse("t", "local a = {}\nreturn a & 1")
	if err != nil {
		t.Fatal(err)
	}
	proto, err := syntax.Compile(chunk, "")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	L := newState(t, &out)
	L.Push(L.NewFunctionFromProto(proto))
	if err := L.PCall(0, 0, nil); err == nil || !strings.Contains(err.Error(), "operator &") || strings.Contains(err.Error(), "\x00") {
		t.Errorf("stack trace %v", err)
	}
}

func TestLinesSurviveErasure(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"type T = {\n  a: string,\n}\n\nerror('x')", "t:5: x"},
		{"interface I\n  function m(self: I): number\nend\nerror('x')", "t:4: x"},
		{"local x: {\n  a: number\n} = {a = 1}\nlocal y = x as {\n  b: any\n}\nerror('x')", "t:7: x"},
		{"local function f(\n  a: number,\n  b: string\n): (\n  number,\n  string\n)\n  error('x')\nend\nf()", "t:8: x"},
		{"local s = [[\n\n]]\nerror('x')", "t:4: x"},
		{"local s = 'a\\\nb'\nerror('x')", "t:3: x"},
		{"--[[\n\n]] error('x')", "t:3: x"},
		{"\r\n\r\nerror('x')", "t:3: x"},
		{"\n\r\n\rerror('x')", "t:3: x"},
		{"\r\rerror('x')", "t:3: x"},
		{"\ufefferror('x')", "t:1: x"},
	} {
		if _, err := run(t, tt.src); err != tt.want {
			t.Errorf("%q: error %q, want %q", tt.src, err, tt.want)
		}
	}
}

func TestNumeralsMeanWhatTheySay(t *testing.T) {
	wantOutput(t, "print(010, 007, 0x10, 00.5, 1e3, 0xffffffffffffffff == 2 ^ 64, 1e999 > 1e308, 1e999 == 1e999)", "10 7 16 0.5 1000 true true true")
}

func TestTypedProgramsRun(t *testing.T) {
	for _, src := range corpus(t, "typed") {
		if out, err := run(t, src); err != "" {
			t.Errorf("%s\n%s%s", src, out, err)
		}
	}
}

func TestTypeTableTiesAnnotationsToNodes(t *testing.T) {
	chunk, err := syntax.Parse("t", `type A = {x: number}
local a: A, b, c: string = f() as A, g()!, h :: string
local function fn<T: A>(self, p: T, ...: number): (T, string) type Inner = T end
local plain = function(x) end
do type Nested = A end
interface I: A function m(x: A): () end`)
	if err != nil {
		t.Fatal(err)
	}
	types := chunk.Types
	names := func(list []*syntax.TypeDecl) (s string) {
		for _, d := range list {
			s += d.Name + " "
		}
		return s
	}
	if got := names(types.Declared); got != "A I " {
		t.Errorf("declared %q", got)
	}
	if got := names(types.Nested); got != "Inner Nested " {
		t.Errorf("nested %q", got)
	}
	if _, ok := types.Lookup("Inner"); ok {
		t.Error("a nested type is visible")
	}
	if d := types.Declared[1]; d.Pos != (syntax.Position{Line: 6, Col: 11}) {
		t.Errorf("position %v", d.Pos)
	} else if i := d.Type.(*syntax.InterfaceType); i.Bases[0] != "A" || i.Methods[0].Name != "m" || i.Methods[0].NoReturns || len(i.Methods[0].Returns) != 0 {
		t.Errorf("interface %+v", i)
	}
	if len(types.Locals) != 1 {
		t.Fatalf("%d annotated locals", len(types.Locals))
	}
	l := types.Locals[0]
	if l.Stmt != chunk.Stmts[0] || len(l.Types) != 3 || syntax.FormatType(l.Types[0]) != "A" || l.Types[1] != nil || l.Pos[2] != (syntax.Position{Line: 2, Col: 16}) {
		t.Errorf("local %+v", l)
	}
	if span := l.Types[2].Span(); span.Start != (syntax.Position{Line: 2, Col: 19}) || span.End != (syntax.Position{Line: 2, Col: 25}) {
		t.Errorf("span %v", span)
	}
	if len(types.Functions) != 1 {
		t.Fatalf("%d annotated functions", len(types.Functions))
	}
	f := types.Functions[0]
	if f.Func != chunk.Stmts[1].(*ast.LocalAssignStmt).Exprs[0] || f.Params[0] != nil || syntax.FormatType(f.Params[1]) != "T" ||
		syntax.FormatType(f.Vararg) != "number" || len(f.Returns) != 2 || f.TypeParams[0].Name != "T" || f.ParamPos[1].Col != 31 {
		t.Errorf("function %+v", f)
	}
	if len(types.Casts) != 3 {
		t.Fatalf("%d casts", len(types.Casts))
	}
	for i, kind := range []syntax.CastKind{syntax.CastAs, syntax.CastNonNil, syntax.CastColons} {
		if c := types.Casts[i]; c.Kind != kind || c.Expr != l.Stmt.Exprs[i] {
			t.Errorf("cast %d: %+v", i, c)
		}
	}
}
