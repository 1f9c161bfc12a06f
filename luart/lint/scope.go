// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"github.com/yuin/gopher-lua/ast"

	"github.com/wippyrun/kit/luart/syntax"
)

// role says how a variable was declared.
type role uint8

const (
	roleLocal role = iota
	roleLoop
	roleParam
	roleHidden // self and arg, which nobody wrote
)

// variable is a declared local name.
type variable struct {
	name     string
	role     role
	at       syntax.Span
	function syntax.Span // of a parameter
	read     bool
	looked   bool // declared where the rules on variables look
	required bool // initialised by require where the rule on imports looks

	declared syntax.TypeNode   // its annotation, nil without one
	value    *ast.FunctionExpr // the function that a local is, nil when it is something else
	assigned bool              // given another value somewhere

	initial ast.Expr        // the first value of a local, nil when there is none
	reads   int             // how often it is read
	fielded int             // how many of these read or write a field by its name
	fields  map[string]bool // that are written
}

// use is one appearance of a global name.
type use struct {
	at     syntax.Span
	called bool // indexed or called, which fails when it is nil
}

// global is what a source does with a global name.
type global struct {
	name    string
	reads   []use
	written bool
}

// place says what the rules look at where the walk is.
type place struct {
	looked   bool // rules on variables
	imports  bool // rule on imports
	function bool // inside a function body
	cast     bool // inside the operand of a cast
}

// checker walks one chunk.
type checker struct {
	source  Source
	options Options
	chunk   *syntax.Chunk
	casts   map[ast.Expr]bool
	types   *annotations
	typed   map[string]bool // first parts of qualified type names
	lines   []string
	found   []Diagnostic

	depth   int         // functions around what is looked at
	visible []*variable // in scope, inner last
	all     []*variable // that were declared
	refs    map[*ast.IdentExpr]*variable
	globals map[string]*global
	order   []*global // in the order of their first use
	needed  map[string]bool

	looks    []member
	returned int // return statements of the chunk itself
}

func newChecker(s Source, o Options, chunk *syntax.Chunk) *checker {
	c := &checker{source: s, options: o, chunk: chunk, casts: map[ast.Expr]bool{}, typed: map[string]bool{},
		lines: splitLines(s.Text), refs: map[*ast.IdentExpr]*variable{}, types: newAnnotations(chunk.Types), globals: map[string]*global{}, needed: map[string]bool{}}
	for _, cast := range chunk.Types.Casts {
		c.casts[cast.Expr] = true
	}
	c.collectTypes()
	return c
}

func (c *checker) run() {
	c.block(c.chunk.Stmts, place{looked: true, imports: true})
	c.modules()
	if c.options.Types {
		c.checkTypes()
		c.members()
	}
	if c.options.Rules {
		c.unusedVariables()
		c.undefined()
		c.unusedDeclarations()
	}
}

// declare puts a variable in scope.
func (c *checker) declare(v *variable, at place) {
	if v.role != roleHidden {
		v.looked = at.looked
		if c.options.Rules && v.looked && !exempt(v.name) && c.lookup(v.name) != nil {
			c.add(CodeShadowed, Hint, v.at, "variable '"+v.name+"' shadows a variable in an outer scope", "")
		}
		c.all = append(c.all, v)
	}
	c.visible = append(c.visible, v)
}

func (c *checker) lookup(name string) *variable {
	for i := len(c.visible) - 1; i >= 0; i-- {
		if c.visible[i].name == name {
			return c.visible[i]
		}
	}
	return nil
}

func (c *checker) global(name string) *global {
	g := c.globals[name]
	if g == nil {
		g = &global{name: name}
		c.globals[name] = g
		c.order = append(c.order, g)
	}
	return g
}

// read notes that a name is read.
func (c *checker) read(e *ast.IdentExpr, called bool) {
	if v := c.lookup(e.Value); v != nil {
		v.read = true
		v.reads++
		c.refs[e] = v
		return
	}
	if e.Value == "" || e.Value[0] == 0 { // an operator in disguise
		return
	}
	g := c.global(e.Value)
	g.reads = append(g.reads, use{c.span(e), called})
}

// field notes that a name is read in order to read or write a field of it.
func (c *checker) field(object, key ast.Expr, written bool) {
	id, ok := object.(*ast.IdentExpr)
	if !ok || c.refs[id] == nil {
		return
	}
	name, ok := key.(*ast.StringExpr)
	if !ok || c.casts[object] {
		return
	}
	v := c.refs[id]
	if !written {
		v.fielded++
		return
	}
	if v.fields == nil {
		v.fields = map[string]bool{}
	}
	v.fields[name.Value] = true
}

func (c *checker) span(n any) syntax.Span {
	s, _ := c.chunk.Places.Node(n)
	return s
}

// name returns the span of the i-th name a node declares.
func (c *checker) nameSpan(n any, i int) syntax.Span {
	if names := c.chunk.Places.Names(n); i < len(names) {
		return names[i]
	}
	return syntax.Span{}
}

func exempt(name string) bool { return name[0] == '_' }
