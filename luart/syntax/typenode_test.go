// SPDX-License-Identifier: Apache-2.0

package syntax_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yuin/gopher-lua/ast"

	"github.com/wippyrun/kit/luart/syntax"
)

// describe writes a type as nested calls, with everything that its nodes say but their places.
func describe(n syntax.TypeNode) string {
	list := func(nodes []syntax.TypeNode) string {
		var out []string
		for _, n := range nodes {
			out = append(out, describe(n))
		}
		return strings.Join(out, " ")
	}
	params := func(ps []syntax.FunctionParam) string {
		var out []string
		for _, p := range ps {
			out = append(out, p.Name+":"+describe(p.Type))
		}
		return strings.Join(out, " ")
	}
	checks := func(vs []syntax.Validator) string {
		var out []string
		for _, v := range vs {
			out = append(out, fmt.Sprintf("@%s/%d at %d", v.Name, len(v.Args), v.Pos.Col))
		}
		return strings.Join(out, " ")
	}
	switch n := n.(type) {
	case nil:
		return "-"
	case *syntax.NilType:
		return "nil"
	case *syntax.BoolLiteralType:
		return fmt.Sprintf("bool(%t)", n.Value)
	case *syntax.StringLiteralType:
		return fmt.Sprintf("string(%s)", n.Value)
	case *syntax.NumberLiteralType:
		return fmt.Sprintf("number(%g %s)", n.Value, n.Text)
	case *syntax.NameType:
		return fmt.Sprintf("name(%s %s)", n.Module, n.Name)
	case *syntax.GenericType:
		return fmt.Sprintf("generic(%s %s %s)", n.Module, n.Name, list(n.Args))
	case *syntax.ArrayType:
		return fmt.Sprintf("array(%s)", describe(n.Elem))
	case *syntax.MapType:
		return fmt.Sprintf("map(%s %s)", describe(n.Key), describe(n.Value))
	case *syntax.RecordType:
		var out []string
		for _, f := range n.Fields {
			out = append(out, fmt.Sprintf("%s optional=%t at %d:%s%s", f.Name, f.Optional, f.Pos.Col, describe(f.Type), checks(f.Validators)))
		}
		return fmt.Sprintf("record(%s)", strings.Join(out, ", "))
	case *syntax.ReadonlyType:
		return fmt.Sprintf("readonly(%s)", describe(n.Inner))
	case *syntax.OptionalType:
		return fmt.Sprintf("optional(%s)", describe(n.Inner))
	case *syntax.UnionType:
		return fmt.Sprintf("union(%s)", list(n.Members))
	case *syntax.IntersectionType:
		return fmt.Sprintf("intersection(%s)", list(n.Members))
	case *syntax.FunctionType:
		return fmt.Sprintf("function(%s; ...%s; %s; unknown=%t)", params(n.Params), describe(n.Vararg), list(n.Returns), n.NoReturns)
	case *syntax.TypeofType:
		return fmt.Sprintf("typeof(%s)", n.Expr.(*ast.IdentExpr).Value)
	case *syntax.KeyofType:
		return fmt.Sprintf("keyof(%s)", describe(n.Of))
	case *syntax.IndexType:
		return fmt.Sprintf("index(%s %s)", describe(n.Of), describe(n.Key))
	case *syntax.ConditionalType:
		return fmt.Sprintf("if(%s %s %s %s)", describe(n.Check), describe(n.Extends), describe(n.Then), describe(n.Else))
	case *syntax.AssertsType:
		return fmt.Sprintf("asserts(%s %s)", n.Param, describe(n.Is))
	case *syntax.ValidatedType:
		return fmt.Sprintf("validated(%s %s)", describe(n.Inner), checks(n.Validators))
	case *syntax.InterfaceType:
		var out []string
		for _, m := range n.Methods {
			out = append(out, fmt.Sprintf("%s at %d (%s) %s unknown=%t", m.Name, m.Pos.Line, params(m.Params), list(m.Returns), m.NoReturns))
		}
		return fmt.Sprintf("interface(%s; %s)", strings.Join(n.Bases, " "), strings.Join(out, ", "))
	}
	return fmt.Sprintf("%T", n)
}

func TestTypeNodesSayWhatWasWritten(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"nil", "nil"},
		{"true", "bool(true)"},
		{`"on"`, "string(on)"},
		{"0x10", "number(16 0x10)"},
		{"mod.T", "name(mod T)"},
		{"Box<number, mod.T>", "generic( Box name( number) name(mod T))"},
		{"string[]", "array(name( string))"},
		{"{[string]: number}", "map(name( string) name( number))"},
		{"{a: number, b?: string? @min(1)}", "record(a optional=false at 11:name( number), b optional=true at 22:optional(name( string))@min/1 at 35)"},
		{"readonly {string}", "readonly(array(name( string)))"},
		{"number?", "optional(name( number))"},
		{`"a" | "b"`, "union(string(a) string(b))"},
		{"A & B", "intersection(name( A) name( B))"},
		{"(number, b: string, ...boolean) -> (A, B)", "function(:name( number) b:name( string); ...name( boolean); name( A) name( B); unknown=false)"},
		{"fun(a: A)", "function(a:name( A); ...-; ; unknown=true)"},
		{"typeof(x)", "typeof(x)"},
		{"keyof(T)", "keyof(name( T))"},
		{`T["k"]`, "index(name( T) string(k))"},
		{"A extends B ? C : D", "if(name( A) name( B) name( C) name( D))"},
		{"(x: any) -> asserts x is string", "function(x:name( any); ...-; asserts(x name( string)); unknown=false)"},
		{"string @min_len(1) @pattern('a')", "validated(name( string) @min_len/1 at 18 @pattern/1 at 30)"},
	} {
		chunk, err := syntax.Parse("t", "type T = "+tt.text)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		if got := describe(chunk.Types.Declared[0].Type); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.text, got, tt.want)
		}
	}
	chunk, err := syntax.Parse("t", "interface I: A, B\n  function m(n: number): string\n  function n()\nend")
	if err != nil {
		t.Fatal(err)
	}
	t.Log(describe(chunk.Types.Declared[0].Type))
}

func TestTypeTableTellsPlacesAndBounds(t *testing.T) {
	chunk, err := syntax.Parse("app:t", "type Box<T, U: string> = {v: T}\nlocal f = function(a: number): () end\nlocal n = f as Box<number, string>\nreturn n!")
	if err != nil {
		t.Fatal(err)
	}
	if chunk.Name != "app:t" {
		t.Errorf("name %q", chunk.Name)
	}
	box := chunk.Types.Declared[0]
	if len(box.Params) != 2 || box.Params[0].Bound != nil || describe(box.Params[1].Bound) != "name( string)" || box.Params[1].Pos != (syntax.Position{Line: 1, Col: 13}) {
		t.Errorf("type parameters %+v", box.Params)
	}
	if f := chunk.Types.Functions[0]; f.Pos != (syntax.Position{Line: 2, Col: 19}) || !f.HasReturns || len(f.Returns) != 0 {
		t.Errorf("function %+v", f)
	}
	as, nonNil := chunk.Types.Casts[0], chunk.Types.Casts[1]
	if as.Kind != syntax.CastAs || describe(as.Type) != "generic( Box name( number) name( string))" || as.Pos != (syntax.Position{Line: 3, Col: 13}) {
		t.Errorf("cast %+v", as)
	}
	if nonNil.Kind != syntax.CastNonNil || nonNil.Type != nil || nonNil.Pos.Line != 4 {
		t.Errorf("non-nil assertion %+v", nonNil)
	}
}
