// SPDX-License-Identifier: Apache-2.0

package used

import (
	"go/ast"
	"go/types"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/refactor/satisfy"
)

// usage gathers what tests use, load by load.
type usage struct {
	// own are the paths of the packages of the module.
	own  map[string]bool
	used map[key]bool
}

func (u *usage) isUsed(d declaration) bool { return u.used[d.key] }

// collect adds what the test files of one load use.
func (u *usage) collect(pkgs []*packages.Package) {
	l := &loaded{usage: u, keys: make(map[types.Object]key), packages: make(map[*types.Package][]declaration), called: make(map[string][]*types.Interface)}
	for _, p := range pkgs {
		l.visit(p)
	}
	l.conclude()
}

// loaded is one load: in it, and in it alone, types are comparable.
type loaded struct {
	*usage
	// keys and packages are what the packages seen so far declare.
	keys     map[types.Object]key
	packages map[*types.Package][]declaration
	// called are the interfaces through which tests call methods, by the name of the method.
	called map[string][]*types.Interface
	// local are the types that tests declare.
	local []types.Type
	// unwraps tells that a test looks for an error in a chain of them.
	unwraps bool
}

// visit looks at the test files of a package.
func (l *loaded) visit(p *packages.Package) {
	l.know(p.Types)
	var files []*ast.File
	for _, f := range p.Syntax {
		name := p.Fset.Position(f.FileStart).Filename
		if strings.HasSuffix(name, "_test.go") || p.Imports["testing"] != nil && filepath.Ext(name) == ".go" {
			files = append(files, f)
		}
	}
	if len(files) == 0 {
		return
	}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				l.name(p.TypesInfo, n)
			case *ast.CompositeLit:
				l.literal(p.TypesInfo, n)
			case *ast.CallExpr:
				l.call(p.TypesInfo, n)
			}
			if e, ok := n.(ast.Expr); ok {
				if tv, ok := p.TypesInfo.Types[e]; ok && tv.IsValue() {
					l.valued(tv.Type)
				}
			}
			return true
		})
	}
	var handed satisfy.Finder
	handed.Find(p.TypesInfo, files)
	for c := range handed.Result {
		i, ok := c.LHS.Underlying().(*types.Interface)
		if !ok {
			continue
		}
		l.valued(c.LHS)
		for m := range i.Methods() {
			l.mark(m)
			l.member(c.RHS, m.Name())
		}
	}
}

// know lists what a package and those that it imports declare, as far as they are of the module.
func (l *loaded) know(pkg *types.Package) {
	if _, ok := l.packages[pkg]; ok {
		return
	}
	var all []declaration
	if l.own[pkg.Path()] {
		all = declared(pkg)
	}
	l.packages[pkg] = all
	for _, d := range all {
		l.keys[d.obj] = d.key
	}
	for _, p := range pkg.Imports() {
		l.know(p)
	}
}

// mark notes that an object is used.
func (l *loaded) mark(obj types.Object) {
	if k, ok := l.keys[origin(obj)]; ok {
		l.used[k] = true
	}
}

// valued marks the types of which a value of type t consists.
func (l *loaded) valued(t types.Type) {
	namedIn(t, func(t *types.TypeName) { l.mark(t) })
}

// member marks a method of a type, which may be promoted.
func (l *loaded) member(t types.Type, name string) {
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	obj, _, _ := types.LookupFieldOrMethod(t, true, nil, name)
	if m, ok := obj.(*types.Func); ok {
		l.mark(m)
	}
}

// name looks at an identifier.
func (l *loaded) name(info *types.Info, id *ast.Ident) {
	if obj := info.Defs[id]; obj != nil {
		if t, ok := obj.(*types.TypeName); ok {
			l.local = append(l.local, t.Type())
		}
		if v, ok := obj.(*types.Var); ok {
			l.valued(v.Type())
		}
	}
	obj := info.Uses[id]
	if obj == nil {
		return
	}
	l.mark(obj)
	if v, ok := obj.(*types.Var); ok && v.IsField() {
		l.valued(v.Type())
	}
	f, ok := obj.(*types.Func)
	if !ok || f.Signature().Recv() == nil {
		return
	}
	if i, ok := f.Signature().Recv().Type().Underlying().(*types.Interface); ok {
		l.called[f.Name()] = append(l.called[f.Name()], i)
	}
}

// literal marks the fields that a literal without keys fills.
func (l *loaded) literal(info *types.Info, lit *ast.CompositeLit) {
	if len(lit.Elts) == 0 {
		return
	}
	if _, keyed := lit.Elts[0].(*ast.KeyValueExpr); keyed {
		return
	}
	t := info.TypeOf(lit)
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem() // an element of a literal of pointers
	}
	if s, ok := t.Underlying().(*types.Struct); ok {
		for f := range s.Fields() {
			l.mark(f)
		}
	}
}

// The methods that packages look for in values of any type.
var (
	printed    = []string{"String", "Error", "Format", "GoString", "LogValue"}
	encoded    = []string{"MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText", "AppendText", "MarshalYAML", "UnmarshalYAML", "EncodeMsgpack", "DecodeMsgpack"}
	unwrapped  = []string{"Unwrap", "Is", "As"}
	lookingFor = map[string][]string{
		"fmt": printed, "testing": printed, "log": printed, "log/slog": printed,
		"encoding/json": encoded, "gopkg.in/yaml.v3": encoded, "github.com/vmihailenco/msgpack/v5": encoded,
	}
)

// call looks at the arguments of a call.
func (l *loaded) call(info *types.Info, call *ast.CallExpr) {
	if signature, ok := types.Unalias(info.TypeOf(call.Fun)).Underlying().(*types.Signature); ok {
		for i := range min(signature.Params().Len(), len(call.Args)) {
			l.valued(signature.Params().At(i).Type())
		}
	}
	var id *ast.Ident
	switch f := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		id = f
	case *ast.SelectorExpr:
		id = f.Sel
	case *ast.IndexExpr:
		if s, ok := f.X.(*ast.SelectorExpr); ok {
			id = s.Sel
		}
	}
	if id == nil {
		return
	}
	f, ok := info.Uses[id].(*types.Func)
	if !ok || f.Pkg() == nil {
		return
	}
	if f.Pkg().Path() == "errors" {
		l.unwraps = true
	}
	for _, method := range lookingFor[f.Pkg().Path()] {
		for _, arg := range call.Args {
			namedIn(info.TypeOf(arg), func(t *types.TypeName) { l.member(t.Type(), method) })
		}
	}
}

// conclude adds what follows from all files of the load together.
func (l *loaded) conclude() {
	var concrete []declaration
	var interfaces []declaration
	for _, all := range l.packages {
		for _, d := range all {
			switch {
			case d.kind != "type" || !d.obj.Exported():
			case types.IsInterface(d.obj.Type()):
				interfaces = append(interfaces, d)
			case l.used[d.key]:
				concrete = append(concrete, d)
			}
		}
	}
	failure := types.Universe.Lookup("error").Type().Underlying().(*types.Interface)
	for _, d := range concrete {
		for _, name := range slices.Collect(maps.Keys(l.called)) {
			if slices.ContainsFunc(l.called[name], func(i *types.Interface) bool { return implements(d.obj.Type(), i) }) {
				l.member(d.obj.Type(), name)
			}
		}
		if l.unwraps && implements(d.obj.Type(), failure) {
			for _, name := range unwrapped {
				l.member(d.obj.Type(), name)
			}
		}
	}
	for _, d := range interfaces {
		if !slices.ContainsFunc(l.local, func(t types.Type) bool { return conforms(t, d.obj.Type()) }) {
			continue
		}
		l.mark(d.obj)
		for m := range d.obj.Type().Underlying().(*types.Interface).Methods() {
			l.mark(m)
		}
	}
}

// conforms reports whether t or a pointer to it implements an interface. One that is generic in a
// single type is instantiated with t, for that is how such an interface is used: Clone makes another t.
func conforms(t, i types.Type) bool {
	n, ok := i.(*types.Named)
	if !ok || n.TypeParams().Len() != 1 {
		return implements(t, i.Underlying().(*types.Interface))
	}
	for _, arg := range []types.Type{t, types.NewPointer(t)} {
		instance, err := types.Instantiate(nil, n, []types.Type{arg}, false)
		if err == nil && implements(t, instance.Underlying().(*types.Interface)) {
			return true
		}
	}
	return false
}
