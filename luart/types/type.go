// SPDX-License-Identifier: Apache-2.0

package types

import (
	"sync/atomic"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/syntax"
)

// Kind is the form of a type, as reflection names it.
type Kind string

// The kinds of types.
const (
	KindNil          Kind = "nil"
	KindBoolean      Kind = "boolean"
	KindNumber       Kind = "number"
	KindString       Kind = "string"
	KindInteger      Kind = "integer"
	KindAny          Kind = "any"
	KindUnknown      Kind = "unknown"
	KindNever        Kind = "never"
	kindLiteral      Kind = "literal"
	KindOptional     Kind = "optional"
	KindUnion        Kind = "union"
	KindIntersection Kind = "intersection"
	KindTuple        Kind = "tuple"
	KindFunction     Kind = "function"
	KindArray        Kind = "array"
	KindMap          Kind = "map"
	KindRecord       Kind = "record"
	kindTable        Kind = "table"
	kindInterface    Kind = "interface"
	KindUserdata     Kind = "userdata"
	KindThread       Kind = "thread"
	KindGeneric      Kind = "generic"
	kindUnresolved   Kind = "unresolved"
)

// Type is a type as a value. Types are immutable and safe for concurrent use; recursive types refer to themselves through
// references that are resolved when they are first followed.
type Type struct {
	kind    Kind
	name    string // declared name, "" when unnamed
	text    string // text for messages
	elem    *Type  // of an array; values of a map; inner type of an optional
	key     *Type  // keys of a map
	members []*Type
	fields  []Field
	params  []Param
	vararg  *Type
	returns *Type // a tuple when there are several, nil when unknown
	literal lua.LValue
	checks  []check

	// A reference stands for the type that resolve returns; the other members are unused then. resolve may be called
	// more than once; the first result is kept.
	resolve  func(depth int) *Type
	resolved atomic.Pointer[Type]

	generic *generic // of KindGeneric

	value atomic.Pointer[lua.LUserData] // see Binding.Value
}

// Field is one field of a record type.
type Field struct {
	Name     string
	Type     *Type
	Optional bool
	checks   []check
}

// Param is one parameter of a function type, or of a generic type with its bound.
type Param struct {
	Name string
	Type *Type // nil for a type parameter without a bound
}

// generic is a declaration with type parameters.
type generic struct {
	set  *Set
	decl *syntax.TypeDecl
}

// maxResolve bounds how many references are followed in a row, and how deeply: a type may be defined by nothing but itself.
const maxResolve = 32

// reference returns a type that stands for what resolve returns when it is first needed. resolve has to pass depth on to
// the target methods it calls.
func reference(text string, resolve func(depth int) *Type) *Type {
	return &Type{text: text, resolve: resolve}
}

// target follows references to a type that is none.
func (t *Type) target() *Type { return t.targetAt(0) }

func (t *Type) targetAt(depth int) *Type {
	for range maxResolve {
		if t.resolve == nil {
			return t
		}
		next := t.resolved.Load()
		if next == nil {
			if depth > maxResolve {
				break
			}
			t.resolved.CompareAndSwap(nil, t.resolve(depth+1))
			next = t.resolved.Load()
		}
		t = next
	}
	return &Type{kind: kindUnresolved, text: t.String()}
}

// Kind returns the form of the type; KindUnknown when the type cannot be resolved.
func (t *Type) Kind() Kind {
	switch u := t.target(); u.kind {
	case kindUnresolved:
		return KindUnknown
	case kindLiteral:
		return literalKind(u.literal)
	case kindTable, kindInterface:
		return KindRecord
	default:
		return u.kind
	}
}

func literalKind(v lua.LValue) Kind {
	switch v.(type) {
	case lua.LString:
		return KindString
	case lua.LNumber:
		return KindNumber
	}
	return KindBoolean
}

// LuaType returns "type", which is what the function type of Lua says of a type.
func (t *Type) LuaType() string { return "type" }

// Name returns the declared name, "" when the type has none.
func (t *Type) Name() string { return t.name }

// String returns the declared name, or the text of the type when it has none.
func (t *Type) String() string {
	if t.name != "" {
		return t.name
	}
	return t.text
}

// Elem returns the element type of an array, nil for other types.
func (t *Type) Elem() *Type { return t.part(KindArray) }

// Value returns the value type of a map, nil for other types.
func (t *Type) Value() *Type { return t.part(KindMap) }

// Inner returns what an optional type is optional of, nil for other types.
func (t *Type) Inner() *Type { return t.part(KindOptional) }

func (t *Type) part(k Kind) *Type {
	if u := t.target(); u.kind == k {
		return u.elem
	}
	return nil
}

// Key returns the key type of a map, nil for other types.
func (t *Type) Key() *Type { return t.target().key }

// Fields returns the fields of a record in source order.
func (t *Type) Fields() []Field { return t.target().fields }

// Field returns the type of a record's field.
func (t *Type) Field(name string) (*Type, bool) { return t.fieldAt(name, 0) }

func (t *Type) fieldAt(name string, depth int) (*Type, bool) {
	for _, f := range t.targetAt(depth).fields {
		if f.Name == name {
			return f.Type, true
		}
	}
	return nil, false
}

// Variants returns the members of a union.
func (t *Type) Variants() []*Type {
	if u := t.target(); u.kind == KindUnion {
		return u.members
	}
	return nil
}

// Params returns the parameters of a function type.
func (t *Type) Params() []Param {
	if u := t.target(); u.kind == KindFunction {
		return u.params
	}
	return nil
}

// Return returns the result type of a function type: a tuple for several results, nil when unknown.
func (t *Type) Return() *Type { return t.target().returns }

// TypeParams returns the parameters of a generic type that has not been instantiated.
func (t *Type) TypeParams() []Param {
	if u := t.target(); u.kind == KindGeneric {
		return u.params
	}
	return nil
}

var builtins = func() map[string]*Type {
	m := map[string]*Type{}
	for _, k := range []Kind{
		KindAny, KindUnknown, KindNever, KindNil, KindBoolean, KindNumber, KindInteger, KindString,
		kindTable, KindFunction, KindThread, KindUserdata,
	} {
		m[string(k)] = &Type{kind: k, text: string(k)}
	}
	m["bool"], m["int"] = m["boolean"], m["integer"]
	m["error"] = &Type{kind: KindAny, text: "error"}
	return m
}()

// Builtin returns a built-in type: any unknown never nil boolean bool number integer int string table function thread
// userdata error.
func Builtin(name string) (*Type, bool) {
	t, ok := builtins[name]
	return t, ok
}

// Object returns a type of host objects with a name such as time.Time. It accepts any userdata.
func Object(name string) *Type { return &Type{kind: KindUserdata, text: name} }

// clone returns a copy to which checks can be added.
func (t *Type) clone() *Type {
	return &Type{
		kind: t.kind, name: t.name, text: t.text, elem: t.elem, key: t.key, members: t.members, fields: t.fields,
		params: t.params, vararg: t.vararg, returns: t.returns, literal: t.literal,
		checks: append([]check(nil), t.checks...), generic: t.generic,
	}
}
