// SPDX-License-Identifier: Apache-2.0

// Package repo reads the source tree of a Go workspace: its modules and its files.
package repo

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// Repo is a workspace: a directory with a go.work file.
type Repo struct {
	// Root is the absolute path of the workspace.
	Root string
	// Work is the parsed go.work.
	Work *modfile.WorkFile
	// Modules are all directories with a go.mod, sorted by Dir.
	Modules []*Module
	// Files are all files outside dot-folders and testdata, sorted by Path.
	Files []*File
}

// Module is one Go module of the workspace.
type Module struct {
	// Dir is the path from the root, with slashes.
	Dir string
	// Mod is the parsed go.mod.
	Mod *modfile.File
	// Files are the module's files, nested modules excluded.
	Files []*File
}

// Path returns the module path.
func (m *Module) Path() string { return m.Mod.Module.Mod.Path }

// GoMod returns the path of the go.mod from the root.
func (m *Module) GoMod() string { return path.Join(m.Dir, "go.mod") }

// File is one file of the tree.
type File struct {
	// Path is the path from the root, with slashes.
	Path string
	// Module is the module it belongs to, nil for files of the root.
	Module *Module

	abs    string
	parsed *Parsed
}

// IsGo reports whether it is Go source.
func (f *File) IsGo() bool { return strings.HasSuffix(f.Path, ".go") }

// IsTest reports whether it is Go test source.
func (f *File) IsTest() bool { return strings.HasSuffix(f.Path, "_test.go") }

// Read returns the content.
func (f *File) Read() ([]byte, error) { return os.ReadFile(f.abs) }

// Parsed is the syntax tree of a Go file.
type Parsed struct {
	// AST is the tree, with comments.
	AST  *ast.File
	fset *token.FileSet
}

// Line returns the line of a position in the file.
func (p *Parsed) Line(pos token.Pos) int { return p.fset.Position(pos).Line }

// Parse returns the syntax tree. The second call costs nothing.
func (f *File) Parse() (*Parsed, error) {
	if f.parsed == nil {
		src, err := f.Read()
		if err != nil {
			return nil, err
		}
		fset := token.NewFileSet()
		tree, err := parser.ParseFile(fset, f.Path, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		f.parsed = &Parsed{AST: tree, fset: fset}
	}
	return f.parsed, nil
}

// Find returns the closest directory at or above dir that has a go.work file.
func Find(dir string) (string, error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for at := start; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.work")); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("no go.work at or above %s", start)
		}
	}
}

// Load reads the workspace at root. Go files are parsed later, when asked for.
func Load(root string) (*Repo, error) {
	r := &Repo{Root: root}
	work := filepath.Join(root, "go.work")
	data, err := os.ReadFile(work)
	if err != nil {
		return nil, err
	}
	if r.Work, err = modfile.ParseWork("go.work", data, nil); err != nil {
		return nil, err
	}
	err = filepath.WalkDir(root, func(abs string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if abs != root && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || name == "node_modules") {
				return filepath.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(root, abs)
		if err != nil {
			return err
		}
		r.Files = append(r.Files, &File{Path: filepath.ToSlash(rel), abs: abs})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r, r.assign()
}

// assign finds the modules among the files and gives each file its module.
func (r *Repo) assign() error {
	slices.SortFunc(r.Files, func(a, b *File) int { return strings.Compare(a.Path, b.Path) })
	byDir := make(map[string]*Module)
	for _, f := range r.Files {
		if path.Base(f.Path) != "go.mod" {
			continue
		}
		data, err := f.Read()
		if err != nil {
			return err
		}
		mod, err := modfile.Parse(f.Path, data, nil)
		if err != nil {
			return err
		}
		if mod.Module == nil {
			return fmt.Errorf("%s: no module line", f.Path)
		}
		m := &Module{Dir: path.Dir(f.Path), Mod: mod}
		byDir[m.Dir] = m
		r.Modules = append(r.Modules, m)
	}
	slices.SortFunc(r.Modules, func(a, b *Module) int { return strings.Compare(a.Dir, b.Dir) })
	for _, f := range r.Files {
		for dir := path.Dir(f.Path); ; dir = path.Dir(dir) {
			if m := byDir[dir]; m != nil {
				f.Module = m
				m.Files = append(m.Files, f)
				break
			}
			if dir == "." {
				break
			}
		}
	}
	return nil
}

// Module returns the module in that directory, nil when there is none.
func (r *Repo) Module(dir string) *Module {
	for _, m := range r.Modules {
		if m.Dir == dir {
			return m
		}
	}
	return nil
}
