// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"strconv"
	"strings"

	"github.com/yuin/gopher-lua/ast"
)

// infer returns the type that an expression certainly has, else any. Variables have the type they declare as long as no
// test can narrow it.
func (c *checker) infer(e ast.Expr) *typ {
	t := c.types.inferred[e]
	if t == nil {
		t = c.casted(e)
		c.types.inferred[e] = t
	}
	return t
}

// casted is infer the first time.
func (c *checker) casted(e ast.Expr) *typ {
	if cast, ok := c.types.casts[e]; ok {
		if cast == nil {
			return anyType
		}
		return c.types.resolve(cast)
	}
	return c.plain(e)
}

// plain is casted without the casts of the expression.
func (c *checker) plain(e ast.Expr) *typ {
	switch e := e.(type) {
	case *ast.NilExpr:
		return basicTypes["nil"]
	case *ast.TrueExpr:
		return &typ{kind: kindBoolean, lit: true, text: "true"}
	case *ast.FalseExpr:
		return &typ{kind: kindBoolean, lit: false, text: "false"}
	case *ast.StringExpr:
		return &typ{kind: kindString, lit: e.Value, text: strconv.Quote(e.Value)}
	case *ast.NumberExpr:
		n, err := strconv.ParseFloat(e.Value, 64)
		if err != nil {
			return basicTypes["number"]
		}
		return &typ{kind: kindNumber, lit: n, text: strconv.FormatFloat(n, 'g', -1, 64)}
	case *ast.FunctionExpr:
		return &typ{kind: kindFunction, text: "function"}
	case *ast.TableExpr:
		return &typ{kind: kindTable, text: c.tableText(e)}
	case *ast.IdentExpr:
		v := c.refs[e]
		if v == nil {
			return anyType
		}
		if v.declared != nil {
			if t := c.types.resolve(v.declared); t.settled() {
				return t
			}
		}
		if v.value != nil && !v.assigned {
			return &typ{kind: kindFunction, text: "function"}
		}
	case *ast.AttrGetExpr:
		if name, ok := e.Key.(*ast.StringExpr); ok {
			if f := c.infer(e.Object).field(name.Value); f != nil && !f.optional && f.typ.settled() {
				return f.typ
			}
		}
	case *ast.FuncCallExpr:
		if f := c.callee(e); f != nil {
			types := c.types.functions[f]
			if types != nil && types.HasReturns && len(types.Returns) > 0 && len(types.TypeParams) == 0 {
				return c.types.resolve(types.Returns[0])
			}
		}
	case *ast.RelationalOpExpr, *ast.UnaryNotOpExpr:
		return basicTypes["boolean"]
	case *ast.ArithmeticOpExpr:
		if numeric(c.infer(e.Lhs)) && numeric(c.infer(e.Rhs)) {
			return basicTypes["number"]
		}
	case *ast.UnaryMinusOpExpr:
		if t := c.infer(e.Expr); numeric(t) {
			if n, ok := t.lit.(float64); ok {
				return &typ{kind: kindNumber, lit: -n, text: strconv.FormatFloat(-n, 'g', -1, 64)}
			}
			return basicTypes["number"]
		}
	case *ast.StringConcatOpExpr:
		if textual(c.infer(e.Lhs)) && textual(c.infer(e.Rhs)) {
			return basicTypes["string"]
		}
	}
	return anyType
}

func numeric(t *typ) bool { return t.kind == kindNumber || t.kind == kindInteger }
func textual(t *typ) bool { return t.kind == kindString || numeric(t) }

// callee returns the local function that is called, nil when it is not certain.
func (c *checker) callee(call *ast.FuncCallExpr) *ast.FunctionExpr {
	id, ok := call.Func.(*ast.IdentExpr)
	if !ok || call.Receiver != nil {
		return nil
	}
	if _, cast := c.types.casts[id]; cast {
		return nil
	}
	if v := c.refs[id]; v != nil && !v.assigned && v.declared == nil {
		return v.value
	}
	return nil
}

// tableText is the text of the type of a constructor.
func (c *checker) tableText(e *ast.TableExpr) string {
	const most = 8
	var parts []string
	for i, f := range e.Fields {
		if i == most {
			parts = append(parts, "...")
			break
		}
		name, named := f.Key.(*ast.StringExpr)
		value := c.valueText(f.Value)
		switch {
		case named:
			parts = append(parts, name.Value+": "+value)
		case f.Key == nil:
			parts = append(parts, value)
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// valueText is the text of the type of a value in a table.
func (c *checker) valueText(e ast.Expr) string {
	if _, table := e.(*ast.TableExpr); table {
		return "table"
	}
	t := c.infer(e)
	if t.lit == nil {
		return t.text
	}
	return map[kind]string{kindString: "string", kindNumber: "number", kindBoolean: "boolean"}[t.kind]
}
