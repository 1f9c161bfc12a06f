// SPDX-License-Identifier: Apache-2.0

package syntax

import "github.com/yuin/gopher-lua/ast"

// TypeTable holds what erasure removes from a chunk, tied to the nodes that stay.
type TypeTable struct {
	// Declared lists the top-level type and interface statements in source order. Their names are run-time values.
	Declared []*TypeDecl
	// Nested lists the declarations inside functions and blocks, which are static only.
	Nested []*TypeDecl
	// Locals lists the local statements that carry at least one annotation.
	Locals []LocalTypes
	// Functions lists the functions that carry at least one annotation or type parameter.
	Functions []FunctionTypes
	// Casts lists every `e as T`, `e :: T` and `e!`, inner ones first.
	Casts []Cast
}

// Lookup returns the last top-level declaration of a name.
func (t *TypeTable) Lookup(name string) (*TypeDecl, bool) {
	for i := len(t.Declared) - 1; i >= 0; i-- {
		if t.Declared[i].Name == name {
			return t.Declared[i], true
		}
	}
	return nil, false
}

// TypeDecl is one `type N = T` or `interface N ... end`.
type TypeDecl struct {
	Name   string
	Pos    Position // of the name
	Params []TypeParam
	Type   TypeNode // *InterfaceType for an interface
}

// TypeParam is one parameter in <T: Bound>.
type TypeParam struct {
	Name  string
	Pos   Position
	Bound TypeNode // nil when unbound
}

// LocalTypes are the annotations of one local statement.
type LocalTypes struct {
	Stmt  *ast.LocalAssignStmt
	Types []TypeNode // one per name, nil where none was given
	Pos   []Position // one per name
}

// FunctionTypes are the annotations of one function.
type FunctionTypes struct {
	Func       *ast.FunctionExpr
	Pos        Position // of the opening parenthesis
	TypeParams []TypeParam
	Params     []TypeNode // one per parameter, without the implicit self; nil where none was given
	ParamPos   []Position
	Vararg     TypeNode // of `...: T`
	Returns    []TypeNode
	HasReturns bool // a result list was given, maybe the empty one `: ()`
}

// CastKind tells the three spellings of a cast apart.
type CastKind uint8

// The spellings of a cast.
const (
	CastAs     CastKind = iota // e as T
	CastColons                 // e :: T
	CastNonNil                 // e!
)

// Cast is one erased cast or non-nil assertion.
type Cast struct {
	Expr ast.Expr // the operand, which took the place of the cast
	Kind CastKind
	Type TypeNode // nil for e!
	Pos  Position // of the operator
}
