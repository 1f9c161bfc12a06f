// SPDX-License-Identifier: Apache-2.0

package types

import (
	"fmt"
	"strings"
	"sync"

	"github.com/yuin/gopher-lua/ast"

	"github.com/wippyrun/kit/luart/syntax"
)

// Resolver finds a type that a chunk does not declare: module is "" for an unqualified name. It may be called by several
// goroutines, long after NewSet has returned.
type Resolver func(module, name string) (*Type, bool)

// Set holds the types that one chunk declares at its top level. It is safe for concurrent use.
type Set struct {
	names    []string
	decls    map[string]*Type
	resolver Resolver
	chunk    *syntax.Chunk

	mu        sync.Mutex
	instances map[string]*Type // by the text of name and arguments; guarded by mu
}

// NewSet builds the types of a chunk. resolver, which may be nil, finds those of other modules. A name declared twice has
// its last declaration.
func NewSet(chunk *syntax.Chunk, resolver Resolver) *Set {
	s := &Set{decls: map[string]*Type{}, resolver: resolver, chunk: chunk, instances: map[string]*Type{}}
	for _, d := range chunk.Types.Declared {
		if _, ok := s.decls[d.Name]; !ok {
			s.names = append(s.names, d.Name)
		}
		s.decls[d.Name] = s.declare(d)
	}
	return s
}

// Names returns the declared names in source order.
func (s *Set) Names() []string { return s.names }

// Lookup returns a declared type.
func (s *Set) Lookup(name string) (*Type, bool) {
	t, ok := s.decls[name]
	return t, ok
}

func (s *Set) declare(d *syntax.TypeDecl) *Type {
	if len(d.Params) > 0 {
		t := &Type{kind: KindGeneric, name: d.Name, text: d.Name, generic: &generic{s, d}}
		for _, p := range d.Params {
			q := Param{Name: p.Name}
			if p.Bound != nil {
				q.Type = s.build(p.Bound, nil)
			}
			t.params = append(t.params, q)
		}
		return t
	}
	t := reference(syntax.FormatType(d.Type), func(int) *Type { return s.build(d.Type, nil) })
	t.name = d.Name
	return t
}

// Instantiate applies a generic type to arguments.
func (t *Type) Instantiate(args ...*Type) (*Type, error) {
	u := t.target()
	if u.kind != KindGeneric {
		return nil, fmt.Errorf("type %s is not generic", t)
	}
	if len(args) != len(u.params) {
		return nil, fmt.Errorf("generic %s expects %d type arguments, got %d", t, len(u.params), len(args))
	}
	return u.generic.set.instance(u, args), nil
}

func (s *Set) instance(t *Type, args []*Type) *Type {
	texts := make([]string, len(args))
	for i, a := range args {
		texts[i] = a.String()
	}
	text := t.name + "<" + strings.Join(texts, ", ") + ">"
	scope := map[string]*Type{}
	key := text
	for i, p := range t.params {
		scope[p.Name] = args[i]
		key += fmt.Sprintf(" %p", args[i])
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if found, ok := s.instances[key]; ok {
		return found
	}
	made := reference(text, func(int) *Type { return s.build(t.generic.decl.Type, scope) })
	if len(s.instances) < 1000 { // a recursive generic could make new arguments for ever
		s.instances[key] = made
	}
	return made
}

// build makes a type of its syntax. scope holds type arguments.
func (s *Set) build(n syntax.TypeNode, scope map[string]*Type) *Type {
	text := syntax.FormatType(n)
	list := func(nodes []syntax.TypeNode) []*Type {
		out := make([]*Type, 0, len(nodes))
		for _, m := range nodes {
			out = append(out, s.build(m, scope))
		}
		return out
	}
	switch n := n.(type) {
	case *syntax.NilType:
		return builtins["nil"]
	case *syntax.BoolLiteralType:
		return &Type{kind: kindLiteral, text: text, literal: boolean(n.Value)}
	case *syntax.StringLiteralType:
		return &Type{kind: kindLiteral, text: text, literal: str(n.Value)}
	case *syntax.NumberLiteralType:
		return &Type{kind: kindLiteral, text: text, literal: number(n.Value)}
	case *syntax.NameType:
		return s.named(n.Module, n.Name, text, scope)
	case *syntax.GenericType:
		return s.applied(n, text, scope)
	case *syntax.ArrayType:
		return &Type{kind: KindArray, text: text, elem: s.build(n.Elem, scope)}
	case *syntax.MapType:
		return &Type{kind: KindMap, text: text, key: s.build(n.Key, scope), elem: s.build(n.Value, scope)}
	case *syntax.RecordType:
		t := &Type{kind: KindRecord, text: text}
		for _, f := range n.Fields {
			t.fields = append(t.fields, Field{f.Name, s.build(f.Type, scope), f.Optional, newChecks(f.Validators)})
		}
		return t
	case *syntax.ReadonlyType:
		return s.build(n.Inner, scope)
	case *syntax.OptionalType:
		return &Type{kind: KindOptional, text: text, elem: s.build(n.Inner, scope)}
	case *syntax.UnionType:
		return &Type{kind: KindUnion, text: text, members: list(n.Members)}
	case *syntax.IntersectionType:
		return &Type{kind: KindIntersection, text: text, members: list(n.Members)}
	case *syntax.FunctionType:
		return s.function(n, text, scope)
	case *syntax.TypeofType:
		return reference(text, func(depth int) *Type { return s.typeOf(n.Expr, depth) })
	case *syntax.KeyofType:
		of := s.build(n.Of, scope)
		return reference(text, func(depth int) *Type { return keyOf(of, depth) })
	case *syntax.IndexType:
		of, key := s.build(n.Of, scope), s.build(n.Key, scope)
		return reference(text, func(depth int) *Type { return index(of, key, depth) })
	case *syntax.ConditionalType:
		check, extends := s.build(n.Check, scope), s.build(n.Extends, scope)
		then, otherwise := s.build(n.Then, scope), s.build(n.Else, scope)
		return reference(text, func(depth int) *Type {
			if (&relation{assumed: map[pair]bool{}, base: depth}).sub(check, extends) {
				return then
			}
			return otherwise
		})
	case *syntax.AssertsType:
		return builtins["any"]
	case *syntax.ValidatedType:
		return s.validated(n, text, scope)
	case *syntax.InterfaceType:
		return &Type{kind: kindInterface, text: text}
	}
	return builtins["any"]
}

// named resolves a name when it is first followed, so that declarations may refer to each other in any order.
func (s *Set) named(module, name, text string, scope map[string]*Type) *Type {
	if module == "" {
		if t, ok := scope[name]; ok {
			return t
		}
	}
	return reference(text, func(int) *Type {
		if module == "" {
			if t, ok := s.decls[name]; ok {
				return t
			}
		}
		if s.resolver != nil {
			if t, ok := s.resolver(module, name); ok {
				return t
			}
		}
		if module == "" {
			if t, ok := builtins[name]; ok {
				return t
			}
		}
		return &Type{kind: kindUnresolved, text: text}
	})
}

func (s *Set) applied(n *syntax.GenericType, text string, scope map[string]*Type) *Type {
	base := s.named(n.Module, n.Name, n.Name, scope)
	args := make([]*Type, 0, len(n.Args))
	for _, a := range n.Args {
		args = append(args, s.build(a, scope))
	}
	return reference(text, func(depth int) *Type {
		t := base.targetAt(depth)
		if t.kind != KindGeneric {
			if t.kind == KindUserdata { // an object of a built-in module, whose arguments are not checked
				return t
			}
			return &Type{kind: kindUnresolved, text: text}
		}
		made, err := t.Instantiate(args...)
		if err != nil {
			return &Type{kind: kindUnresolved, text: text}
		}
		return made
	})
}

func (s *Set) function(n *syntax.FunctionType, text string, scope map[string]*Type) *Type {
	t := &Type{kind: KindFunction, text: text}
	for _, p := range n.Params {
		t.params = append(t.params, Param{p.Name, s.build(p.Type, scope)})
	}
	if n.Vararg != nil {
		t.vararg = s.build(n.Vararg, scope)
	}
	switch {
	case n.NoReturns:
	case len(n.Returns) == 1:
		t.returns = s.build(n.Returns[0], scope)
	default:
		t.returns = &Type{kind: KindTuple, text: "()"}
		texts := make([]string, 0, len(n.Returns))
		for _, r := range n.Returns {
			m := s.build(r, scope)
			t.returns.members = append(t.returns.members, m)
			texts = append(texts, m.String())
		}
		t.returns.text = "(" + strings.Join(texts, ", ") + ")"
	}
	return t
}

// validated adds validators to a type. On records, maps, functions and generic types they have no meaning.
func (s *Set) validated(n *syntax.ValidatedType, text string, scope map[string]*Type) *Type {
	inner := s.build(n.Inner, scope)
	switch n.Inner.(type) {
	case *syntax.RecordType, *syntax.MapType, *syntax.FunctionType, *syntax.GenericType:
		return inner
	}
	checks := newChecks(n.Validators)
	return reference(text, func(depth int) *Type {
		t := inner.targetAt(depth).clone()
		t.checks = append(t.checks, checks...)
		return t
	})
}

// typeOf returns the static type of an expression as far as it is plain to see: annotated variables, casts to a type,
// variables initialised with literals, literals and table constructors. Others are unknown.
func (s *Set) typeOf(e ast.Expr, depth int) *Type {
	if depth > maxResolve {
		return builtins["unknown"]
	}
	for i := len(s.chunk.Types.Casts) - 1; i >= 0; i-- {
		if c := s.chunk.Types.Casts[i]; c.Expr == e && c.Type != nil {
			return s.build(c.Type, nil)
		}
	}
	switch e := e.(type) {
	case *ast.StringExpr:
		return builtins["string"]
	case *ast.NumberExpr:
		if strings.ContainsAny(e.Value, ".eEn") && !strings.HasPrefix(e.Value, "0x") {
			return builtins["number"]
		}
		return builtins["integer"]
	case *ast.TrueExpr, *ast.FalseExpr:
		return builtins["boolean"]
	case *ast.NilExpr:
		return builtins["nil"]
	case *ast.FunctionExpr:
		return builtins["function"]
	case *ast.TableExpr:
		return s.typeOfTable(e, depth)
	case *ast.IdentExpr:
		return s.typeOfLocal(e.Value, depth+1)
	case *ast.AttrGetExpr:
		if key, ok := e.Key.(*ast.StringExpr); ok {
			if t, ok := s.typeOf(e.Object, depth).fieldAt(key.Value, depth); ok {
				return t
			}
		}
	}
	return builtins["unknown"]
}

func (s *Set) typeOfTable(e *ast.TableExpr, depth int) *Type {
	t := &Type{kind: KindRecord, text: "table"}
	for _, f := range e.Fields {
		key, ok := f.Key.(*ast.StringExpr)
		if !ok {
			return builtins["table"]
		}
		t.fields = append(t.fields, Field{Name: key.Value, Type: s.typeOf(f.Value, depth)})
	}
	return t
}

// typeOfLocal finds the last top-level local of a name.
func (s *Set) typeOfLocal(name string, depth int) *Type {
	for i := len(s.chunk.Stmts) - 1; i >= 0; i-- {
		l, ok := s.chunk.Stmts[i].(*ast.LocalAssignStmt)
		if !ok {
			continue
		}
		for j, n := range l.Names {
			if n != name {
				continue
			}
			for _, a := range s.chunk.Types.Locals {
				if a.Stmt == l && a.Types[j] != nil {
					return s.build(a.Types[j], nil)
				}
			}
			if j < len(l.Exprs) {
				return s.typeOf(l.Exprs[j], depth)
			}
			return builtins["unknown"]
		}
	}
	return builtins["unknown"]
}
