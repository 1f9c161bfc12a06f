// SPDX-License-Identifier: Apache-2.0

package syntax

import "github.com/yuin/gopher-lua/ast"

// form says what kind of prefix expression suffixed has read.
type form uint8

const (
	formVar   form = iota // can be assigned to
	formCall              // can stand as a statement
	formParen             // neither, as far as the grammar goes
)

// suffixed parses a name or a parenthesised expression with its chain of fields, indexes and calls.
func (p *parser) suffixed() (ast.Expr, form) {
	var e ast.Expr
	f := formVar
	if id := p.ident(); id != nil {
		e = id
	} else if p.tok.kind == kLparen {
		e, f = p.parens(), formParen
	} else {
		p.unexpected("a statement")
	}
	h := p.height
	for {
		switch p.tok.kind {
		case kDot:
			p.next()
			name, object := p.tok, e
			key := p.stringNode(name.line, p.expectSoftName("a field name"))
			e, f = p.attr(e, key, e.Line()), formVar
			p.placeToken(key, &name)
			p.placeFrom(e, object, &name)
			p.height = 1
		case kLbracket:
			open := p.tok
			p.next()
			key := p.expr()
			p.expectClose(kRbracket, &open)
			object := e
			e, f = p.attr(e, key, e.Line()), formVar
			p.placeFrom(e, object, &open)
		case kColon:
			p.next()
			at := p.tok
			name := p.expectSoftName("a method name")
			call := p.calls.new()
			call.Receiver, call.Method = e, name
			call.Args = p.args("arguments of the method call")
			call.SetLine(e.Line())
			p.placeMethod(call, &at)
			p.placeFrom(call, e, &at)
			e, f = call, formCall
		case kLparen, kString, kLbrace:
			call := p.calls.new()
			call.Func = e
			call.Args = p.args("arguments")
			call.SetLine(e.Line())
			p.placeFrom(call, e, &p.tok)
			e, f = call, formCall
		default:
			p.height = h
			return e, f
		}
		p.grow(max(h, p.height))
		h = p.height
	}
}

// ident parses a name used as a variable. It returns nil when there is none.
func (p *parser) ident() *ast.IdentExpr {
	if p.tok.kind != kName {
		return nil
	}
	id := p.idents.new()
	id.Value = p.tok.text
	id.SetLine(p.tok.line)
	p.placeToken(id, &p.tok)
	p.height = 1
	p.next()
	return id
}

func (p *parser) parens() ast.Expr {
	open := p.tok
	p.next()
	e := p.expr()
	p.expectClose(kRparen, &open)
	if call, ok := e.(*ast.FuncCallExpr); ok && !call.AdjustRet {
		call.AdjustRet = true
		return e
	}
	single(e)
	e.SetLine(open.line)
	return e
}

func (p *parser) args(what string) []ast.Expr {
	switch p.tok.kind {
	case kLparen:
		open := p.tok
		if p.prevKind == kRparen && open.line > p.prevLine {
			p.fail(open, "ambiguous syntax (function call x new statement)",
				"end the previous statement with ';', or put the '(' on its line to call the result")
		}
		p.next()
		if p.tok.kind == kRparen {
			p.height = 0
			p.next()
			return []ast.Expr{}
		}
		list := p.exprList()
		p.expectClose(kRparen, &open)
		return list
	case kString:
		s := p.stringNode(p.tok.line, p.tok.text)
		p.placeToken(s, &p.tok)
		p.height = 1
		p.next()
		return p.one(s)
	case kLbrace:
		return p.one(p.table())
	}
	p.unexpected(what)
	return nil
}

func (p *parser) stringNode(line int, text string) *ast.StringExpr {
	s := p.strs.new()
	s.Value = text
	s.SetLine(line)
	return s
}

func (p *parser) attr(object, key ast.Expr, line int) *ast.AttrGetExpr {
	n := p.attrs.new()
	n.Object, n.Key = object, key
	n.SetLine(line)
	return n
}

// table parses a table constructor.
func (p *parser) table() ast.Expr {
	open := p.tok
	n := &ast.TableExpr{}
	n.SetLine(open.line)
	p.next()
	mark, h := p.fields.mark(), 0
	for p.tok.kind != kRbrace {
		f := p.fieldSet.new()
		p.field(f)
		h = max(h, p.height)
		p.fields.push(f)
		if !p.accept(kComma) && !p.accept(kSemicolon) {
			break
		}
	}
	p.expectClose(kRbrace, &open)
	n.Fields = p.fields.take(mark)
	p.placeFrom(n, nil, &open)
	p.grow(h)
	return n
}

func (p *parser) field(f *ast.Field) {
	switch {
	case p.tok.kind == kLbracket:
		open := p.tok
		p.next()
		f.Key = p.expr()
		h := p.height
		p.expectClose(kRbracket, &open)
		p.expect(kAssign)
		f.Value = p.expr()
		p.height = max(h, p.height)
		return
	case p.tok.kind == kName || p.tok.kind.isTypeWord():
		if p.peek() == kAssign {
			f.Key = p.stringNode(p.tok.line, p.tok.text)
			p.placeToken(f.Key, &p.tok)
			p.next()
			p.next()
		}
	}
	f.Value = p.expr()
}
