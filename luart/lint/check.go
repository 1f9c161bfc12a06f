// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"errors"
	"slices"

	"github.com/wippyrun/kit/luart/syntax"
)

// Source is one Lua source and what its entry declares.
type Source struct {
	// Name is the id of the entry.
	Name string
	Text string
	// Modules are the names of the built-in modules it lists, Imports the aliases of its imports.
	Modules, Imports []string
	// Visible are further global names that the state it runs in has: the modules and aliases of imported libraries,
	// and of those who import this one.
	Visible []string
	// Exports are the names that the libraries behind aliases have, as far as they are certain; see [Exports].
	Exports map[string][]string
	// Elsewhere are modules and aliases that another entry with the same text has: one file may hold the functions of
	// several entries, and a function that runs for another entry may need what this one does not declare.
	Elsewhere []string

	_ struct{} // sources are given by name
}

// Options say what to look for. The zero value finds errors only.
type Options struct {
	// Rules adds what is legal and probably not meant: the W codes.
	Rules bool
	// Types adds what contradicts the types that the source declares: the E codes but E0001.
	Types bool
	// Modules are the names of all built-in modules there are.
	Modules []string
	// Members are the names in modules and libraries of the base, and in the tables within them by their path, as
	// "sql.builder". What is not among them is not checked.
	Members map[string][]string

	_ struct{} // options are given by name
}

// base are the globals that every program has.
var base = []string{
	"_G", "_VERSION", "assert", "error", "getmetatable", "setmetatable", "next", "pairs", "ipairs", "pcall", "xpcall",
	"print", "rawequal", "rawget", "rawset", "select", "tonumber", "tostring", "type", "unpack", "require", "package",
	"string", "table", "math", "coroutine", "os", "errors", "process", "channel", "payload", "subscribe", "unsubscribe",
	// built-in types are values
	"any", "unknown", "never", "boolean", "bool", "number", "integer", "int",
}

// ambient are the names that may be required without a declaration.
var ambient = []string{
	"process", "channel", "payload", "print", "subscribe", "unsubscribe", "os", "table", "math", "string", "coroutine", "errors",
}

// Check returns what is wrong with a source, sorted.
func Check(s Source, o Options) []Diagnostic {
	// What runs is compiled from the lowered tree; only the compiler knows some of the limits.
	chunk, err := syntax.Parse(s.Name, s.Text)
	if err == nil {
		_, err = syntax.Compile(chunk, s.Name)
	}
	if err == nil {
		chunk, err = syntax.Parse(s.Name, s.Text, syntax.Unlowered(), syntax.Placed())
	}
	if err != nil {
		return []Diagnostic{syntaxError(s, err)}
	}
	c := newChecker(s, o, chunk)
	c.run()
	Sort(c.found)
	return c.found
}

// syntaxError is what the parser or the compiler says. It carries no line: the text has it.
func syntaxError(s Source, err error) Diagnostic {
	d := Diagnostic{Entry: s.Name, Code: CodeSyntax, Severity: Error, Message: err.Error(), text: "error: " + err.Error()}
	var e *syntax.Error
	if errors.As(err, &e) {
		d.Message = e.Pretty()
		d.text = d.Message
	}
	return d
}

// SyntaxPlace returns where in its source a syntax error is, 0 when it is unknown.
func SyntaxPlace(s Source) (line, column int) {
	chunk, err := syntax.Parse(s.Name, s.Text)
	if err == nil {
		_, err = syntax.Compile(chunk, s.Name)
	}
	var e *syntax.Error
	if errors.As(err, &e) {
		return e.Line, e.Col
	}
	return 0, 0
}

// add records a finding at a span of the source.
func (c *checker) add(code string, severity Severity, at syntax.Span, message, help string) {
	d := Diagnostic{Entry: c.source.Name, Code: code, Severity: severity, Message: message, Help: help,
		Line: at.Start.Line, Column: at.Start.Col}
	if d.Line > 0 {
		if at.End.Line == at.Start.Line {
			d.EndColumn = at.End.Col
		}
		if d.Line <= len(c.lines) {
			d.Excerpt = c.lines[d.Line-1]
		}
	}
	c.found = append(c.found, d)
}

// declared tells whether the entry declares a name as a module or an import.
func (c *checker) declared(name string) bool {
	return slices.Contains(c.source.Modules, name) || slices.Contains(c.source.Imports, name)
}
