// SPDX-License-Identifier: Apache-2.0

package syntax

import "strconv"

// typ parses a type: a union, an intersection or a conditional of simple types.
func (p *parser) typ() TypeNode {
	start := p.place()
	return p.typeAfter(start, p.simpleType(false))
}

// typeAfter parses what may follow the first simple type of a type, which began at start.
func (p *parser) typeAfter(start place, t TypeNode) TypeNode {
	if p.tok.kind == kExtends {
		return p.conditional(start, t)
	}
	for p.tok.kind == kPipe || p.tok.kind == kAmp {
		op := p.tok.kind
		p.next()
		right := p.simpleType(false)
		if op == kPipe {
			if u, ok := t.(*UnionType); ok {
				u.Members = append(u.Members, right)
			} else {
				t = &UnionType{Members: []TypeNode{t, right}}
			}
		} else {
			if x, ok := t.(*IntersectionType); ok {
				x.Members = append(x.Members, right)
			} else {
				t = &IntersectionType{Members: []TypeNode{t, right}}
			}
		}
		p.span(t, start)
	}
	return t
}

func (p *parser) conditional(start place, check TypeNode) TypeNode {
	p.next()
	c := &ConditionalType{Check: check, Extends: p.simpleType(true)}
	p.expect(kQuestion)
	p.enter()
	c.Then = p.typ()
	p.expect(kColon)
	c.Else = p.typ()
	p.leave()
	return p.span(c, start)
}

// simpleType parses a primary type with its validators and question marks. In front of the ? of a conditional type a
// question mark counts only when another follows.
func (p *parser) simpleType(conditional bool) TypeNode {
	p.enter()
	start := p.place()
	t := p.simpleAfter(start, p.primaryType(), conditional)
	p.leave()
	return t
}

func (p *parser) simpleAfter(start place, t TypeNode, conditional bool) TypeNode {
	if p.tok.kind == kAt {
		t = p.span(&ValidatedType{Inner: t, Validators: p.validators()}, start)
	}
	for p.tok.kind == kQuestion && (!conditional || p.peek() == kQuestion) {
		p.next()
		t = p.span(&OptionalType{Inner: t}, start)
	}
	return t
}

// span gives a type its extent: from start to the last token read.
func (p *parser) span(t TypeNode, start place) TypeNode {
	t.typeNode().span = Span{start.position(), Position{p.prevLine, p.prevEnd - p.prevBol + 1}}
	return t
}

func (p *parser) validators() []Validator {
	var list []Validator
	for p.tok.kind == kAt {
		p.next()
		v := Validator{Pos: p.tok.position(), Name: p.expectSoftName("a validator name")}
		if p.tok.kind == kLparen {
			open := p.tok
			p.next()
			if p.tok.kind != kRparen {
				v.Args = p.exprList()
			}
			p.expectClose(kRparen, &open)
		}
		list = append(list, v)
	}
	return list
}

// primaryType parses a type without operators, with its [] suffixes.
func (p *parser) primaryType() TypeNode {
	start := p.place()
	var t TypeNode
	if p.tok.kind == kLparen {
		t = p.parenType(start)
	} else {
		t = p.atomType(start)
	}
	return p.arraySuffixes(start, t)
}

func (p *parser) arraySuffixes(start place, t TypeNode) TypeNode {
	for p.tok.kind == kLbracket {
		open := p.tok
		p.next()
		if p.accept(kRbracket) {
			t = p.span(&ArrayType{Elem: t}, start)
			continue
		}
		key := p.typ()
		p.expectClose(kRbracket, &open)
		t = p.span(&IndexType{Of: t, Key: key}, start)
	}
	return t
}

func (p *parser) atomType(start place) TypeNode {
	t := p.tok
	switch t.kind {
	case kNil:
		p.next()
		return p.span(&NilType{}, start)
	case kTrue, kFalse:
		p.next()
		return p.span(&BoolLiteralType{Value: t.kind == kTrue}, start)
	case kString:
		p.next()
		return p.span(&StringLiteralType{Value: t.text}, start)
	case kNumber:
		p.next()
		n := &NumberLiteralType{Text: p.src[t.pos:t.end]}
		if i, err := strconv.ParseInt(t.text, 0, 64); err == nil {
			n.Value = float64(i)
		} else {
			n.Value, _ = strconv.ParseFloat(t.text, 64)
		}
		return p.span(n, start)
	case kName:
		return p.namedType(start)
	case kFunction:
		p.next()
		return p.span(&NameType{Name: "function"}, start)
	case kLbrace:
		return p.braceType(start, true)
	case kReadonly:
		p.next()
		if p.tok.kind != kLbrace {
			p.unexpected("'{'")
		}
		inner := p.place()
		r := &ReadonlyType{Inner: p.braceType(inner, false)}
		return p.span(r, start)
	case kInterface:
		p.next()
		if p.tok.kind != kLbrace {
			p.unexpected("'{'")
		}
		open := p.tok
		p.next()
		return p.recordType(start, open)
	case kFun:
		return p.funType(start)
	case kTypeof:
		p.next()
		open := p.tok
		p.expect(kLparen)
		n := &TypeofType{Expr: p.expr()}
		p.expectClose(kRparen, &open)
		return p.span(n, start)
	case kKeyof:
		p.next()
		open := p.tok
		p.expect(kLparen)
		n := &KeyofType{Of: p.typ()}
		p.expectClose(kRparen, &open)
		return p.span(n, start)
	case kAsserts:
		p.next()
		n := &AssertsType{Param: p.expectName("a parameter name")}
		if p.accept(kIs) {
			n.Is = p.typ()
		}
		return p.span(n, start)
	case kMinus:
		p.fail(t, "syntax error: unexpected '-', expected a type", "number types cannot be negative")
	}
	p.unexpected("a type")
	return nil
}

// namedType parses Name, mod.Name and either with type arguments.
func (p *parser) namedType(start place) TypeNode {
	module, name := "", p.tok.text
	p.next()
	if p.accept(kDot) {
		module, name = name, p.expectSoftName("a type name")
		if p.tok.kind == kDot {
			p.fail(p.tok, "syntax error: unexpected '.'", "a type of a module is written module.Name")
		}
	}
	if p.tok.kind != kLt {
		return p.span(&NameType{Module: module, Name: name}, start)
	}
	g := &GenericType{Module: module, Name: name}
	p.next()
	for {
		g.Args = append(g.Args, p.typ())
		if !p.accept(kComma) {
			break
		}
	}
	p.closeAngle()
	return p.span(g, start)
}

// closeAngle consumes one '>', which may be the first half of '>>' or '>='.
func (p *parser) closeAngle() {
	rest := kEOF
	switch p.tok.kind {
	case kShr:
		rest = kGt
	case kGe:
		rest = kAssign
	default:
		p.expect(kGt)
		return
	}
	p.prevKind, p.prevLine, p.prevEnd, p.prevBol = kGt, p.tok.line, p.tok.pos+1, p.tok.bol
	p.tok.kind, p.tok.text = rest, kindText[rest]
	p.tok.pos++
}

// braceType parses {T}, {[K]: V} and records. The brace is the current token.
func (p *parser) braceType(start place, allowEmpty bool) TypeNode {
	open := p.tok
	p.next()
	switch {
	case p.tok.kind == kRbrace:
		if !allowEmpty {
			p.unexpected("a type")
		}
		return p.recordType(start, open)
	case p.tok.kind == kLbracket:
		p.next()
		m := &MapType{Key: p.typ()}
		p.expect(kRbracket)
		p.expect(kColon)
		m.Value = p.typ()
		p.closeType(&open, "a map type has one [key]: value")
		return p.span(m, start)
	case p.fieldAhead():
		return p.recordType(start, open)
	}
	a := &ArrayType{Elem: p.typ()}
	p.closeType(&open, "an array type has one element type: {T}")
	return p.span(a, start)
}

func (p *parser) closeType(open *token, hint string) {
	if p.tok.kind == kComma || p.tok.kind == kSemicolon {
		p.fail(p.tok, "syntax error: unexpected '"+p.tok.text+"', expected '}'", hint)
	}
	p.expectClose(kRbrace, open)
}

// fieldAhead reports whether a record field begins at the current token.
func (p *parser) fieldAhead() bool {
	if p.tok.kind != kName && !p.tok.kind.isTypeWord() {
		return false
	}
	k := p.peek()
	return k == kColon || k == kQuestionColon
}

// recordType parses the fields up to the closing brace.
func (p *parser) recordType(start place, open token) TypeNode {
	r := &RecordType{}
	for p.tok.kind != kRbrace {
		f := RecordField{Pos: p.tok.position()}
		switch p.tok.kind {
		case kEllipsis:
			p.fail(p.tok, "syntax error: unexpected '...'", "records are always open; leave out the '...'")
		case kLbracket:
			p.fail(p.tok, "syntax error: unexpected '['", "a type is a record or a map, not both")
		}
		f.Name = p.expectSoftName("a field name")
		switch p.tok.kind {
		case kQuestionColon:
			f.Optional = true
		case kColon:
		default:
			p.unexpected("':'")
		}
		p.next()
		f.Type = p.typ()
		if p.tok.kind == kAt {
			f.Validators = p.validators()
		}
		r.Fields = append(r.Fields, f)
		if p.tok.kind == kSemicolon {
			p.fail(p.tok, "syntax error: unexpected ';', expected ',' or '}'", "record fields are separated by commas")
		}
		if !p.accept(kComma) {
			break
		}
	}
	p.expectClose(kRbrace, &open)
	return p.span(r, start)
}
