// SPDX-License-Identifier: Apache-2.0

package syntax

import "github.com/yuin/gopher-lua/ast"

// binary describes an infix operator: how strongly it binds its left and its right operand (left > right makes it
// right-associative; 0 is no operator) and how it is represented.
type binary struct {
	left, right uint8
	op          string
	build       func(p *parser, b *binary, lhs, rhs ast.Expr) ast.Expr
}

const (
	precConcat = 8
	precUnary  = 12
)

var binaries = buildBinaries()

func buildBinaries() (t [kindCount]binary) {
	t[kOr] = binary{1, 1, "or", buildLogical}
	t[kAnd] = binary{2, 2, "and", buildLogical}
	for _, k := range []kind{kLt, kGt, kLe, kGe, kEq, kNe} {
		t[k] = binary{3, 3, kindText[k], buildRelational}
	}
	t[kPipe] = binary{4, 4, IntrinsicBOr, buildIntrinsic}
	t[kTilde] = binary{5, 5, IntrinsicBXor, buildIntrinsic}
	t[kAmp] = binary{6, 6, IntrinsicBAnd, buildIntrinsic}
	t[kShl] = binary{7, 7, IntrinsicShl, buildIntrinsic}
	t[kShr] = binary{7, 7, IntrinsicShr, buildIntrinsic}
	t[kConcat] = binary{precConcat + 1, precConcat, "..", nil}
	for _, k := range []kind{kPlus, kMinus} {
		t[k] = binary{10, 10, kindText[k], buildArithmetic}
	}
	for _, k := range []kind{kStar, kSlash, kPercent} {
		t[k] = binary{11, 11, kindText[k], buildArithmetic}
	}
	t[kDoubleSlash] = binary{11, 11, IntrinsicIDiv, buildIntrinsic}
	t[kCaret] = binary{14, 13, "^", buildArithmetic}
	return t
}

func (p *parser) expr() ast.Expr { return p.subexpr(0) }

// subexpr parses an expression whose infix operators bind more strongly than limit.
func (p *parser) subexpr(limit uint8) ast.Expr {
	p.enter()
	var e ast.Expr
	switch p.tok.kind {
	case kNot, kMinus, kHash, kTilde:
		e = p.unary()
	default:
		e = p.operand()
	}
	for {
		b := &binaries[p.tok.kind]
		if b.left <= limit {
			break
		}
		if b.build == nil {
			e = p.concat(e)
			continue
		}
		h := p.height
		p.next()
		rhs := p.subexpr(b.right)
		p.grow(max(h, p.height))
		lhs := e
		e = b.build(p, b, lhs, rhs)
		p.placeFrom(e, lhs, &p.tok)
	}
	p.leave()
	return e
}

func (p *parser) unary() ast.Expr {
	op, first := p.tok.kind, p.tok
	p.next()
	e := p.subexpr(precUnary)
	p.grow(p.height)
	var n ast.Expr
	switch op {
	case kNot:
		n = &ast.UnaryNotOpExpr{Expr: e}
	case kMinus:
		n = &ast.UnaryMinusOpExpr{Expr: e}
	case kHash:
		n = &ast.UnaryLenOpExpr{Expr: e}
	default:
		n = p.bitNot(e)
		p.placeFrom(n, nil, &first)
		return n
	}
	n.SetLine(e.Line())
	p.placeFrom(n, nil, &first)
	return n
}

// concat parses the rest of a .. b .. c. The operator associates to the right; a loop spares the recursion.
func (p *parser) concat(first ast.Expr) ast.Expr {
	h := p.height
	mark := p.exprs.mark()
	p.exprs.push(first)
	for p.accept(kConcat) {
		p.exprs.push(p.subexpr(precConcat + 1))
		h = max(h, p.height)
	}
	parts := p.exprs.stack[mark:]
	p.grow(h + len(parts))
	if !p.unlowered && joinsMany(parts) {
		single(parts[len(parts)-1])
		return p.intrinsic(IntrinsicConcat, first.Line(), p.exprs.take(mark))
	}
	e := parts[len(parts)-1]
	for i := len(parts) - 2; i >= 0; i-- {
		n := &ast.StringConcatOpExpr{Lhs: parts[i], Rhs: e}
		n.SetLine(parts[i].Line())
		p.placeFrom(n, parts[i], &p.tok)
		e = n
	}
	p.exprs.stack = p.exprs.stack[:mark]
	return e
}

// joinsMany reports whether a concatenation is left to [IntrinsicConcat]: when it could make a text grow to a multiple,
// which the virtual machine's instruction does without a bound, and when it has many operands, which it is slow at.
// With two texts the call costs 15 % more than the instruction, with three 20 % less.
func joinsMany(parts []ast.Expr) bool {
	open := 0
	for _, e := range parts {
		switch e.(type) {
		case *ast.StringExpr, *ast.NumberExpr:
		default:
			open++
		}
	}
	return open >= 2 || open == 1 && len(parts) > 2
}

func buildLogical(_ *parser, b *binary, lhs, rhs ast.Expr) ast.Expr {
	n := &ast.LogicalOpExpr{Operator: b.op, Lhs: lhs, Rhs: rhs}
	n.SetLine(lhs.Line())
	return n
}

func buildRelational(_ *parser, b *binary, lhs, rhs ast.Expr) ast.Expr {
	n := &ast.RelationalOpExpr{Operator: b.op, Lhs: lhs, Rhs: rhs}
	n.SetLine(lhs.Line())
	return n
}

func buildArithmetic(_ *parser, b *binary, lhs, rhs ast.Expr) ast.Expr {
	n := &ast.ArithmeticOpExpr{Operator: b.op, Lhs: lhs, Rhs: rhs}
	n.SetLine(lhs.Line())
	return n
}

// operand parses a simple expression and the casts behind it, which bind more strongly than any operator.
func (p *parser) operand() ast.Expr {
	e := p.simple()
	colons := false
	for {
		switch p.tok.kind {
		case kAs:
		case kDoubleColon:
			if colons {
				p.fail(p.tok, "syntax error: unexpected '::'", "casts with :: do not chain; write (e :: T) :: U")
			}
			colons = true
		case kBang:
			if next := p.at(p.tok.end); next == '=' && p.at(p.tok.end+1) != '=' {
				p.unexpected("")
			}
		default:
			return e
		}
		e = p.cast(e)
	}
}

func (p *parser) cast(e ast.Expr) ast.Expr {
	c := Cast{Expr: e, Pos: p.tok.position()}
	op, h := p.tok.kind, p.height
	p.next()
	switch op {
	case kBang:
		c.Kind = CastNonNil
	case kAs:
		c.Kind, c.Type = CastAs, p.simpleType(false)
	default:
		c.Kind, c.Type = CastColons, p.simpleType(false)
	}
	p.height = h
	single(e)
	p.types.Casts = append(p.types.Casts, c)
	return e
}

// single makes a call or ... yield exactly one value.
func single(e ast.Expr) {
	switch e := e.(type) {
	case *ast.FuncCallExpr:
		e.AdjustRet = true
	case *ast.Comma3Expr:
		e.AdjustRet = true
	}
}

func (p *parser) simple() ast.Expr {
	p.height = 1
	t := &p.tok
	var n ast.Expr
	switch t.kind {
	case kName, kLparen:
		e, _ := p.suffixed()
		return e
	case kString:
		n = p.stringNode(t.line, t.text)
	case kNumber:
		num := p.numbers.new()
		num.Value = t.text
		n = num
	case kNil:
		n = &ast.NilExpr{}
	case kTrue:
		n = &ast.TrueExpr{}
	case kFalse:
		n = &ast.FalseExpr{}
	case kEllipsis:
		if !p.scope.vararg {
			p.compileError(*t, "cannot use '...' outside a vararg function")
		}
		p.dots = p.dots || p.scope.depth == 0
		n = &ast.Comma3Expr{}
	case kLbrace:
		return p.table()
	case kFunction:
		start := *t
		p.next()
		f := p.funcBody(false, start)
		f.SetLine(start.line)
		return f
	default:
		p.unexpected("an expression")
	}
	n.SetLine(t.line)
	p.placeToken(n, t)
	p.next()
	return n
}

// exprList parses one or more expressions separated by commas.
func (p *parser) exprList() []ast.Expr {
	mark, h := p.exprs.mark(), 0
	for {
		e := p.expr()
		h = max(h, p.height)
		p.exprs.push(e)
		if !p.accept(kComma) {
			break
		}
	}
	p.height = h
	return p.exprs.take(mark)
}
