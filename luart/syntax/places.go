// SPDX-License-Identifier: Apache-2.0

package syntax

import "github.com/yuin/gopher-lua/ast"

// Places tells where the nodes of a tree stand, which the tree itself knows by line only. Parse makes it when asked to,
// see [Placed].
type Places struct {
	nodes   map[any]Span
	names   map[any][]Span
	methods map[*ast.FuncCallExpr]Span
}

// Placed makes Parse note where every node stands, in Chunk.Places. It is for tools: parsing is
// slower and takes more memory.
func Placed() Option {
	return optionFunc(func(p *parser) {
		p.spans = &Places{nodes: map[any]Span{}, names: map[any][]Span{}, methods: map[*ast.FuncCallExpr]Span{}}
	})
}

// Node returns the span of an expression, or where a statement begins: the span of its first token. It reports false
// for what stands nowhere in the source, such as the receiver self.
func (p *Places) Node(n any) (Span, bool) {
	s, ok := p.nodes[n]
	return s, ok
}

// Names returns the spans of the names that a node declares: the variables of a *ast.LocalAssignStmt, *ast.NumberForStmt
// or *ast.GenericForStmt, the parameters of a *ast.FunctionExpr without self and "...".
func (p *Places) Names(n any) []Span { return p.names[n] }

// Method returns the span of the name of the method that a call calls.
func (p *Places) Method(call *ast.FuncCallExpr) (Span, bool) {
	s, ok := p.methods[call]
	return s, ok
}

// placeToken notes that a node is one token. Like its relatives below it does nothing unless places are asked for.
func (p *parser) placeToken(n any, t *token) {
	if p.spans != nil {
		p.spans.nodes[n] = t.span()
	}
}

// placeFrom notes that an expression reaches from the beginning of another, or of a token when there is none, to the last
// token read.
func (p *parser) placeFrom(n any, first ast.Expr, t *token) {
	if p.spans == nil {
		return
	}
	at := Span{Start: Position{t.line, t.pos - t.bol + 1}}
	if first != nil {
		at.Start = p.spans.nodes[first].Start
	}
	at.End = Position{p.prevLine, p.prevEnd - p.prevBol + 1}
	p.spans.nodes[n] = at
}

// placeMethod notes where the name of a method stands.
func (p *parser) placeMethod(call *ast.FuncCallExpr, t *token) {
	if p.spans != nil {
		p.spans.methods[call] = t.span()
	}
}

// placeNames gives a node the names noted with noteName since mark.
func (p *parser) placeNames(n any, mark int) { p.spanNames(n, p.takeNames(mark)) }

func (p *parser) takeNames(mark int) []Span {
	if p.spans == nil {
		return nil
	}
	names := append([]Span(nil), p.declared[mark:]...)
	p.declared = p.declared[:mark]
	return names
}

func (p *parser) spanNames(n any, names []Span) {
	if p.spans != nil {
		p.spans.names[n] = names
	}
}

// noteName remembers a name that is about to be declared.
func (p *parser) noteName(t *token) {
	if p.spans != nil {
		p.declared = append(p.declared, t.span())
	}
}

func (t *token) span() Span {
	return Span{Position{t.line, t.pos - t.bol + 1}, Position{t.line, t.end - t.bol + 1}}
}
