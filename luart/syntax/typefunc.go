// SPDX-License-Identifier: Apache-2.0

package syntax

// params is a list in parentheses that may turn out to be the parameters of a function type or a list of results.
type params struct {
	list   []FunctionParam
	vararg TypeNode
}

// plain reports whether the list could be one of results: no names, no varargs.
func (l *params) plain() bool {
	for _, q := range l.list {
		if q.Name != "" {
			return false
		}
	}
	return l.vararg == nil
}

func (l *params) types() []TypeNode {
	out := make([]TypeNode, 0, len(l.list))
	for _, q := range l.list {
		out = append(out, q.Type)
	}
	return out
}

// params parses a list with its parentheses.
func (p *parser) params() params {
	open := p.tok
	p.expect(kLparen)
	p.enter()
	var l params
	for p.tok.kind != kRparen {
		if p.accept(kEllipsis) {
			l.vararg = p.typ()
			break
		}
		var q FunctionParam
		if p.tok.kind == kName || p.tok.kind.isTypeWord() {
			if p.peek() == kColon {
				q.Name = p.tok.text
				p.next()
				p.next()
			}
		}
		q.Type = p.typ()
		l.list = append(l.list, q)
		if !p.accept(kComma) {
			break
		}
		if p.tok.kind == kRparen {
			p.unexpected("a type")
		}
	}
	p.leave()
	p.expectClose(kRparen, &open)
	return l
}

// parenType parses a function type, alone or in parentheses. Parentheses group nothing else.
func (p *parser) parenType(start place) TypeNode {
	l := p.params()
	if p.tok.kind == kArrow {
		return p.arrowType(start, l)
	}
	return p.grouped(start, l)
}

// grouped makes a type of a parenthesised list that is not followed by an arrow.
func (p *parser) grouped(start place, l params) TypeNode {
	if len(l.list) == 1 && l.plain() {
		if f, ok := l.list[0].Type.(*FunctionType); ok && !f.grouped && !f.NoReturns && p.src[f.start] == '(' {
			f.grouped = true
			return p.span(f, start)
		}
	}
	at := token{kind: kLparen, pos: start.pos, end: p.prevEnd, line: start.line, bol: start.bol}
	p.fail(at, "syntax error: unexpected parentheses around a type, or '->' is missing behind them",
		"parentheses do not group types; an array of a union is {A | B}, other groups need a name")
	return nil
}

func (p *parser) arrowType(start place, l params) TypeNode {
	p.next()
	f := &FunctionType{Params: l.list, Vararg: l.vararg, start: start.pos}
	p.enter()
	f.Returns = p.arrowReturns()
	p.leave()
	return p.span(f, start)
}

// arrowReturns parses the results of a function type: one type, or several in parentheses, or ().
func (p *parser) arrowReturns() []TypeNode {
	start := p.place()
	if p.tok.kind != kLparen {
		return []TypeNode{p.typ()}
	}
	return p.parenReturns(start, false)
}

// parenReturns parses results that begin with a parenthesis: a list, or a type whose first part is a function type. A
// result list of a function statement reads (A, B) as two results even in front of an arrow.
func (p *parser) parenReturns(start place, statement bool) []TypeNode {
	l := p.params()
	var first TypeNode
	switch {
	case p.tok.kind == kArrow:
		if statement && len(l.list) > 1 && l.list[0].Name == "" {
			p.fail(p.tok, "syntax error: unexpected '->'", "put a function type with several parameters in parentheses: ((A, B) -> C)")
		}
		first = p.arrowType(start, l)
	case len(l.list) == 0 && l.vararg == nil:
		return []TypeNode{}
	case len(l.list) > 1 && l.plain():
		return l.types()
	default:
		first = p.grouped(start, l)
	}
	first = p.arraySuffixes(start, first)
	return []TypeNode{p.typeAfter(start, p.simpleAfter(start, first, false))}
}

// returnTypes parses the results behind the colon of a function. several allows a list without parentheses.
func (p *parser) returnTypes(several bool) []TypeNode {
	var out []TypeNode
	if p.tok.kind == kLparen {
		out = p.parenReturns(p.place(), true)
		if len(out) != 1 {
			return out
		}
	} else {
		out = []TypeNode{p.typ()}
	}
	for several && p.accept(kComma) {
		out = append(out, p.typ())
	}
	return out
}

// funType parses fun(a: A): R.
func (p *parser) funType(start place) TypeNode {
	p.next()
	l := p.params()
	f := &FunctionType{Params: l.list, Vararg: l.vararg, NoReturns: true, start: start.pos}
	if p.accept(kColon) {
		f.NoReturns = false
		p.enter()
		f.Returns = p.returnTypes(false)
		p.leave()
	}
	return p.span(f, start)
}
