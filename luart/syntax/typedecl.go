// SPDX-License-Identifier: Apache-2.0

package syntax

// typeDecl parses type Name<T> = T. The word type is the current token and a name follows.
func (p *parser) typeDecl() {
	p.next()
	d := &TypeDecl{Name: p.tok.text, Pos: p.tok.position()}
	p.next()
	if p.tok.kind == kLt {
		d.Params = p.typeParams()
	}
	if p.tok.kind != kAssign {
		p.unexpected("'=' in the declaration of type " + d.Name)
	}
	p.next()
	d.Type = p.typ()
	p.height = 0
	p.declareType(d)
}

func (p *parser) declareType(d *TypeDecl) {
	if p.level == 1 && p.scope.base == 0 {
		p.types.Declared = append(p.types.Declared, d)
	} else {
		p.types.Nested = append(p.types.Nested, d)
	}
}

// typeParams parses <T, U: Bound>.
func (p *parser) typeParams() []TypeParam {
	p.next()
	var list []TypeParam
	for {
		tp := TypeParam{Pos: p.tok.position(), Name: p.expectName("a type parameter")}
		if p.accept(kColon) {
			tp.Bound = p.typ()
		}
		list = append(list, tp)
		if !p.accept(kComma) {
			break
		}
	}
	p.closeAngle()
	return list
}

// interfaceDecl parses interface Name: A, B ... end.
func (p *parser) interfaceDecl() {
	start := p.tok
	at := p.place()
	p.next()
	d := &TypeDecl{Pos: p.tok.position(), Name: p.expectName("an interface name")}
	body := &InterfaceType{}
	if p.accept(kColon) {
		for {
			body.Bases = append(body.Bases, p.expectName("an interface name"))
			if !p.accept(kComma) {
				break
			}
		}
	}
	for p.accept(kFunction) {
		body.Methods = append(body.Methods, p.interfaceMethod())
	}
	p.expectEnd(kEnd, "interface", start.line)
	d.Type = p.span(body, at)
	p.height = 0
	p.declareType(d)
}

func (p *parser) interfaceMethod() InterfaceMethod {
	m := InterfaceMethod{Pos: p.tok.position(), Name: p.expectSoftName("a method name"), NoReturns: true}
	open := p.tok
	p.expect(kLparen)
	for p.tok.kind != kRparen {
		q := FunctionParam{Name: p.expectName("a parameter name")}
		if types := p.annotation(nil, 0, "parameters"); types != nil {
			q.Type = types[0]
		}
		m.Params = append(m.Params, q)
		if !p.accept(kComma) {
			break
		}
		if p.tok.kind == kRparen {
			p.unexpected("a parameter name")
		}
	}
	p.expectClose(kRparen, &open)
	if p.accept(kColon) {
		m.Returns, m.NoReturns = p.returnTypes(true), false
	}
	return m
}
