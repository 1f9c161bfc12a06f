// SPDX-License-Identifier: Apache-2.0

package readme

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Program is the source of a main package.
type Program struct {
	// Files are the contents by file name.
	Files map[string]string
	// Want is what the program announces to print, "" when it does not.
	Want string
}

// support is what every fragment may use without declaring it.
const support = `package main

import (
	"context"
	"fmt"
	"os"
)

var ctx = context.Background()

// stopOnError follows each statement that assigns err.
func stopOnError(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "README.md:", err)
		os.Exit(1)
	}
}

// showUnused follows each statement that declares a variable nobody uses.
func showUnused(name string, value any) { fmt.Println(name, "=", value) }
`

// Build makes a program of a block.
//
// A block with a package clause is the program. Any other is a fragment: its types,
// functions and imports are taken out, the rest becomes the body of main. What a
// fragment leaves to its reader is added: the context ctx; a check after each
// statement that assigns err; the printing of variables that are not used
// otherwise; and the declarations of surroundings, a Go file of package main, ""
// for none. A name that stands before a dot and is not declared is the package that
// imports has under that name, else the package of the standard library with that
// path. Positions that a compiler reports are those of the README.
func Build(b Block, imports map[string]string, surroundings string) (Program, error) {
	p := Program{Files: make(map[string]string)}
	p.Want, _ = Output(b.Source)
	if isProgram(b.Source) {
		p.Files["main.go"] = lineMark(b.Line) + b.Source
		return p, nil
	}
	elsewhere := make(map[string]bool)
	if surroundings != "" {
		around, err := parser.ParseFile(token.NewFileSet(), "surroundings.go", surroundings, parser.SkipObjectResolution)
		if err != nil {
			return p, err
		}
		elsewhere = packageLevel(around)
		p.Files["surroundings.go"] = surroundings
		if want, ok := Output(surroundings); ok && p.Want == "" {
			p.Want = want
		}
	}
	items, err := split(b)
	if err != nil {
		return p, err
	}
	if len(items) == 0 {
		return p, errors.New("the example is empty")
	}
	p.Files["support.go"] = support
	p.Files["main.go"] = assemble(items, imports, elsewhere)
	return p, nil
}

// assemble writes the file that holds the items.
func assemble(items []item, imports map[string]string, elsewhere map[string]bool) string {
	var outside, body, head strings.Builder
	var trees []*ast.File
	imported := make(map[string]bool)
	used := uses(items)
	for _, it := range items {
		trees = append(trees, it.file)
		text := lineMark(it.line) + it.source + "\n"
		switch it.kind {
		case token.IMPORT:
			head.WriteString(text)
			for _, s := range it.file.Imports {
				imported[importedName(s)] = true
			}
		case token.FUNC, token.TYPE:
			outside.WriteString(text)
		default:
			body.WriteString(text)
			for _, s := range it.statements() {
				body.WriteString(after(s, used))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(qualifiers(trees))) {
		if imported[name] || elsewhere[name] || name == "ctx" {
			continue
		}
		importPath := imports[name]
		if importPath == "" {
			importPath = name
		}
		fmt.Fprintf(&head, "import %s %q\n", name, importPath)
	}
	return "package main\n\n" + head.String() + "\n" + outside.String() + "\nfunc main() {\n" + body.String() + "}\n"
}

// after returns the statements to put behind a statement of main. An error stops
// the program before anything is shown.
func after(s ast.Stmt, used map[string]bool) string {
	var check, shown strings.Builder
	for _, id := range assigned(s) {
		switch {
		case id.Name == "err":
			check.WriteString("stopOnError(err)\n")
		case s.(*ast.AssignStmt).Tok == token.DEFINE && !used[id.Name]:
			fmt.Fprintf(&shown, "showUnused(%q, %s)\n", id.Name, id.Name)
		}
	}
	return check.String() + shown.String()
}

// lineMark tells the compiler where the next line comes from.
func lineMark(line int) string { return fmt.Sprintf("//line README.md:%d\n", line) }

// ImportsOf returns the imports of Go files as Build takes them: the name under
// which the first file to import a package does so, and its path.
func ImportsOf(files []*ast.File) map[string]string {
	out := make(map[string]string)
	for _, f := range files {
		for _, s := range f.Imports {
			importPath, err := strconv.Unquote(s.Path.Value)
			if name := importedName(s); err == nil && out[name] == "" {
				out[name] = importPath
			}
		}
	}
	return out
}

// importedName returns the name that an import declares: the one it is given, else
// the last element of the path that is no version.
func importedName(s *ast.ImportSpec) string {
	if s.Name != nil {
		return s.Name.Name
	}
	importPath, _ := strconv.Unquote(s.Path.Value) // the parser has accepted it
	name := path.Base(importPath)
	if len(name) > 1 && name[0] == 'v' && strings.Trim(name[1:], "0123456789") == "" {
		name = path.Base(path.Dir(importPath))
	}
	return name
}
