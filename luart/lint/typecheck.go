// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/yuin/gopher-lua/ast"

	"github.com/wippyrun/kit/luart/internal/nearest"
	"github.com/wippyrun/kit/luart/syntax"
)

// scope is where the types are checked.
type scope struct {
	results *syntax.FunctionTypes // of the function around, nil when it declares none
	probe   bool                  // the value is only tested for presence
	tested  bool                  // the value is compared, with nil as it may be
}

// checkTypes finds what contradicts the declared types.
func (c *checker) checkTypes() { c.typeStmts(c.chunk.Stmts, scope{}) }

func (c *checker) typeStmts(stmts []ast.Stmt, at scope) {
	for _, s := range stmts {
		c.typeStmt(s, at)
	}
}

func (c *checker) typeStmt(s ast.Stmt, at scope) {
	probe := scope{results: at.results, probe: true}
	switch s := s.(type) {
	case *ast.LocalAssignStmt:
		c.typeExprs(s.Exprs, at)
		for i := range s.Names {
			if t := c.annotation(s, i); t != nil && i < len(s.Exprs) {
				c.assignTo(s.Exprs[i], c.types.resolve(t), assigning)
			}
		}
	case *ast.AssignStmt:
		c.typeExprs(s.Rhs, at)
		for i, e := range s.Lhs {
			if attr, ok := e.(*ast.AttrGetExpr); ok {
				c.typeExpr(attr.Object, at)
				c.typeExpr(attr.Key, at)
			}
			if i < len(s.Rhs) {
				if t := c.targetType(e); t != nil {
					c.assignTo(s.Rhs[i], t, assigning)
				}
			}
		}
	case *ast.FuncCallStmt:
		c.typeExpr(s.Expr, at)
	case *ast.DoBlockStmt:
		c.typeStmts(s.Stmts, at)
	case *ast.WhileStmt:
		c.typeExpr(s.Condition, probe)
		c.typeStmts(s.Stmts, at)
	case *ast.RepeatStmt:
		c.typeStmts(s.Stmts, at)
		c.typeExpr(s.Condition, probe)
	case *ast.IfStmt:
		c.typeExpr(s.Condition, probe)
		c.typeStmts(s.Then, at)
		c.typeStmts(s.Else, at)
	case *ast.NumberForStmt:
		for _, p := range []struct {
			what string
			e    ast.Expr
		}{{"init", s.Init}, {"limit", s.Limit}, {"step", s.Step}} {
			if p.e == nil {
				continue
			}
			c.typeExpr(p.e, at)
			if t := c.infer(p.e); t.settled() && !numeric(t) && t.kind != kindString {
				c.add(CodeMismatch, Error, c.span(p.e), "for loop "+p.what+" must be numeric, got "+t.text, "")
			}
		}
		c.typeStmts(s.Stmts, at)
	case *ast.GenericForStmt:
		c.typeExprs(s.Exprs, at)
		c.typeStmts(s.Stmts, at)
	case *ast.FuncDefStmt:
		c.typeExpr(s.Func, at)
	case *ast.ReturnStmt:
		c.typeExprs(s.Exprs, at)
		c.returns(s, at.results)
	}
}

// targetType is the declared type of what is assigned to, nil when it has none.
func (c *checker) targetType(e ast.Expr) *typ {
	switch e := e.(type) {
	case *ast.IdentExpr:
		if v := c.refs[e]; v != nil && v.declared != nil {
			return c.types.resolve(v.declared)
		}
	case *ast.AttrGetExpr:
		object, key := c.infer(e.Object), e.Key
		name, ok := key.(*ast.StringExpr)
		switch {
		case object.kind == kindRecord && ok:
			if f := object.field(name.Value); f != nil {
				if f.optional {
					return &typ{kind: kindUnion, text: f.typ.text, members: []*typ{f.typ, basicTypes["nil"]}}
				}
				return f.typ
			}
		case object.kind == kindMap, object.kind == kindArray && !ok:
			return &typ{kind: kindUnion, text: object.elem.text, members: []*typ{object.elem, basicTypes["nil"]}} // nil removes
		}
	}
	return nil
}

func assigning(s, t string) string { return "cannot assign " + s + " to " + t }

// assignTo checks that an expression fits a type.
func (c *checker) assignTo(e ast.Expr, t *typ, message func(s, t string) string) {
	if table, ok := e.(*ast.TableExpr); ok {
		if _, cast := c.types.casts[e]; !cast {
			c.construct(table, t, message)
			return
		}
	}
	if s := c.infer(e); !fits(s, t) {
		c.add(CodeMismatch, Error, c.span(e), message(s.text, t.text), "")
	}
}

// construct checks a table constructor, field by field.
func (c *checker) construct(e *ast.TableExpr, t *typ, message func(s, t string) string) {
	switch t.kind {
	case kindUnion:
		var tables []*typ
		for _, m := range t.members {
			if m.kind == kindAny {
				return
			}
			if m.isTable() {
				tables = append(tables, m)
			}
		}
		switch len(tables) {
		case 0:
			c.add(CodeMismatch, Error, c.span(e), message(c.tableText(e), t.text), "")
		case 1:
			c.construct(e, tables[0], message)
		}
	case kindArray:
		for i, f := range e.Fields {
			if f.Key == nil && !(i == len(e.Fields)-1 && many(f.Value)) {
				c.assignTo(f.Value, t.elem, assigning)
			}
		}
	case kindMap:
		for _, f := range e.Fields {
			if f.Key != nil {
				c.assignTo(f.Value, t.elem, assigning)
			}
		}
	case kindRecord:
		given := map[string]bool{}
		open := len(e.Fields) == 0 // acquires its fields by writes
		for _, f := range e.Fields {
			name, ok := f.Key.(*ast.StringExpr)
			if !ok {
				open = true
				continue
			}
			given[name.Value] = true
			if want := t.field(name.Value); want != nil {
				wanted := want.typ
				if want.optional {
					wanted = &typ{kind: kindUnion, text: want.typ.text, members: []*typ{want.typ, basicTypes["nil"]}}
				}
				c.assignTo(f.Value, wanted, assigning)
			}
		}
		for _, want := range t.fields {
			if !open && !given[want.name] && !want.optional && !fits(basicTypes["nil"], want.typ) {
				c.add(CodeMismatch, Error, c.span(e), message(c.tableText(e), t.text)+": field '"+want.name+"' is missing", "")
			}
		}
	case kindAny, kindTable:
	default:
		c.add(CodeMismatch, Error, c.span(e), message(c.tableText(e), t.text), "")
	}
}

// many reports whether an expression may give any number of values.
func many(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.FuncCallExpr:
		return !e.AdjustRet
	case *ast.Comma3Expr:
		return !e.AdjustRet
	}
	return false
}

// returns checks a return statement against the results its function declares.
func (c *checker) returns(s *ast.ReturnStmt, f *syntax.FunctionTypes) {
	if f == nil {
		return
	}
	for i, e := range s.Exprs {
		if i >= len(f.Returns) {
			break
		}
		if _, ok := e.(*ast.NilExpr); ok && len(s.Exprs) > len(f.Returns) {
			continue // nil and why there is no result: how functions fail
		}
		message := func(s, t string) string { return "cannot return " + s + ", expected " + t }
		if i > 0 {
			message = func(s, t string) string {
				return fmt.Sprintf("cannot return %s at position %d, expected %s", s, i+1, t)
			}
		}
		c.assignTo(e, c.types.resolve(f.Returns[i]), message)
	}
	if len(s.Exprs) == 0 || !many(s.Exprs[len(s.Exprs)-1]) {
		c.missing(len(s.Exprs), f, c.span(s))
	}
}

// missing checks that results from the n-th on may be left out.
func (c *checker) missing(n int, f *syntax.FunctionTypes, at syntax.Span) {
	for i := n; i < len(f.Returns); i++ {
		t := c.types.resolve(f.Returns[i])
		if fits(basicTypes["nil"], t) {
			continue
		}
		message := "missing return"
		if i > 0 {
			message = fmt.Sprintf("missing return value at position %d (expected %s)", i+1, t.text)
		}
		c.add(CodeNoReturn, Error, at, message, "")
		return
	}
}

func (c *checker) typeExprs(list []ast.Expr, at scope) {
	for _, e := range list {
		c.typeExpr(e, at)
	}
}

func (c *checker) typeExpr(e ast.Expr, at scope) {
	plain := scope{results: at.results}
	probe := scope{results: at.results, probe: true}
	switch e := e.(type) {
	case *ast.AttrGetExpr:
		c.typeExpr(e.Object, plain)
		c.typeExpr(e.Key, plain)
		c.fieldOf(e, at)
		if name, ok := e.Key.(*ast.StringExpr); ok {
			c.look(e.Object, name.Value, c.span(name), at.probe || at.tested)
		}
	case *ast.TableExpr:
		for _, f := range e.Fields {
			if f.Key != nil {
				c.typeExpr(f.Key, plain)
			}
			c.typeExpr(f.Value, plain)
		}
	case *ast.FuncCallExpr:
		c.typeCall(e, at)
	case *ast.LogicalOpExpr:
		c.typeExpr(e.Lhs, probe)
		c.typeExpr(e.Rhs, at)
	case *ast.RelationalOpExpr:
		operand := at
		if e.Operator == "==" || e.Operator == "~=" {
			operand.tested = true
		}
		c.typeExpr(e.Lhs, operand)
		c.typeExpr(e.Rhs, operand)
		c.compared(e)
	case *ast.StringConcatOpExpr:
		c.typeExpr(e.Lhs, plain)
		c.typeExpr(e.Rhs, plain)
		for _, operand := range []ast.Expr{e.Lhs, e.Rhs} {
			if t := c.infer(operand); wrongOperand(t) {
				c.add(CodeOperand, Error, c.span(operand), "cannot concatenate "+t.text+", expected string or number", "")
			}
		}
	case *ast.ArithmeticOpExpr:
		c.typeExpr(e.Lhs, plain)
		c.typeExpr(e.Rhs, plain)
		for _, operand := range []ast.Expr{e.Lhs, e.Rhs} {
			if t := c.infer(operand); wrongOperand(t) || wrongText(t) {
				c.add(CodeOperand, Error, c.span(operand), "cannot perform arithmetic on "+t.text+", expected number", "")
			}
		}
	case *ast.UnaryMinusOpExpr:
		c.typeExpr(e.Expr, plain)
		if t := c.infer(e.Expr); wrongOperand(t) || wrongText(t) {
			c.add(CodeOperand, Error, c.span(e), "cannot apply unary - to "+t.text+", expected number", "")
		}
	case *ast.UnaryNotOpExpr:
		c.typeExpr(e.Expr, probe)
	case *ast.UnaryLenOpExpr:
		c.typeExpr(e.Expr, plain)
		if t := c.infer(e.Expr); t.settled() && !t.isTable() && t.kind != kindString {
			c.add(CodeOperand, Error, c.span(e), "cannot apply length operator to "+t.text+", expected string or table", "")
		}
	case *ast.FunctionExpr:
		types := c.types.functions[e]
		inner := scope{}
		if types != nil && types.HasReturns {
			inner.results = types
			if len(types.TypeParams) == 0 && !ends(e.Stmts) && !jumps(e.Stmts) {
				c.missing(0, types, syntax.Span{Start: c.span(e).Start})
			}
		}
		c.typeStmts(e.Stmts, inner)
	}
}

// wrongOperand tells of what is no operand of arithmetic and concatenation. Tables and functions may have metamethods
// when they come from elsewhere; written out they have not.
func wrongOperand(t *typ) bool {
	return t.kind == kindNil || t.kind == kindBoolean || t.kind == kindFunction || t.kind == kindTable && strings.HasPrefix(t.text, "{")
}

// wrongText tells of a text that is no number.
func wrongText(t *typ) bool {
	text, ok := t.lit.(string)
	if !ok {
		return false
	}
	_, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return err != nil && !strings.HasPrefix(strings.TrimSpace(text), "0x")
}

// compared checks the operands of an order comparison.
func (c *checker) compared(e *ast.RelationalOpExpr) {
	switch e.Operator {
	case "<", ">", "<=", ">=":
	default:
		return
	}
	a, b := c.infer(e.Lhs), c.infer(e.Rhs)
	for i, t := range []*typ{a, b} {
		if wrongOperand(t) {
			c.add(CodeOperand, Error, c.span([]ast.Expr{e.Lhs, e.Rhs}[i]), "cannot compare "+t.text+", expected orderable type", "")
			return
		}
	}
	if numeric(a) && b.kind == kindString || a.kind == kindString && numeric(b) {
		c.add(CodeOperand, Error, c.span(e), "cannot compare "+a.text+" with "+b.text+", expected both operands to be numbers or both strings", "")
	}
}

// fieldOf checks that a field that is read exists.
func (c *checker) fieldOf(e *ast.AttrGetExpr, at scope) {
	t := c.infer(e.Object)
	name, ok := e.Key.(*ast.StringExpr)
	switch {
	case t.kind == kindNumber || t.kind == kindInteger || t.kind == kindBoolean || t.kind == kindNil:
		c.add(CodeMismatch, Error, c.span(e.Object), "cannot index type "+t.text, "")
	case t.kind == kindRecord && ok && t.field(name.Value) == nil && !at.probe:
		var known []string
		for _, f := range t.fields {
			known = append(known, f.name)
		}
		help := ""
		if guess, ok := nearest.Name(name.Value, known); ok {
			help = fmt.Sprintf("did you mean %q?", guess)
		}
		c.add(CodeNoField, Error, c.span(name), "field '"+name.Value+"' does not exist on type "+t.text, help)
	}
}

// typeCall checks what is called, and the arguments of local functions.
func (c *checker) typeCall(e *ast.FuncCallExpr, at scope) {
	arguments := scope{results: at.results}
	if id, ok := e.Func.(*ast.IdentExpr); ok && id.Value == "type" && c.refs[id] == nil {
		arguments.probe = true
	}
	if e.Receiver != nil {
		c.typeExpr(e.Receiver, scope{results: at.results})
		c.look(e.Receiver, e.Method, c.span(e), false)
	} else {
		c.typeExpr(e.Func, scope{results: at.results})
		if t := c.infer(e.Func); t.settled() && t.kind != kindFunction && (!t.isTable() || strings.HasPrefix(t.text, "{")) {
			c.add(CodeNotCallable, Error, c.span(e.Func), "expected function, got "+t.text, "")
		}
	}
	c.typeExprs(e.Args, arguments)
	f := c.callee(e)
	if f == nil || c.types.functions[f] == nil {
		return
	}
	types := c.types.functions[f]
	open := len(e.Args) > 0 && many(e.Args[len(e.Args)-1])
	if len(e.Args) > len(f.ParList.Names) && len(f.ParList.Names) > 0 && !f.ParList.HasVargs {
		c.add(CodeArity, Error, c.span(e.Func), "too many arguments", "")
	}
	for i := range f.ParList.Names {
		if i >= len(types.Params) || types.Params[i] == nil || len(types.TypeParams) > 0 {
			continue
		}
		t := c.types.resolve(types.Params[i])
		switch {
		case i < len(e.Args) && !(open && i == len(e.Args)-1):
			c.assignTo(e.Args[i], t, func(s, t string) string {
				return fmt.Sprintf("argument %d: expected %s, got %s", i+1, t, s)
			})
		case i >= len(e.Args) && !open && !fits(basicTypes["nil"], t):
			c.add(CodeArity, Error, c.span(e.Func), "not enough arguments", "")
			return
		}
	}
}
