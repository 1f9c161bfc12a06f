// SPDX-License-Identifier: Apache-2.0

package lint

import "github.com/yuin/gopher-lua/ast"

// ends reports whether control cannot get past the end of the statements.
func ends(stmts []ast.Stmt) bool {
	for _, s := range stmts {
		switch s := s.(type) {
		case *ast.ReturnStmt:
			return true
		case *ast.FuncCallStmt:
			if raises(s.Expr) {
				return true
			}
		case *ast.DoBlockStmt:
			if ends(s.Stmts) {
				return true
			}
		case *ast.IfStmt:
			if ends(s.Then) && ends(s.Else) {
				return true
			}
		case *ast.WhileStmt:
			if _, always := s.Condition.(*ast.TrueExpr); always && !breaks(s.Stmts) {
				return true
			}
		case *ast.RepeatStmt:
			if _, never := s.Condition.(*ast.FalseExpr); never && !breaks(s.Stmts) || ends(s.Stmts) && !breaks(s.Stmts) {
				return true
			}
		}
	}
	return false
}

// raises reports whether a call never returns: error, and assert of nothing.
func raises(e ast.Expr) bool {
	call, ok := e.(*ast.FuncCallExpr)
	if !ok {
		return false
	}
	id, ok := call.Func.(*ast.IdentExpr)
	if !ok {
		return false
	}
	if id.Value == "assert" && len(call.Args) > 0 {
		switch call.Args[0].(type) {
		case *ast.FalseExpr, *ast.NilExpr:
			return true
		}
	}
	return id.Value == "error"
}

// breaks reports whether the statements leave the loop around them by break.
func breaks(stmts []ast.Stmt) bool {
	for _, s := range stmts {
		switch s := s.(type) {
		case *ast.BreakStmt:
			return true
		case *ast.DoBlockStmt:
			if breaks(s.Stmts) {
				return true
			}
		case *ast.IfStmt:
			if breaks(s.Then) || breaks(s.Else) {
				return true
			}
		}
	}
	return false
}

// jumps reports whether there is a goto in the statements, functions in them left out: then nothing is certain.
func jumps(stmts []ast.Stmt) bool {
	for _, s := range stmts {
		found := false
		switch s := s.(type) {
		case *ast.GotoStmt:
			return true
		case *ast.DoBlockStmt:
			found = jumps(s.Stmts)
		case *ast.IfStmt:
			found = jumps(s.Then) || jumps(s.Else)
		case *ast.WhileStmt:
			found = jumps(s.Stmts)
		case *ast.RepeatStmt:
			found = jumps(s.Stmts)
		case *ast.NumberForStmt:
			found = jumps(s.Stmts)
		case *ast.GenericForStmt:
			found = jumps(s.Stmts)
		}
		if found {
			return true
		}
	}
	return false
}
