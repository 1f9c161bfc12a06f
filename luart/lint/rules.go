// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"slices"

	"github.com/yuin/gopher-lua/ast"
)

// emptyBlock is W0001.
func (c *checker) emptyBlock(s ast.Stmt, body []ast.Stmt, what string, at place) {
	if c.options.Rules && len(body) == 0 && !at.cast {
		c.add(CodeEmptyBlock, Warning, c.span(s), "empty "+what+" block", "")
	}
}

// globalAssign is W0002.
func (c *checker) globalAssign(id *ast.IdentExpr, message string, at place) {
	c.global(id.Value).written = true
	if c.options.Rules && !at.function && !c.standard(id.Value) {
		c.add(CodeGlobalAssign, Warning, c.span(id), message, "")
	}
}

// standard tells whether a name is that of a global of every program or of a module.
func (c *checker) standard(name string) bool {
	return slices.Contains(base, name) || slices.Contains(c.options.Modules, name)
}

// selfCompare is W0003.
func (c *checker) selfCompare(e *ast.RelationalOpExpr, at place) {
	if !c.options.Rules || at.cast || !samePath(e.Lhs, e.Rhs) {
		return
	}
	result := "true"
	switch e.Operator {
	case "~=", "<", ">":
		result = "false"
	}
	c.add(CodeSelfCompare, Error, c.span(e), "comparison of identical expressions; result is always "+result, "")
}

// samePath reports whether two expressions are the same variable, literal or path of fields.
func samePath(a, b ast.Expr) bool {
	switch a := a.(type) {
	case *ast.IdentExpr:
		b, ok := b.(*ast.IdentExpr)
		return ok && a.Value == b.Value
	case *ast.StringExpr:
		b, ok := b.(*ast.StringExpr)
		return ok && a.Value == b.Value
	case *ast.NumberExpr:
		b, ok := b.(*ast.NumberExpr)
		return ok && a.Value == b.Value
	case *ast.AttrGetExpr:
		b, ok := b.(*ast.AttrGetExpr)
		return ok && samePath(a.Object, b.Object) && samePath(a.Key, b.Key)
	}
	return false
}

// unusedVariables is W0004, W0005 and W0006.
func (c *checker) unusedVariables() {
	for _, v := range c.all {
		if v.read || exempt(v.name) || c.typed[v.name] {
			continue
		}
		if v.required {
			c.add(CodeUnusedImport, Warning, v.at, "imported module '"+v.name+"' is never used", "")
		}
		if !v.looked {
			continue
		}
		switch v.role {
		case roleLocal:
			c.add(CodeUnusedLocal, Warning, v.at, "variable '"+v.name+"' is declared but never used", "")
		case roleLoop:
			c.add(CodeUnusedLocal, Warning, v.at, "loop variable '"+v.name+"' is declared but never used", "")
		case roleParam:
			if v.name != "self" {
				c.add(CodeUnusedParam, Hint, v.function, "parameter '"+v.name+"' is unused", "")
			}
		}
	}
}
