// SPDX-License-Identifier: Apache-2.0

package syntax

import (
	"strings"

	"github.com/yuin/gopher-lua/ast"
)

// Limits against input that is nested only to exhaust the Go stack, of this parser or of the compiler behind it.
const (
	// maxLevel is the depth of blocks, expressions and types, as LUAI_MAXCCALLS in Lua 5.1.
	maxLevel = 200
	// maxHeight is the height of the syntax tree. Long chains such as a+b+c... do not nest in the source, yet make a
	// tall tree, which gopher-lua walks recursively at about 1 KB of stack per node.
	maxHeight = 8000
)

// Chunk is a parsed source text: a tree for gopher-lua's compiler, free of types, and the types.
type Chunk struct {
	Name  string
	Stmts []ast.Stmt
	Types *TypeTable
	// Places is nil unless Parse was asked for it, see Placed.
	Places *Places

	src   *lexer    // for positions of compile errors
	gotos []gotoFix // upvalue levels gopher-lua gets wrong, see repair.go
	dots  bool      // the chunk itself uses ...
	vars  []localInfo
}

// Option changes how Parse works.
type Option interface{ apply(*parser) }

type optionFunc func(*parser)

func (f optionFunc) apply(p *parser) { f(p) }

// Unlowered leaves generic for, break and multiple assignment as gopher-lua's own parser builds them: iterators cannot
// yield then, and `a, b = b, a` does not swap. It is for tools that want the tree of the source rather than one to run.
func Unlowered() Option { return optionFunc(func(p *parser) { p.unlowered = true }) }

// Parse parses a typed-Lua chunk. The error, if any, is an *Error. name is the chunk name that positions in errors carry.
//
// Strings in the result share memory with source.
func Parse(name, source string, opts ...Option) (chunk *Chunk, err error) {
	p := &parser{types: &TypeTable{}}
	p.name, p.src, p.line = name, source, 1
	for _, o := range opts {
		o.apply(p)
	}
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*Error)
			if !ok {
				panic(r)
			}
			chunk, err = nil, e
		}
	}()
	p.off = len(source) - len(strings.TrimPrefix(source, "\ufeff"))
	p.next()
	stmts := p.mainBlock()
	return &Chunk{Name: name, Stmts: stmts, Types: p.types, Places: p.spans, src: &p.lexer, gotos: p.fixes, dots: p.dots, vars: p.scope.locals}, nil
}

// parser is a recursive-descent parser with one token of look-ahead. Errors unwind it as panics of *Error.
type parser struct {
	lexer
	tok      token
	ahead    token
	hasAhead bool
	prevKind kind // the token before tok
	prevLine int
	prevEnd  int
	prevBol  int

	elseIf int // line of the last `else if`, a likely reason for a missing end
	level  int // depth of recursion, see enter
	height int // height of the tree parsed last
	types  *TypeTable

	scope scopeState

	exprs  list[ast.Expr]
	stmts  list[ast.Stmt]
	fields list[*ast.Field]
	names  list[string]
	places []place // where the names of the declaration in progress stand

	idents   slab[ast.IdentExpr]
	strs     slab[ast.StringExpr]
	numbers  slab[ast.NumberExpr]
	attrs    slab[ast.AttrGetExpr]
	calls    slab[ast.FuncCallExpr]
	locals   slab[ast.LocalAssignStmt]
	callSts  slab[ast.FuncCallStmt]
	fieldSet slab[ast.Field]
	ifs      slab[ast.IfStmt]
	returns  slab[ast.ReturnStmt]

	fixes     []gotoFix
	spans     *Places // nil unless asked for
	declared  []Span  // of names to be declared, see noteName
	dots      bool    // see Chunk
	unlowered bool
}

// place is where a token begins: offset, line and offset of that line.
type place struct{ pos, line, bol int }

func (p *parser) next() {
	p.prevKind, p.prevLine, p.prevEnd, p.prevBol = p.tok.kind, p.tok.line, p.tok.end, p.tok.bol
	if p.hasAhead {
		p.tok, p.hasAhead = p.ahead, false
		return
	}
	p.scan(&p.tok)
}

// peek returns the kind of the token after the current one.
func (p *parser) peek() kind {
	if !p.hasAhead {
		p.scan(&p.ahead)
		p.hasAhead = true
	}
	return p.ahead.kind
}

// accept consumes the current token if it is of kind k.
func (p *parser) accept(k kind) bool {
	if p.tok.kind != k {
		return false
	}
	p.next()
	return true
}

func (p *parser) expect(k kind) {
	if p.tok.kind != k {
		p.unexpected("'" + kindText[k] + "'")
	}
	p.next()
}

// expectName consumes a name. what says whose name it is, for the message.
func (p *parser) expectName(what string) string {
	if p.tok.kind != kName {
		p.unexpected(what)
	}
	name := p.tok.text
	p.next()
	return name
}

// expectSoftName consumes a name or a word of the type syntax, which are names where no type can stand.
func (p *parser) expectSoftName(what string) string {
	if p.tok.kind != kName && !p.tok.kind.isTypeWord() {
		p.unexpected(what)
	}
	name := p.tok.text
	p.next()
	return name
}

// enter counts one level of recursion; leave takes it back.
func (p *parser) enter() {
	p.level++
	if p.level > maxLevel {
		p.fail(p.tok, "chunk has too many syntax levels", "at most 200 blocks and expressions can be nested")
	}
}

func (p *parser) leave() { p.level-- }

// grow records that a node was put on top of trees no taller than h.
func (p *parser) grow(h int) {
	p.height = h + 1
	if h >= maxHeight {
		p.fail(p.tok, "chunk has too many syntax levels", "split this expression or statement into several")
	}
}

func (p *parser) place() place { return place{p.tok.pos, p.tok.line, p.tok.bol} }

func (at place) position() Position { return Position{at.line, at.pos - at.bol + 1} }

// compileError ends the parse with an error of the compile stage, at a known place.
func (p *parser) compileError(t token, message string) {
	e := p.errorAt(t, message, "")
	e.Compile, e.AtEOF = true, false
	panic(e)
}
