// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"slices"

	"github.com/yuin/gopher-lua/ast"

	"github.com/wippyrun/kit/luart/internal/nearest"
)

// require is E0001 for a call of require with a name.
func (c *checker) require(call *ast.FuncCallExpr, name string) {
	c.needed[name] = true
	if c.declared(name) || slices.Contains(ambient, name) || c.depth > 0 && slices.Contains(c.source.Elsewhere, name) {
		return
	}
	help := ""
	if slices.Contains(c.options.Modules, name) {
		help = "add it to the entry: modules: [" + name + "]"
	} else if guess, ok := nearest.Name(name, slices.Concat(c.source.Modules, c.source.Imports, c.options.Modules)); ok {
		help = fmt.Sprintf("did you mean %q?", guess)
	}
	c.add(CodeUndeclared, Error, c.span(call), fmt.Sprintf("require(%q) is not declared in _index.yaml imports or modules", name), help)
}

// modules is E0001 for modules that are used as globals. A name that is also looked at without being indexed or called
// is tested for presence, and one that is assigned to is the program's own.
func (c *checker) modules() {
	for _, g := range c.order {
		if !slices.Contains(c.options.Modules, g.name) || c.defined(g) {
			continue
		}
		probed := slices.ContainsFunc(g.reads, func(u use) bool { return !u.called })
		if len(g.reads) > 0 && !probed {
			c.add(CodeUndeclared, Error, g.reads[0].at, fmt.Sprintf("module %q is not declared in _index.yaml modules", g.name),
				"add it to the entry: modules: ["+g.name+"]")
		}
	}
}

// defined tells whether a global has a value as far as can be known.
func (c *checker) defined(g *global) bool {
	return g.written || slices.Contains(base, g.name) || c.declared(g.name) || slices.Contains(c.source.Visible, g.name) ||
		slices.Contains(c.source.Elsewhere, g.name)
}

// undefined is W0008.
func (c *checker) undefined() {
	for _, g := range c.order {
		if len(g.reads) == 0 || c.defined(g) || slices.Contains(c.options.Modules, g.name) {
			continue
		}
		if _, ok := c.chunk.Types.Lookup(g.name); ok { // declared types are values
			continue
		}
		known := slices.Concat(base, c.source.Modules, c.source.Imports, c.source.Visible, c.options.Modules)
		for _, v := range c.all {
			known = append(known, v.name)
		}
		help := ""
		if guess, ok := nearest.Name(g.name, known); ok {
			help = fmt.Sprintf("did you mean %q?", guess)
		}
		c.add(CodeUndefined, Warning, g.reads[0].at, "undefined global '"+g.name+"'", help)
	}
}

// unusedDeclarations is W0009 and W0010. They have no place in the source: whoever knows the entry finds it by Field.
func (c *checker) unusedDeclarations() {
	used := func(name string) bool {
		return c.needed[name] || c.typed[name] || c.globals[name] != nil && len(c.globals[name].reads) > 0
	}
	add := func(code, field, message string) {
		c.found = append(c.found, Diagnostic{Entry: c.source.Name, Code: code, Severity: Warning, Message: message, Field: field})
	}
	for _, name := range c.source.Modules {
		if !used(name) && !slices.Contains(base, name) {
			add(CodeModuleUnused, "modules."+name, "module '"+name+"' is listed in modules but never used")
		}
	}
	for _, name := range c.source.Imports {
		if !used(name) && !exempt(name) {
			add(CodeAliasUnused, "imports."+name, "import '"+name+"' is declared but never used")
		}
	}
}
