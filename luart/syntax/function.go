// SPDX-License-Identifier: Apache-2.0

package syntax

import "github.com/yuin/gopher-lua/ast"

// functionStmt parses function a.b:c(...) ... end.
func (p *parser) functionStmt() ast.Stmt {
	start := p.tok
	p.next()
	name := p.ident()
	if name == nil {
		p.unexpected("a function name")
	}
	fn := &ast.FuncName{Func: name}
	h := 0
	for p.tok.kind == kDot {
		p.next()
		line, name, object := p.tok.line, p.tok, fn.Func
		key := p.stringNode(line, p.expectSoftName("a field name"))
		p.placeToken(key, &name)
		fn.Func = p.attr(object, key, line)
		p.placeFrom(fn.Func, object, &name)
		h++
		p.grow(h)
	}
	method := false
	if p.accept(kColon) {
		method = true
		fn.Receiver, fn.Func = fn.Func, nil
		fn.Method = p.expectSoftName("a method name")
	}
	f := p.funcBody(method, start)
	s := &ast.FuncDefStmt{Name: fn, Func: f}
	s.SetLine(start.line)
	s.SetLastLine(f.LastLine())
	p.grow(max(h, p.height))
	return s
}

// funcBody parses [<T>] (params) [: results] block end. start is the word function. The node's line is that of the
// opening parenthesis, as gopher-lua has it.
func (p *parser) funcBody(method bool, start token) *ast.FunctionExpr {
	open := p.openFunction()
	types := FunctionTypes{Func: &ast.FunctionExpr{ParList: &ast.ParList{}}}
	f := types.Func
	annotated := false
	if p.tok.kind == kLt {
		types.TypeParams = p.typeParams()
		annotated = true
	}
	paren := p.tok
	p.expect(kLparen)
	f.SetLine(paren.line)
	b := p.openBlock()
	if method {
		p.declare("self")
	}
	mark, places, declared := p.names.mark(), len(p.places), len(p.declared)
	for i := 0; p.tok.kind != kRparen; i++ {
		if p.tok.kind == kEllipsis {
			p.next()
			f.ParList.HasVargs = true
			if p.accept(kColon) {
				types.Vararg = p.typ()
				annotated = true
			}
			break
		}
		p.places = append(p.places, p.place())
		p.noteName(&p.tok)
		p.names.push(p.expectName("a parameter name"))
		types.Params = p.annotation(types.Params, i, "parameters")
		if p.tok.kind != kRparen && !p.accept(kComma) {
			p.unexpected("',' or ')'")
		} else if p.prevKind == kComma && p.tok.kind == kRparen {
			p.unexpected("a parameter name")
		}
	}
	p.expectClose(kRparen, &paren)
	f.ParList.Names = p.names.take(mark)
	p.placeNames(f, declared)
	p.declare(f.ParList.Names...)
	if f.ParList.HasVargs {
		p.scope.vararg = true
		p.declare("arg") // gopher-lua reserves a register for the argument table of Lua 5.0
	}
	if p.tok.kind == kColon {
		p.next()
		types.Returns, types.HasReturns = p.returnTypes(true), true
	}
	if annotated || types.HasReturns || types.Params != nil {
		types.Pos = paren.position()
		types.Params = pad(types.Params, len(f.ParList.Names))
		types.ParamPos = p.takePlaces(places)
		p.types.Functions = append(p.types.Functions, types)
	}
	p.places = p.places[:places]
	f.Stmts = p.statements(b)
	p.endBody(b)
	p.closeBlock(b, f.Stmts, false)
	f.SetLastLine(p.tok.line)
	p.grow(p.height)
	p.closeFunction(open)
	p.expectEnd(kEnd, "function", start.line)
	p.placeFrom(f, nil, &start)
	return f
}

// annotation parses the `: T` behind the name with index i of a list and stores it in types, which stays nil while no
// name has one. where names the kind of list, for the message.
func (p *parser) annotation(types []TypeNode, i int, where string) []TypeNode {
	switch p.tok.kind {
	case kColon:
		p.next()
		return append(pad(types, i), p.typ())
	case kQuestionColon, kQuestion:
		p.fail(p.tok, "syntax error: unexpected '"+p.tok.text+"'", where+" have no optional form; write name: T?")
	}
	return types
}

// pad lengthens types with nil to n elements. It makes a slice only for n > 0.
func pad(types []TypeNode, n int) []TypeNode {
	for len(types) < n {
		types = append(types, nil)
	}
	return types
}

// takePlaces converts the places noted since mark.
func (p *parser) takePlaces(mark int) []Position {
	out := make([]Position, 0, len(p.places)-mark)
	for _, at := range p.places[mark:] {
		out = append(out, at.position())
	}
	return out
}
