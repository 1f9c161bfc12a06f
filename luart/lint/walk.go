// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"github.com/yuin/gopher-lua/ast"
)

// block walks statements in a scope of their own.
func (c *checker) block(stmts []ast.Stmt, at place) {
	mark := len(c.visible)
	c.stmts(stmts, at)
	c.visible = c.visible[:mark]
}

func (c *checker) stmts(stmts []ast.Stmt, at place) {
	for _, s := range stmts {
		c.stmt(s, at)
	}
}

func (c *checker) stmt(s ast.Stmt, at place) {
	switch s := s.(type) {
	case *ast.LocalAssignStmt:
		c.local(s, at)
	case *ast.AssignStmt:
		for _, e := range s.Rhs {
			c.direct(e, at)
		}
		for _, e := range s.Lhs {
			c.assign(e, at)
		}
	case *ast.FuncCallStmt:
		c.expr(s.Expr, at)
	case *ast.DoBlockStmt:
		c.block(s.Stmts, at)
	case *ast.WhileStmt:
		c.expr(s.Condition, at)
		c.emptyBlock(s, s.Stmts, "while", at)
		c.block(s.Stmts, at)
	case *ast.RepeatStmt:
		c.emptyBlock(s, s.Stmts, "repeat", at)
		mark := len(c.visible)
		c.stmts(s.Stmts, at)
		c.expr(s.Condition, at) // sees the locals of the block
		c.visible = c.visible[:mark]
	case *ast.IfStmt:
		c.expr(s.Condition, at)
		c.emptyBlock(s, s.Then, "if", at)
		c.block(s.Then, at)
		c.block(s.Else, at)
	case *ast.NumberForStmt:
		for _, e := range []ast.Expr{s.Init, s.Limit, s.Step} {
			c.expr(e, at)
		}
		c.emptyBlock(s, s.Stmts, "for", at)
		mark := len(c.visible)
		c.declare(&variable{name: s.Name, role: roleLoop, at: c.nameSpan(s, 0)}, at)
		c.stmts(s.Stmts, at)
		c.visible = c.visible[:mark]
	case *ast.GenericForStmt:
		for _, e := range s.Exprs {
			c.expr(e, at)
		}
		c.emptyBlock(s, s.Stmts, "for", at)
		mark := len(c.visible)
		for i, name := range s.Names {
			c.declare(&variable{name: name, role: roleLoop, at: c.nameSpan(s, i)}, at)
		}
		c.stmts(s.Stmts, at)
		c.visible = c.visible[:mark]
	case *ast.FuncDefStmt:
		c.functionStmt(s, at)
	case *ast.ReturnStmt:
		if !at.function {
			c.returned++
		}
		for _, e := range s.Exprs {
			c.direct(e, at)
		}
	}
}

func (c *checker) local(s *ast.LocalAssignStmt, at place) {
	declare := func() {
		for i, name := range s.Names {
			v := &variable{name: name, at: c.nameSpan(s, i), declared: c.annotation(s, i)}
			if i < len(s.Exprs) {
				v.initial = s.Exprs[i]
			}
			if i < len(s.Exprs) && at.imports {
				_, v.required = c.requires(s.Exprs[i])
			}
			c.declare(v, at)
		}
	}
	// A function sees the variable it is the first value of.
	if len(s.Names) == 1 && len(s.Exprs) == 1 {
		if f, ok := s.Exprs[0].(*ast.FunctionExpr); ok {
			declare()
			c.visible[len(c.visible)-1].value = f
			c.function(f, nil, place{looked: at.looked, cast: at.cast})
			return
		}
	}
	for _, e := range s.Exprs {
		c.direct(e, at)
	}
	declare()
}

// assign walks the target of an assignment.
func (c *checker) assign(e ast.Expr, at place) {
	switch e := e.(type) {
	case *ast.IdentExpr:
		if v := c.lookup(e.Value); v != nil {
			v.assigned = true
			c.refs[e] = v
		} else {
			c.globalAssign(e, "assignment to global variable '"+e.Value+"'; consider using 'local'", at)
		}
	case *ast.AttrGetExpr:
		c.expr(e, at)
		c.field(e.Object, e.Key, true)
	}
}

func (c *checker) functionStmt(s *ast.FuncDefStmt, at place) {
	body := place{looked: at.looked, imports: at.imports, cast: at.cast}
	switch {
	case s.Name.Receiver != nil:
		c.expr(s.Name.Receiver, at)
		c.function(s.Func, []string{"self"}, body)
		return
	default:
		if id, ok := s.Name.Func.(*ast.IdentExpr); !ok {
			c.expr(s.Name.Func, at)
			if attr, ok := s.Name.Func.(*ast.AttrGetExpr); ok {
				c.field(attr.Object, attr.Key, true)
			}
		} else if v := c.lookup(id.Value); v != nil {
			v.assigned = true
		} else {
			c.globalAssign(id, "function '"+id.Value+"' declared as global; consider using 'local function'", at)
		}
	}
	c.function(s.Func, nil, body)
}

// function walks a function body. hidden are parameters that nobody wrote.
func (c *checker) function(f *ast.FunctionExpr, hidden []string, at place) {
	at.function = true
	mark := len(c.visible)
	for _, name := range hidden {
		c.declare(&variable{name: name, role: roleHidden}, at)
	}
	for i, name := range f.ParList.Names {
		c.declare(&variable{name: name, role: roleParam, at: c.nameSpan(f, i), function: c.span(f), declared: c.paramType(f, i)}, at)
	}
	if f.ParList.HasVargs {
		c.declare(&variable{name: "arg", role: roleHidden}, at)
	}
	c.depth++
	c.stmts(f.Stmts, at)
	c.depth--
	c.visible = c.visible[:mark]
}

// direct walks an expression whose value is stored or returned: a function there is looked into.
func (c *checker) direct(e ast.Expr, at place) {
	if f, ok := e.(*ast.FunctionExpr); ok {
		c.function(f, nil, place{looked: at.looked, cast: at.cast || c.casts[e]})
		return
	}
	c.expr(e, at)
}

func (c *checker) exprs(list []ast.Expr, at place) {
	for _, e := range list {
		c.expr(e, at)
	}
}

func (c *checker) expr(e ast.Expr, at place) {
	if e == nil {
		return
	}
	at.cast = at.cast || c.casts[e]
	switch e := e.(type) {
	case *ast.IdentExpr:
		c.read(e, false)
	case *ast.AttrGetExpr:
		c.indexed(e.Object, at)
		c.expr(e.Key, at)
		c.field(e.Object, e.Key, false)
	case *ast.TableExpr:
		for _, f := range e.Fields {
			c.expr(f.Key, at)
			c.expr(f.Value, at)
		}
	case *ast.FuncCallExpr:
		c.call(e, at)
	case *ast.LogicalOpExpr:
		c.expr(e.Lhs, at)
		c.expr(e.Rhs, at)
	case *ast.RelationalOpExpr:
		c.selfCompare(e, at)
		c.expr(e.Lhs, at)
		c.expr(e.Rhs, at)
	case *ast.StringConcatOpExpr:
		c.expr(e.Lhs, at)
		c.expr(e.Rhs, at)
	case *ast.ArithmeticOpExpr:
		c.expr(e.Lhs, at)
		c.expr(e.Rhs, at)
	case *ast.UnaryMinusOpExpr:
		c.expr(e.Expr, at)
	case *ast.UnaryNotOpExpr:
		c.expr(e.Expr, at)
	case *ast.UnaryLenOpExpr:
		c.expr(e.Expr, at)
	case *ast.FunctionExpr:
		c.function(e, nil, place{cast: at.cast})
	}
}

// indexed walks what is indexed or called.
func (c *checker) indexed(e ast.Expr, at place) {
	if id, ok := e.(*ast.IdentExpr); ok {
		c.read(id, true)
		return
	}
	c.expr(e, at)
}

func (c *checker) call(e *ast.FuncCallExpr, at place) {
	if name, ok := c.requires(e); ok {
		c.require(e, name)
	}
	if e.Receiver != nil {
		c.indexed(e.Receiver, at)
	} else {
		c.indexed(e.Func, at)
	}
	c.exprs(e.Args, at)
}

// requires reports whether an expression is a call of require with a name written out.
func (c *checker) requires(e ast.Expr) (name string, ok bool) {
	call, ok := e.(*ast.FuncCallExpr)
	if !ok || len(call.Args) == 0 {
		return "", false
	}
	id, ok := call.Func.(*ast.IdentExpr)
	if !ok || id.Value != "require" || c.lookup("require") != nil {
		return "", false
	}
	text, ok := call.Args[0].(*ast.StringExpr)
	if !ok {
		return "", false
	}
	return text.Value, true
}
