// SPDX-License-Identifier: Apache-2.0

package syntax

import "github.com/yuin/gopher-lua/ast"

// mainBlock parses the whole text.
func (p *parser) mainBlock() []ast.Stmt {
	p.scope.vararg = true
	b := p.openBlock()
	stmts := p.statements(b)
	if p.tok.kind != kEOF {
		p.unexpected("a statement")
	}
	p.endBody(b)
	p.closeBlock(b, stmts, false)
	p.closeFunction(function{vararg: true})
	return stmts
}

// blockUntil parses a block of its own scope that ends before one of the words that end blocks.
func (p *parser) blockUntil() []ast.Stmt {
	b := p.openBlock()
	stmts := p.statements(b)
	p.closeBlock(b, stmts, false)
	return stmts
}

// statements parses statements up to a word that ends a block. What lies on the statement stack above the block's mark
// becomes the beginning of the result.
func (p *parser) statements(b block) []ast.Stmt {
	p.enter()
	height := 0
	for !p.tok.kind.endsBlock() {
		if p.tok.kind == kSemicolon {
			p.next()
			continue
		}
		last := p.tok.kind == kReturn || p.tok.kind == kBreak
		p.height = 0
		first := p.tok
		if s := p.statement(b); s != nil {
			p.placeToken(s, &first)
			p.stmts.push(s)
		}
		height = max(height, p.height)
		if last {
			p.accept(kSemicolon)
			if !p.tok.kind.endsBlock() {
				p.afterLast()
			}
			break
		}
	}
	p.leave()
	p.grow(height)
	return p.stmts.take(b.stmts)
}

func (p *parser) afterLast() {
	hint := p.hint()
	if hint == "" {
		hint = "return and break must be the last statement of a block; write 'do return end' to leave early"
	}
	p.fail(p.tok, "syntax error: unexpected "+p.describe(&p.tok)+", expected the end of the block", hint)
}

// statement parses one statement. It returns nil for a declaration of the type syntax, which leaves nothing behind.
func (p *parser) statement(b block) ast.Stmt {
	switch p.tok.kind {
	case kLocal:
		return p.localStmt()
	case kIf:
		return p.ifStmt()
	case kReturn:
		return p.returnStmt()
	case kFunction:
		return p.functionStmt()
	case kFor:
		return p.forStmt()
	case kWhile:
		return p.whileStmt()
	case kDo:
		t := p.tok
		p.next()
		s := &ast.DoBlockStmt{Stmts: p.blockUntil()}
		p.setLines(s, t.line)
		p.expectEnd(kEnd, "do", t.line)
		return s
	case kRepeat:
		return p.repeatStmt()
	case kBreak:
		if p.scope.loops == 0 {
			p.compileError(p.tok, "no loop to break")
		}
		s := &ast.BreakStmt{}
		s.SetLine(p.tok.line)
		p.next()
		return s
	case kGoto:
		return p.gotoStmt()
	case kLabel:
		return p.labelStmt(b)
	case kInterface:
		p.interfaceDecl()
		return nil
	case kName:
		if p.tok.text == "type" && p.peek() == kName {
			p.typeDecl()
			return nil
		}
	}
	return p.exprStmt()
}

// setLines gives a statement its first line and, from the current token, its last.
func (p *parser) setLines(s ast.PositionHolder, line int) {
	s.SetLine(line)
	s.SetLastLine(p.tok.line)
}

// exprStmt parses an assignment or a call.
func (p *parser) exprStmt() ast.Stmt {
	start := p.tok
	e, form := p.suffixed()
	if form != formParen && (p.tok.kind == kAssign || p.tok.kind == kComma) {
		if form == formCall {
			p.unexpected("")
		}
		return p.assignment(e)
	}
	if call, ok := e.(*ast.FuncCallExpr); ok && !p.castAhead() {
		s := p.callSts.new()
		s.Expr = call
		s.SetLine(call.Line())
		return s
	}
	p.notStatement(start, e)
	return nil
}

// castAhead reports whether the current token would make the expression before it the operand of a cast.
func (p *parser) castAhead() bool {
	return p.tok.kind == kAs || p.tok.kind == kDoubleColon || p.tok.kind == kBang
}

// notStatement explains why an expression cannot stand alone.
func (p *parser) notStatement(start token, e ast.Expr) {
	id, bare := e.(*ast.IdentExpr)
	bare = bare && p.prevEnd == start.end
	hint := ""
	switch {
	case bare && id.Value == "continue":
		hint = "there is no continue; use goto continue with ::continue:: at the end of the loop"
	case bare && id.Value == "export":
		hint = "there is no export; return the type in the module's table"
	case bare && (id.Value == "elif" || id.Value == "elsif"):
		hint = "the word is elseif"
	case bare && (id.Value == "var" || id.Value == "let" || id.Value == "const"):
		hint = "variables are declared with local"
	}
	switch {
	case bare && p.tok.kind == kName:
		p.fail(p.tok, "unexpected identifier", hint)
	case p.tok.kind == kAssign || isArithmetic(p.tok.kind) || p.castAhead():
		start = p.tok
	case hint == "":
		start.end = p.prevEnd
	}
	if hint == "" && !p.castAhead() {
		hint = p.hint()
	}
	if hint == "" || hint == "equality is written ==" {
		hint = "only calls and assignments are statements"
	}
	p.fail(start, "parse error", hint)
}

func (p *parser) assignment(first ast.Expr) ast.Stmt {
	h := p.height
	mark := p.exprs.mark()
	p.exprs.push(first)
	for p.accept(kComma) {
		e, form := p.suffixed()
		if form != formVar {
			p.unexpected("'.' or '[' or a variable")
		}
		h = max(h, p.height)
		p.exprs.push(e)
	}
	lhs := p.exprs.take(mark)
	p.expect(kAssign)
	s := &ast.AssignStmt{Lhs: lhs, Rhs: p.exprList()}
	s.SetLine(first.Line())
	p.grow(max(h, p.height))
	return p.lowerAssign(s)
}

func (p *parser) localStmt() ast.Stmt {
	line := p.tok.line
	p.next()
	if p.tok.kind == kFunction {
		start := p.tok
		start.line = line
		p.next()
		declared := len(p.declared)
		p.noteName(&p.tok)
		name := p.expectName("a function name")
		p.declare(name)
		f := p.funcBody(false, start)
		s := p.locals.new()
		s.Names, s.Exprs = p.oneName(name), p.one(f)
		p.placeNames(s, declared)
		s.SetLine(line)
		s.SetLastLine(f.LastLine())
		p.grow(p.height)
		return s
	}
	mark, places, declared := p.names.mark(), len(p.places), len(p.declared)
	var types []TypeNode
	for i := 0; ; i++ {
		p.places = append(p.places, p.place())
		p.noteName(&p.tok)
		p.names.push(p.expectName("a variable name"))
		types = p.annotation(types, i, "local variables")
		if !p.accept(kComma) {
			break
		}
	}
	s := p.locals.new()
	s.Names = p.names.take(mark)
	p.placeNames(s, declared)
	s.SetLine(line)
	if p.accept(kAssign) {
		s.Exprs = p.exprList()
		p.grow(p.height)
	} else {
		if p.tok.kind == kLt {
			p.fail(p.tok, "syntax error: unexpected '<', expected '='", "attributes such as <const> and <close> are not part of the language")
		}
		s.Exprs = []ast.Expr{}
	}
	p.declare(s.Names...)
	if types != nil {
		p.types.Locals = append(p.types.Locals, LocalTypes{s, pad(types, len(s.Names)), p.takePlaces(places)})
	}
	p.places = p.places[:places]
	return s
}

func (p *parser) ifStmt() ast.Stmt {
	start := p.tok
	first := p.ifs.new()
	first.SetLine(start.line)
	current := first
	height, tall := 0, 0
	for {
		p.next()
		current.Condition = p.expr()
		height = max(height, p.height+tall)
		p.expectThen()
		current.Then = p.blockUntil()
		height = max(height, p.height+tall)
		tall++
		if p.tok.kind != kElseif {
			break
		}
		following := p.ifs.new()
		following.SetLine(p.tok.line)
		p.placeToken(following, &p.tok)
		current.Else = []ast.Stmt{following}
		current = following
	}
	if p.accept(kElse) {
		if p.tok.kind == kIf && p.tok.line == p.prevLine {
			p.elseIf = p.tok.line
		}
		current.Else = p.blockUntil()
		height = max(height, p.height+tall)
	}
	first.SetLastLine(p.tok.line)
	p.expectEnd(kEnd, "if", start.line)
	p.grow(height)
	return first
}

func (p *parser) expectThen() {
	if p.tok.kind != kThen {
		p.unexpected("'then'")
	}
	p.next()
}

func (p *parser) whileStmt() ast.Stmt {
	start := p.tok
	l := p.openLoop()
	p.next()
	s := &ast.WhileStmt{Condition: p.expr()}
	h := p.height
	if p.tok.kind != kDo {
		p.unexpected("'do'")
	}
	p.next()
	s.Stmts = p.blockUntil()
	p.setLines(s, start.line)
	p.grow(max(h, p.height))
	p.expectEnd(kEnd, "while", start.line)
	return p.finishLoop(l, s)
}

func (p *parser) repeatStmt() ast.Stmt {
	start := p.tok
	l := p.openLoop()
	p.next()
	b := p.openBlock()
	s := &ast.RepeatStmt{Stmts: p.statements(b)}
	h := p.height
	p.expectEnd(kUntil, "repeat", start.line)
	s.Condition = p.expr()
	p.closeBlock(b, s.Stmts, true)
	s.SetLine(start.line)
	s.SetLastLine(s.Condition.Line())
	p.grow(max(h, p.height))
	return p.finishLoop(l, s)
}

// finishLoop puts a loop whose breaks became jumps into a block with their label.
func (p *parser) finishLoop(l loop, s ast.Stmt) ast.Stmt {
	if !p.closeLoop(l) {
		return s
	}
	end := &ast.LabelStmt{Name: labelBreak}
	end.SetLine(max(s.LastLine(), s.Line()))
	do := &ast.DoBlockStmt{Stmts: []ast.Stmt{s, end}}
	do.SetLine(s.Line())
	do.SetLastLine(end.Line())
	p.grow(p.height)
	return do
}

func (p *parser) returnStmt() ast.Stmt {
	s := p.returns.new()
	s.SetLine(p.tok.line)
	p.next()
	if !p.tok.kind.endsBlock() && p.tok.kind != kSemicolon {
		s.Exprs = p.exprList()
		p.grow(p.height)
	}
	return s
}

func (p *parser) oneName(name string) []string {
	mark := p.names.mark()
	p.names.push(name)
	return p.names.take(mark)
}

func (p *parser) one(e ast.Expr) []ast.Expr {
	mark := p.exprs.mark()
	p.exprs.push(e)
	return p.exprs.take(mark)
}
