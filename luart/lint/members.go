// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"maps"
	"slices"

	"github.com/yuin/gopher-lua/ast"

	"github.com/wippyrun/kit/luart/internal/nearest"
	"github.com/wippyrun/kit/luart/syntax"
)

// member is one look at a name in a module or library.
type member struct {
	path, name string
	at         syntax.Span
	probe      bool // nil is fine there
}

// libraryPath returns the path of what an expression certainly is: a module, a table within one, or an imported library.
// It is empty for all else.
func (c *checker) libraryPath(e ast.Expr) string {
	if c.casts[e] {
		return ""
	}
	switch e := e.(type) {
	case *ast.IdentExpr:
		if v := c.refs[e]; v != nil {
			if v.assigned || v.initial == nil {
				return ""
			}
			return c.libraryPath(v.initial)
		}
		if g := c.globals[e.Value]; g == nil || g.written {
			return ""
		}
		return c.library(e.Value)
	case *ast.AttrGetExpr:
		path, name := c.libraryPath(e.Object), ""
		if key, ok := e.Key.(*ast.StringExpr); ok {
			name = key.Value
		}
		if path != "" && c.options.Members[path+"."+name] != nil && c.source.Exports[path] == nil {
			return path + "." + name
		}
	case *ast.FuncCallExpr:
		id, ok := e.Func.(*ast.IdentExpr)
		if !ok || id.Value != "require" || c.refs[id] != nil || len(e.Args) == 0 || c.globals["require"] == nil || c.globals["require"].written {
			return ""
		}
		if name, ok := e.Args[0].(*ast.StringExpr); ok {
			return c.library(name.Value)
		}
	}
	return ""
}

// library returns a name that stands for a module or library whose members are known.
func (c *checker) library(name string) string {
	if _, ok := c.chunk.Types.Lookup(name); ok {
		return "" // a type of the source is a value
	}
	if slices.Contains(c.source.Imports, name) {
		if c.source.Exports[name] == nil || slices.Contains(c.source.Modules, name) {
			return ""
		}
		return name
	}
	if c.options.Members[name] != nil && (slices.Contains(c.source.Modules, name) || slices.Contains(base, name)) {
		return name
	}
	return ""
}

// look notes that a member is read.
func (c *checker) look(object ast.Expr, name string, at syntax.Span, probe bool) {
	if path := c.libraryPath(object); path != "" {
		c.looks = append(c.looks, member{path, name, at, probe})
	}
}

// members is E0004 for names that a module or an imported library does not have. A name that is tested for presence
// anywhere is left alone everywhere: the source knows that it may be absent.
func (c *checker) members() {
	tested := map[[2]string]bool{}
	for _, m := range c.looks {
		if m.probe {
			tested[[2]string{m.path, m.name}] = true
		}
	}
	for _, m := range c.looks {
		known := c.source.Exports[m.path]
		if known == nil {
			known = c.options.Members[m.path]
		}
		if tested[[2]string{m.path, m.name}] || slices.Contains(known, m.name) {
			continue
		}
		help := ""
		if guess, ok := nearest.Name(m.name, known); ok {
			help = fmt.Sprintf("did you mean %q?", guess)
		}
		c.add(CodeNoField, Error, m.at, "field '"+m.name+"' does not exist on type "+m.path, help)
	}
}

// Exports returns the names in the table that a source returns, nil when they are not certain: only a table that is
// written out, or a local one that nothing but reads and writes of named fields ever touches, has certain names.
func Exports(s Source) []string {
	chunk, err := syntax.Parse(s.Name, s.Text, syntax.Unlowered(), syntax.Placed())
	if err != nil || len(chunk.Stmts) == 0 {
		return nil
	}
	last, ok := chunk.Stmts[len(chunk.Stmts)-1].(*ast.ReturnStmt)
	if !ok || len(last.Exprs) == 0 {
		return nil
	}
	c := newChecker(s, Options{}, chunk)
	c.block(chunk.Stmts, place{})
	if c.returned != 1 || c.casts[last.Exprs[0]] {
		return nil
	}
	switch e := last.Exprs[0].(type) {
	case *ast.TableExpr:
		return keys(e, nil)
	case *ast.IdentExpr:
		v := c.refs[e]
		if v == nil || v.assigned || v.reads != v.fielded+1 || c.casts[v.initial] {
			return nil
		}
		if table, ok := v.initial.(*ast.TableExpr); ok {
			return keys(table, v.fields)
		}
	}
	return nil
}

// keys returns the names of the fields of a table constructor and others, nil when there are keys that are not written out.
func keys(e *ast.TableExpr, more map[string]bool) []string {
	names := map[string]bool{}
	maps.Copy(names, more)
	for _, f := range e.Fields {
		switch key := f.Key.(type) {
		case nil:
		case *ast.StringExpr:
			names[key.Value] = true
		default:
			return nil
		}
	}
	if len(names) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(names))
}
