// SPDX-License-Identifier: Apache-2.0

package syntax

import "github.com/yuin/gopher-lua/ast"

// Position is a place in a source text: line and byte column, both from 1.
type Position struct {
	Line, Col int
}

// Span is a stretch of source text: from Start up to, but without, End.
type Span struct {
	Start, End Position
}

// TypeNode is one form of the type syntax. The set is closed: the structs in this file whose names end in Type are all
// there are.
type TypeNode interface {
	// Span returns where the type was written.
	Span() Span
	typeNode() *typeBase
}

type typeBase struct{ span Span }

// Span returns where the type was written.
func (b *typeBase) Span() Span          { return b.span }
func (b *typeBase) typeNode() *typeBase { return b }

// NilType is the literal type nil.
type NilType struct{ typeBase }

// BoolLiteralType is the literal type true or false.
type BoolLiteralType struct {
	typeBase
	Value bool
}

// StringLiteralType is a string literal used as a type.
type StringLiteralType struct {
	typeBase
	Value string
}

// NumberLiteralType is a numeral used as a type.
type NumberLiteralType struct {
	typeBase
	Value float64
	Text  string // as written
}

// NameType is a built-in type, a declared type, a type parameter, or with Module a type of an imported module.
type NameType struct {
	typeBase
	Module string
	Name   string
}

// GenericType is the use of a generic type with its arguments.
type GenericType struct {
	typeBase
	Module string
	Name   string
	Args   []TypeNode
}

// ArrayType is {T} or T[].
type ArrayType struct {
	typeBase
	Elem TypeNode
}

// MapType is {[K]: V}.
type MapType struct {
	typeBase
	Key, Value TypeNode
}

// RecordType is {a: T, b?: U}; interface {...} is another spelling of it.
type RecordType struct {
	typeBase
	Fields []RecordField
}

// RecordField is one field of a record type.
type RecordField struct {
	Name       string
	Pos        Position
	Optional   bool // written name?: T
	Type       TypeNode
	Validators []Validator // those behind a type that ends in ?; others are in Type
}

// ReadonlyType is readonly in front of an array, map or record type.
type ReadonlyType struct {
	typeBase
	Inner TypeNode
}

// OptionalType is T?.
type OptionalType struct {
	typeBase
	Inner TypeNode
}

// UnionType is A | B.
type UnionType struct {
	typeBase
	Members []TypeNode
}

// IntersectionType is A & B.
type IntersectionType struct {
	typeBase
	Members []TypeNode
}

// FunctionType is (A, b: B, ...C) -> R, or fun(a: A): R.
type FunctionType struct {
	typeBase
	Params  []FunctionParam
	Vararg  TypeNode   // type of the extra arguments, nil when there are none
	Returns []TypeNode // results; empty for "returns nothing"
	// NoReturns is set for fun(...) without a result list, where the results are unknown rather than none.
	NoReturns bool
	start     int  // offset in the source
	grouped   bool // written in parentheses
}

// FunctionParam is one parameter of a function type.
type FunctionParam struct {
	Name string // "" when unnamed
	Type TypeNode
}

// TypeofType is typeof(expr): the static type of an expression, which is never evaluated.
type TypeofType struct {
	typeBase
	Expr ast.Expr
}

// KeyofType is keyof(T).
type KeyofType struct {
	typeBase
	Of TypeNode
}

// IndexType is T[K].
type IndexType struct {
	typeBase
	Of, Key TypeNode
}

// ConditionalType is A extends B ? C : D.
type ConditionalType struct {
	typeBase
	Check, Extends, Then, Else TypeNode
}

// AssertsType is asserts x, or asserts x is T.
type AssertsType struct {
	typeBase
	Param string
	Is    TypeNode // nil for asserts x
}

// ValidatedType is a type with validators such as @min(1).
type ValidatedType struct {
	typeBase
	Inner      TypeNode
	Validators []Validator
}

// Validator is one @name(args).
type Validator struct {
	Name string
	Pos  Position
	Args []ast.Expr
}

// InterfaceType is the body of an interface declaration.
type InterfaceType struct {
	typeBase
	Bases   []string
	Methods []InterfaceMethod
}

// InterfaceMethod is one method signature of an interface declaration.
type InterfaceMethod struct {
	Name    string
	Pos     Position
	Params  []FunctionParam // Type is nil where none was given
	Returns []TypeNode
	// NoReturns is set when no result list was given.
	NoReturns bool
}
