// SPDX-License-Identifier: Apache-2.0

package readme

import (
	"go/ast"
	"go/token"
)

// qualifiers returns the names x of all x.y in a tree that nothing in the tree
// declares: packages, and variables declared elsewhere.
func qualifiers(trees []*ast.File) map[string]bool {
	declared := make(map[string]bool)
	for _, t := range trees {
		for name := range declarations(t) {
			declared[name] = true
		}
	}
	out := make(map[string]bool)
	for _, t := range trees {
		ast.Inspect(t, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && !declared[x.Name] {
					out[x.Name] = true
				}
			}
			return true
		})
	}
	return out
}

// declarations returns all names that a tree declares, at any depth. The fields of
// structures and the methods are not among them: they hide nothing.
func declarations(tree ast.Node) map[string]bool {
	out := make(map[string]bool)
	add := func(ids ...*ast.Ident) {
		for _, id := range ids {
			out[id.Name] = true
		}
	}
	fields := func(list *ast.FieldList) {
		if list != nil {
			for _, f := range list.List {
				add(f.Names...)
			}
		}
	}
	expressions := func(list ...ast.Expr) {
		for _, e := range list {
			if id, ok := e.(*ast.Ident); ok {
				add(id)
			}
		}
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				expressions(n.Lhs...)
			}
		case *ast.RangeStmt:
			if n.Tok == token.DEFINE {
				expressions(n.Key, n.Value)
			}
		case *ast.ValueSpec:
			add(n.Names...)
		case *ast.TypeSpec:
			add(n.Name)
		case *ast.FuncDecl:
			fields(n.Recv)
			if n.Recv == nil {
				add(n.Name)
			}
		case *ast.FuncType:
			fields(n.TypeParams)
			fields(n.Params)
			fields(n.Results)
		}
		return true
	})
	return out
}

// packageLevel returns the names that a file declares outside of functions.
func packageLevel(file *ast.File) map[string]bool {
	out := make(map[string]bool)
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				out[d.Name.Name] = true
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.ValueSpec:
					for _, id := range s.Names {
						out[id.Name] = true
					}
				case *ast.TypeSpec:
					out[s.Name.Name] = true
				}
			}
		}
	}
	return out
}

// assigned returns the names on the left of an assignment or definition.
func assigned(s ast.Stmt) []*ast.Ident {
	a, ok := s.(*ast.AssignStmt)
	if !ok {
		return nil
	}
	var out []*ast.Ident
	for _, e := range a.Lhs {
		if id, ok := e.(*ast.Ident); ok && id.Name != "_" {
			out = append(out, id)
		}
	}
	return out
}

// uses returns the names that the items read.
func uses(items []item) map[string]bool {
	out := make(map[string]bool)
	for _, it := range items {
		written := make(map[*ast.Ident]bool)
		ast.Inspect(it.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case ast.Stmt:
				for _, id := range assigned(n) {
					written[id] = true
				}
			case *ast.SelectorExpr:
				written[n.Sel] = true // a field or a method, not a variable
			case *ast.Field:
				for _, id := range n.Names {
					written[id] = true // a declaration
				}
			case *ast.Ident:
				if !written[n] {
					out[n.Name] = true
				}
			}
			return true
		})
	}
	return out
}
