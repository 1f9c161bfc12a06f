// SPDX-License-Identifier: Apache-2.0

package types

// pair is an assumption made while two types are compared: recursive types are related if assuming so leads to no
// contradiction (Amadio & Cardelli 1993).
type pair struct{ a, b *Type }

// maxSteps bounds a comparison: generic types can refer to ever new instances of themselves.
const maxSteps = 10_000

type relation struct {
	assumed map[pair]bool
	depth   int
	steps   int
	base    int // depth of the resolution that compares, see Type.targetAt
}

// Subtype reports whether every value of a is one of b, as far as the structure tells.
func Subtype(a, b *Type) bool {
	r := relation{assumed: map[pair]bool{}}
	return r.sub(a, b)
}

// Equal reports whether two types have the same structure, whatever their names.
func Equal(a, b *Type) bool { return Subtype(a, b) && Subtype(b, a) }

func (r *relation) sub(a, b *Type) bool {
	a, b = a.targetAt(r.base), b.targetAt(r.base)
	if a == b {
		return true
	}
	p := pair{a, b}
	r.steps++
	if r.assumed[p] || r.depth > maxDepth || r.steps > maxSteps {
		return true
	}
	r.assumed[p] = true
	r.depth++
	ok := r.related(a, b)
	r.depth--
	if !ok {
		r.assumed[p] = false
	}
	return ok
}

func (r *relation) related(a, b *Type) bool {
	switch {
	case b.kind == KindAny || b.kind == KindUnknown || a.kind == KindNever:
		return true
	case a.kind == kindUnresolved || b.kind == kindUnresolved:
		return a.kind == b.kind && a.text == b.text
	case a.kind == KindUnion:
		return every(a.members, func(m *Type) bool { return r.sub(m, b) })
	case a.kind == KindOptional:
		return r.sub(builtins["nil"], b) && r.sub(a.elem, b)
	case b.kind == KindUnion:
		return some(b.members, func(m *Type) bool { return r.sub(a, m) })
	case b.kind == KindOptional:
		return a.kind == KindNil || r.sub(a, b.elem)
	case b.kind == KindIntersection:
		return every(b.members, func(m *Type) bool { return r.sub(a, m) })
	case a.kind == KindIntersection:
		return some(a.members, func(m *Type) bool { return r.sub(m, b) })
	case a.kind == kindLiteral:
		if b.kind == kindLiteral {
			return a.literal == b.literal
		}
		return literalKind(a.literal) == b.kind || b.kind == KindInteger && builtins["integer"].Validate(a.literal) == nil
	case a.kind == KindInteger && b.kind == KindNumber:
		return true
	case b.kind == kindTable:
		return a.isTable()
	case a.kind == kindTable:
		return b.isTable()
	}
	return r.structural(a, b)
}

func (t *Type) isTable() bool {
	switch t.kind {
	case kindTable, KindArray, KindMap, KindRecord, kindInterface:
		return true
	}
	return false
}

func (r *relation) structural(a, b *Type) bool {
	if a.kind == KindArray && b.kind == KindMap {
		return r.sub(builtins["integer"], b.key) && r.sub(a.elem, b.elem)
	}
	if a.kind == KindRecord && b.kind == KindMap {
		for _, f := range a.fields {
			if !r.sub(builtins["string"], b.key) || !r.sub(f.Type, b.elem) {
				return false
			}
		}
		return true
	}
	if a.kind == KindRecord && b.kind == KindArray {
		return len(a.fields) == 0
	}
	if a.kind != b.kind {
		return false
	}
	switch a.kind {
	case KindArray:
		return r.sub(a.elem, b.elem)
	case KindMap:
		return r.sub(b.key, a.key) && r.sub(a.elem, b.elem)
	case KindRecord:
		return r.records(a, b)
	case KindFunction:
		return r.functions(a, b)
	case KindTuple:
		return r.tuples(a, b)
	case kindInterface, KindGeneric:
		return false
	case KindUserdata:
		return a.text == b.text || b.text == string(KindUserdata)
	}
	return true
}

func (r *relation) records(a, b *Type) bool {
	for _, want := range b.fields {
		found := false
		for _, have := range a.fields {
			if have.Name != want.Name {
				continue
			}
			found = r.sub(have.Type, want.Type) && (!have.Optional || want.Optional || want.Type.acceptsNil(nil))
		}
		if !found && (a.hasField(want.Name) || !want.Optional && !want.Type.acceptsNil(nil)) {
			return false
		}
	}
	return true
}

func (t *Type) hasField(name string) bool {
	_, ok := t.Field(name)
	return ok
}

func (r *relation) functions(a, b *Type) bool {
	if len(a.params) > len(b.params) && b.vararg == nil {
		for _, p := range a.params[len(b.params):] {
			if !p.Type.acceptsNil(nil) {
				return false
			}
		}
	}
	for i := range min(len(a.params), len(b.params)) {
		if !r.sub(b.params[i].Type, a.params[i].Type) {
			return false
		}
	}
	if b.returns == nil || a.returns == nil {
		return true
	}
	return r.tuples(a.returns, b.returns)
}

// tuples compares results: at least as many, each a subtype.
func (r *relation) tuples(a, b *Type) bool {
	list := func(t *Type) []*Type {
		if u := t.target(); u.kind == KindTuple {
			return u.members
		}
		return []*Type{t}
	}
	have, want := list(a), list(b)
	if len(have) < len(want) {
		return false
	}
	for i, w := range want {
		if !r.sub(have[i], w) {
			return false
		}
	}
	return true
}

func every(list []*Type, ok func(*Type) bool) bool {
	for _, m := range list {
		if !ok(m) {
			return false
		}
	}
	return true
}

func some(list []*Type, ok func(*Type) bool) bool {
	for _, m := range list {
		if ok(m) {
			return true
		}
	}
	return false
}

// keyOf returns the union of the field names of a record, or the key type of a map or array.
func keyOf(t *Type, depth int) *Type {
	u := t.targetAt(depth)
	switch u.kind {
	case KindMap:
		return u.key
	case KindArray:
		return builtins["integer"]
	case KindRecord:
		out := &Type{kind: KindUnion}
		for i, f := range u.fields {
			m := &Type{kind: kindLiteral, literal: str(f.Name), text: `"` + f.Name + `"`}
			out.members = append(out.members, m)
			if i > 0 {
				out.text += " | "
			}
			out.text += m.text
		}
		if len(out.members) > 0 {
			return out
		}
	}
	return builtins["never"]
}

// index returns the type of t[key].
func index(t, key *Type, depth int) *Type {
	u, k := t.targetAt(depth), key.targetAt(depth)
	switch u.kind {
	case KindMap, KindArray:
		return u.elem
	case KindRecord:
		if k.kind == kindLiteral {
			for _, f := range u.fields {
				if str(f.Name) == k.literal {
					return f.Type
				}
			}
		}
	}
	return builtins["unknown"]
}
