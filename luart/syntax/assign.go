// SPDX-License-Identifier: Apache-2.0

package syntax

import (
	"slices"
	"strconv"
	"strings"

	"github.com/yuin/gopher-lua/ast"
)

// varHeld begins the names, which no program can write, of what a lowered assignment holds.
const varHeld = "(held)"

// lowerAssign returns s, or what has to stand in its place.
//
// Lua evaluates all expressions of an assignment before it assigns any. gopher-lua 1.1.2 evaluates those for local
// variables straight into the variable, one after the other: `a, b = b, a` makes both the same, `a, b = b, a + b`
// doubles instead of counting Fibonacci's numbers. And what a table gets from a local variable it reads last: `t[1], a =
// a, 2` stores 2. Where this could be seen, the assignment is lowered to
//
//	do
//	  local object, key, ... = those of the table targets
//	  local first, second, ... = the values
//	  target2 = second
//	  target1 = first
//	end
//
// in the order in which C Lua assigns. So is the assignment of one value that gopher-lua miscompiles: `x = f() and 5` does
// not assign what f returned if that was nil or false, and x keeps its value. Holding values costs a move of a register per value more than C Lua's code. A function called
// in the middle may see and change captured variables, so that a call counts as reading all of them; a metamethod does
// not.
func (p *parser) lowerAssign(s *ast.AssignStmt) ast.Stmt {
	if p.unlowered {
		return s
	}
	if len(s.Lhs) == 1 && len(s.Rhs) == 1 {
		if call, ok := s.Rhs[0].(*ast.FuncCallExpr); ok {
			// One target takes one value anyway, and gopher-lua puts the function of a call that is
			// adjusted to one into the last parameter before it reads the arguments from there.
			call.AdjustRet = false
			return s
		}
		if logical, ok := s.Rhs[0].(*ast.LogicalOpExpr); !ok || keepsResult(logical) || !p.local(s.Lhs[0]) {
			return s
		}
	} else if early, twice := p.earlyTargets(s); !twice && !hazardous(s, early) {
		return s
	}
	line := s.Line()
	b := p.openBlock()
	var stmts []ast.Stmt
	if objects := p.holdTargets(s, line); objects != nil {
		stmts = append(stmts, objects)
	}
	values, held := p.hold(len(s.Lhs), s.Rhs, line)
	stmts = append(stmts, values)
	for i := len(s.Lhs) - 1; i >= 0; i-- {
		one := &ast.AssignStmt{Lhs: s.Lhs[i : i+1 : i+1], Rhs: held[i : i+1 : i+1]}
		one.SetLine(line)
		stmts = append(stmts, one)
	}
	do := &ast.DoBlockStmt{Stmts: stmts}
	p.closeBlock(b, stmts, false)
	do.SetLine(line)
	do.SetLastLine(line)
	p.grow(p.height + 1)
	return do
}

// target is a local variable that gopher-lua assigns early, and its place in the list.
type target struct {
	name  string
	index int
}

// earlyTargets returns the targets that gopher-lua assigns before it has evaluated everything. twice says that one
// variable is among them two times.
func (p *parser) earlyTargets(s *ast.AssignStmt) (early []target, twice bool) {
	n := len(s.Lhs)
	if last := len(s.Rhs) - 1; last < n && severalValues(s.Rhs[last]) {
		n = last // the values of the last expression go to registers of their own
	}
	for i, e := range s.Lhs[:n] {
		if !p.local(e) {
			continue
		}
		id := e.(*ast.IdentExpr)
		twice = twice || slices.ContainsFunc(early, func(t target) bool { return t.name == id.Value })
		early = append(early, target{id.Value, i})
	}
	return early, twice
}

// local reports whether e is a local variable of the innermost function.
func (p *parser) local(e ast.Expr) bool {
	id, ok := e.(*ast.IdentExpr)
	return ok && slices.Contains(p.scope.vars[p.scope.base:], id.Value)
}

// keepsResult reports whether gopher-lua assigns the result of e to an existing local variable whatever it is, and not
// before it has read everything. That holds for the usual forms, whose code is the shortest.
func keepsResult(e *ast.LogicalOpExpr) bool {
	left, nested := e.Lhs.(*ast.LogicalOpExpr)
	if isLogical(e.Rhs) {
		return false
	}
	if e.Operator == "or" { // a or b, a and b or c
		return !nested || left.Operator == "and" && !isLogical(left.Lhs) && !isLogical(left.Rhs)
	}
	_, compared := e.Lhs.(*ast.RelationalOpExpr) // a < b and c
	return compared
}

func isLogical(e ast.Expr) bool {
	_, ok := e.(*ast.LogicalOpExpr)
	return ok
}

func severalValues(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.FuncCallExpr:
		return !e.AdjustRet
	case *ast.Comma3Expr:
		return !e.AdjustRet
	}
	return false
}

// hazardous reports whether early assignment of the targets can be seen, or a late read of a value.
func hazardous(s *ast.AssignStmt, early []target) bool {
	for i, e := range s.Rhs {
		if miscounted(e) && slices.ContainsFunc(early, func(t target) bool { return t.index == i }) {
			return true
		}
		assigned := func(name string) bool {
			return slices.ContainsFunc(early, func(t target) bool { return t.index < i && (name == "" || t.name == name) })
		}
		if reads(e, assigned) {
			return true
		}
	}
	for i, e := range s.Lhs {
		attr, ok := e.(*ast.AttrGetExpr)
		if !ok {
			continue
		}
		if isTarget(attr.Object, early, -1) {
			return true
		}
		if i >= len(s.Rhs) {
			continue
		}
		if isTarget(s.Rhs[i], early, i) {
			return true
		}
		if _, local := s.Rhs[i].(*ast.IdentExpr); local && slices.ContainsFunc(s.Rhs[i+1:], calls) {
			return true
		}
	}
	return false
}

// miscounted reports whether e, evaluated straight into a local variable of several targets, makes gopher-lua lose count
// of its registers: it may then overwrite other variables, or not assign at all.
func miscounted(e ast.Expr) bool {
	switch e.(type) {
	case *ast.Comma3Expr, *ast.LogicalOpExpr, *ast.FuncCallExpr: // a call for the last parameter
		return true
	}
	return false
}

// isTarget reports whether e is a variable assigned behind position i.
func isTarget(e ast.Expr, early []target, i int) bool {
	id, ok := e.(*ast.IdentExpr)
	return ok && slices.ContainsFunc(early, func(t target) bool { return t.index > i && t.name == id.Value })
}

func calls(e ast.Expr) bool { return reads(e, func(name string) bool { return name == "" }) }

// reads reports whether the evaluation of e reads a variable that the function names, or calls something, which is
// asked for under the name "".
func reads(e ast.Expr, named func(string) bool) bool {
	any := func(list ...ast.Expr) bool {
		return slices.ContainsFunc(list, func(e ast.Expr) bool { return e != nil && reads(e, named) })
	}
	switch e := e.(type) {
	case *ast.IdentExpr:
		return named(e.Value)
	case *ast.AttrGetExpr:
		return any(e.Object, e.Key)
	case *ast.TableExpr:
		return slices.ContainsFunc(e.Fields, func(f *ast.Field) bool { return any(f.Key, f.Value) })
	case *ast.FuncCallExpr:
		return !intrinsic(e) && named("") || any(e.Func, e.Receiver) || any(e.Args...)
	case *ast.LogicalOpExpr:
		return any(e.Lhs, e.Rhs)
	case *ast.RelationalOpExpr:
		return any(e.Lhs, e.Rhs)
	case *ast.StringConcatOpExpr:
		return any(e.Lhs, e.Rhs)
	case *ast.ArithmeticOpExpr:
		return any(e.Lhs, e.Rhs)
	case *ast.UnaryMinusOpExpr:
		return any(e.Expr)
	case *ast.UnaryNotOpExpr:
		return any(e.Expr)
	case *ast.UnaryLenOpExpr:
		return any(e.Expr)
	}
	return false // constants, ..., and functions, which read when they are called
}

// intrinsic reports whether a call stands for an operator, which calls nothing that a program has written.
func intrinsic(e *ast.FuncCallExpr) bool {
	id, ok := e.Func.(*ast.IdentExpr)
	return ok && strings.HasPrefix(id.Value, "\x00")
}

// holdTargets makes a statement that holds the objects and keys of table targets, and lets the targets refer to what
// it holds. It returns nil when there are none.
func (p *parser) holdTargets(s *ast.AssignStmt, line int) ast.Stmt {
	var exprs []ast.Expr
	for _, e := range s.Lhs {
		if attr, ok := e.(*ast.AttrGetExpr); ok {
			exprs = append(exprs, attr.Object)
			if _, constant := attr.Key.(ast.ConstExpr); !constant {
				exprs = append(exprs, attr.Key)
			}
		}
	}
	if exprs == nil {
		return nil
	}
	stmt, held := p.hold(len(exprs), exprs, line)
	for _, e := range s.Lhs {
		if attr, ok := e.(*ast.AttrGetExpr); ok {
			attr.Object, held = held[0], held[1:]
			if _, constant := attr.Key.(ast.ConstExpr); !constant {
				attr.Key, held = held[0], held[1:]
			}
		}
	}
	return stmt
}

// hold makes a statement that keeps n values of exprs in locals, and returns what refers to them.
func (p *parser) hold(n int, exprs []ast.Expr, line int) (ast.Stmt, []ast.Expr) {
	s := p.locals.new()
	s.Exprs = exprs
	s.SetLine(line)
	held := make([]ast.Expr, n)
	for i := range held {
		// A name of its own: gopher-lua finds a variable by its name.
		name := varHeld + strconv.Itoa(len(p.scope.vars))
		id := &ast.IdentExpr{Value: name}
		id.SetLine(line)
		held[i] = id
		s.Names = append(s.Names, name)
		p.declare(name)
	}
	return s, held
}
