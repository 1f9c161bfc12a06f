// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"math"

	"github.com/yuin/gopher-lua/ast"

	"github.com/wippyrun/kit/luart/syntax"
)

// kind is the outermost form of a type.
type kind uint8

const (
	kindAny kind = iota // not known, or of a form that is not looked into
	kindNil
	kindBoolean
	kindNumber
	kindInteger
	kindString
	kindTable // any table
	kindArray
	kindMap
	kindRecord
	kindFunction
	kindUnion
)

// typ is a type as far as the checker understands types.
type typ struct {
	kind    kind
	lit     any    // the value of a literal type: string, float64 or bool
	text    string // for messages
	elem    *typ   // of an array or a map
	fields  []field
	members []*typ // of a union
}

type field struct {
	name     string
	typ      *typ
	optional bool
}

var anyType = &typ{kind: kindAny, text: "any"}

var basicTypes = map[string]*typ{
	"nil": {kind: kindNil, text: "nil"}, "boolean": {kind: kindBoolean, text: "boolean"}, "bool": {kind: kindBoolean, text: "boolean"},
	"number": {kind: kindNumber, text: "number"}, "integer": {kind: kindInteger, text: "integer"}, "int": {kind: kindInteger, text: "integer"},
	"string": {kind: kindString, text: "string"}, "table": {kind: kindTable, text: "table"},
}

func (t *typ) field(name string) *field {
	for i := range t.fields {
		if t.fields[i].name == name {
			return &t.fields[i]
		}
	}
	return nil
}

// settled reports whether no test at run time can tell more about a value of the type.
func (t *typ) settled() bool { return t.kind != kindAny && t.kind != kindUnion }

func (t *typ) isTable() bool {
	return t.kind == kindTable || t.kind == kindArray || t.kind == kindMap || t.kind == kindRecord
}

// annotations are the types that a source declares, by the nodes they belong to.
type annotations struct {
	locals    map[*ast.LocalAssignStmt][]syntax.TypeNode
	functions map[*ast.FunctionExpr]*syntax.FunctionTypes
	casts     map[ast.Expr]syntax.TypeNode // of the outermost cast; nil for e!
	names     map[string]*syntax.TypeDecl  // nil for names of several types and of type parameters
	resolved  map[*syntax.TypeDecl]*typ
	known     map[syntax.TypeNode]*typ
	inferred  map[ast.Expr]*typ // see checker.infer
}

func newAnnotations(types *syntax.TypeTable) *annotations {
	a := &annotations{map[*ast.LocalAssignStmt][]syntax.TypeNode{}, map[*ast.FunctionExpr]*syntax.FunctionTypes{},
		map[ast.Expr]syntax.TypeNode{}, map[string]*syntax.TypeDecl{}, map[*syntax.TypeDecl]*typ{}, map[syntax.TypeNode]*typ{}, map[ast.Expr]*typ{}}
	for _, l := range types.Locals {
		a.locals[l.Stmt] = l.Types
	}
	for i := range types.Functions {
		f := &types.Functions[i]
		a.functions[f.Func] = f
		for _, p := range f.TypeParams {
			a.names[p.Name] = nil
		}
	}
	for _, c := range types.Casts {
		a.casts[c.Expr] = c.Type
	}
	for _, list := range [][]*syntax.TypeDecl{types.Declared, types.Nested} {
		for _, d := range list {
			if _, ok := a.names[d.Name]; ok || len(d.Params) > 0 {
				a.names[d.Name] = nil
			} else {
				a.names[d.Name] = d
			}
			for _, p := range d.Params {
				a.names[p.Name] = nil
			}
		}
	}
	return a
}

func (c *checker) annotation(s *ast.LocalAssignStmt, i int) syntax.TypeNode {
	if types := c.types.locals[s]; i < len(types) {
		return types[i]
	}
	return nil
}

func (c *checker) paramType(f *ast.FunctionExpr, i int) syntax.TypeNode {
	if types := c.types.functions[f]; types != nil && i < len(types.Params) {
		return types.Params[i]
	}
	return nil
}

// resolve understands a type of the source. What it does not is any.
func (a *annotations) resolve(n syntax.TypeNode) *typ {
	t := a.known[n]
	if t == nil {
		t = a.understand(n)
		a.known[n] = t
	}
	return t
}

func (a *annotations) understand(n syntax.TypeNode) *typ {
	text := syntax.FormatType(n)
	switch n := n.(type) {
	case *syntax.NilType:
		return basicTypes["nil"]
	case *syntax.BoolLiteralType:
		return &typ{kind: kindBoolean, lit: n.Value, text: text}
	case *syntax.StringLiteralType:
		return &typ{kind: kindString, lit: n.Value, text: text}
	case *syntax.NumberLiteralType:
		return &typ{kind: kindNumber, lit: n.Value, text: text}
	case *syntax.NameType:
		return a.named(n)
	case *syntax.ArrayType:
		return &typ{kind: kindArray, elem: a.resolve(n.Elem), text: text}
	case *syntax.MapType:
		return &typ{kind: kindMap, elem: a.resolve(n.Value), text: text}
	case *syntax.RecordType:
		t := &typ{kind: kindRecord, text: text}
		for _, f := range n.Fields {
			t.fields = append(t.fields, field{f.Name, a.resolve(f.Type), f.Optional})
		}
		return t
	case *syntax.ReadonlyType:
		t := *a.resolve(n.Inner)
		t.text = text
		return &t
	case *syntax.ValidatedType:
		return a.resolve(n.Inner)
	case *syntax.OptionalType:
		return &typ{kind: kindUnion, text: text, members: []*typ{a.resolve(n.Inner), basicTypes["nil"]}}
	case *syntax.UnionType:
		t := &typ{kind: kindUnion, text: text}
		for _, m := range n.Members {
			t.members = append(t.members, a.resolve(m))
		}
		return t
	case *syntax.FunctionType:
		return &typ{kind: kindFunction, text: text}
	}
	return anyType
}

func (a *annotations) named(n *syntax.NameType) *typ {
	if n.Module != "" {
		return anyType
	}
	d, known := a.names[n.Name]
	if d == nil {
		if t := basicTypes[n.Name]; t != nil && !known {
			return t
		}
		return anyType
	}
	if t := a.resolved[d]; t != nil {
		return t
	}
	// Types may refer to themselves: the place is taken before it is filled.
	t := &typ{text: n.Name}
	a.resolved[d] = t
	*t = *a.resolve(d.Type)
	t.text = n.Name
	return t
}

// fits reports whether a value of type s may stand where t is wanted, as far as is known.
func fits(s, t *typ) bool { return relation{}.fits(s, t) }

// relation holds the pairs that were compared or are being compared: types may refer to themselves, and to one another
// in exponentially many ways.
type relation map[[2]*typ]bool

func (r relation) fits(s, t *typ) bool {
	if s == t || s.kind == kindAny || t.kind == kindAny {
		return true
	}
	pair := [2]*typ{s, t}
	if known, ok := r[pair]; ok {
		return known
	}
	r[pair] = true // as long as nothing says otherwise
	result := r.compare(s, t)
	r[pair] = result
	return result
}

func (r relation) compare(s, t *typ) bool {
	if s.kind == kindUnion {
		for _, m := range s.members {
			if !r.fits(m, t) {
				return false
			}
		}
		return true
	}
	if t.kind == kindUnion {
		for _, m := range t.members {
			if r.fits(s, m) {
				return true
			}
		}
		return false
	}
	if t.lit != nil {
		return s.lit == nil && sameBasic(s, t) || s.lit == t.lit // a wider value may be the right one
	}
	switch {
	case t.kind == kindFunction && s.isTable():
		return true // it may be callable
	case s.isTable() && t.isTable():
		return r.tables(s, t)
	case sameBasic(s, t):
		number, whole := s.lit.(float64)
		return t.kind != kindInteger || !whole || number == math.Trunc(number)
	}
	return s.kind == t.kind
}

// sameBasic reports whether both types are of one kind; numbers and integers count as one, since what is computed is a
// number and often whole.
func sameBasic(s, t *typ) bool { return s.kind == t.kind || numeric(s) && numeric(t) }

func (r relation) tables(s, t *typ) bool {
	switch {
	case s.kind == kindArray && t.kind == kindArray, s.kind == kindMap && t.kind == kindMap:
		return r.fits(s.elem, t.elem)
	case s.kind == kindRecord && t.kind == kindRecord:
		for _, want := range t.fields {
			have := s.field(want.name)
			if have == nil {
				if !want.optional && !r.fits(basicTypes["nil"], want.typ) {
					return false
				}
				continue
			}
			if !r.fits(have.typ, want.typ) {
				return false
			}
		}
	}
	return true
}
