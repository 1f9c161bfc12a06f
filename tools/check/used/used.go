// SPDX-License-Identifier: Apache-2.0

// Package used finds what a module exports and no test or example of it shows.
//
// Exported are the functions, types, methods, fields, constants and variables that an importer
// outside the module can name: not those of commands and of packages below an internal directory.
// What counts as used is decided from the types, not from names:
//
//   - A name is used where a test file mentions it. The files of a package that imports testing
//     (a contract suite, a fake) are test files too.
//   - A type is used where a test has a value of it or gives one to a function or field, be it never named
//     there. An interface is used where a type of a test implements it, too.
//   - A field is used where a test reads or writes it, or fills it by a literal without keys.
//   - A method is used where a test calls it: on its type or through an interface that the type
//     implements. It is also used where a test hands a value of the type to somebody who asks for an
//     interface with that method, since that is what the method is there for.
//   - The methods that the standard library looks for behind the back of the type checker are used
//     where a test calls what looks for them: String, Format and the like by a function of fmt,
//     testing or log/slog that gets a value of the type, MarshalJSON and its relatives by a function of
//     the encoding, Unwrap, Is and As of an error type by errors.Is, errors.As and errors.AsType.
//   - The methods of an interface are also used where a type of a test implements the interface.
//
// A module's own tests count and those of modules nested in it.
package used

import (
	"cmp"
	"context"
	"errors"
	"go/token"
	"os"
	"slices"

	"golang.org/x/tools/go/packages"
)

// Symbol is something exported that no test uses.
type Symbol struct {
	// File and Line tell where it is declared. File is absolute.
	File string
	Line int
	// Kind is "func", "type", "method", "field", "const" or "var".
	Kind string
	// Name is qualified by the package's name and, for methods and fields, that of the type.
	Name string
}

// Loader reads modules, each once. The zero value is ready for use, by one goroutine.
type Loader struct {
	loaded map[string][]*packages.Package
}

// Unused returns what the module in the first directory exports and neither its tests nor those of
// the modules in the other directories use, sorted by place. Each module is loaded as if it were in no
// workspace, and has to compile.
func (l *Loader) Unused(ctx context.Context, dir string, nested ...string) ([]Symbol, error) {
	u := &usage{own: make(map[string]bool), used: make(map[key]bool)}
	var own []*packages.Package
	for _, d := range append([]string{dir}, nested...) {
		pkgs, err := l.load(ctx, d)
		if err != nil {
			return nil, err
		}
		if own == nil {
			own = pkgs
			for _, p := range pkgs {
				u.own[p.PkgPath] = true
			}
		}
		u.collect(pkgs)
	}
	var out []Symbol
	seen := make(map[key]bool)
	for _, p := range own {
		if p.ForTest != "" || !importable(p) {
			continue
		}
		for _, d := range declared(p.Types) {
			if !d.obj.Exported() || seen[d.key] || u.isUsed(d) {
				continue
			}
			seen[d.key] = true
			at := p.Fset.Position(d.obj.Pos())
			out = append(out, Symbol{File: at.Filename, Line: at.Line, Kind: d.kind, Name: p.Types.Name() + "." + d.name})
		}
	}
	slices.SortFunc(out, func(a, b Symbol) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Name, b.Name))
	})
	return out, nil
}

// load reads a module's packages, with their tests, from source and what they import from what the
// compiler left.
func (l *Loader) load(ctx context.Context, dir string) ([]*packages.Package, error) {
	if pkgs, ok := l.loaded[dir]; ok {
		return pkgs, nil
	}
	pkgs, err := packages.Load(&packages.Config{
		Context: ctx,
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedTypes |
			packages.NeedSyntax | packages.NeedTypesInfo | packages.NeedForTest,
		Dir:   dir,
		Env:   append(os.Environ(), "GOWORK=off"),
		Fset:  token.NewFileSet(),
		Tests: true,
	}, "./...")
	if err != nil {
		return nil, err
	}
	var all []error
	for _, p := range pkgs {
		for _, e := range p.Errors {
			text := e.Msg // of the go command, or of the type checker, which leaves the place to us
			if e.Pos != "" && e.Pos != "-" {
				text = e.Pos + ": " + text
			}
			all = append(all, errors.New(text))
		}
	}
	if len(all) > 0 {
		return nil, errors.Join(all...)
	}
	if l.loaded == nil {
		l.loaded = make(map[string][]*packages.Package)
	}
	l.loaded[dir] = pkgs
	return pkgs, nil
}
