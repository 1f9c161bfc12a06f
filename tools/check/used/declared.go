// SPDX-License-Identifier: Apache-2.0

package used

import (
	"go/types"
	"strings"

	"golang.org/x/tools/go/packages"
)

// key names an object across loads, in which the same object has different identities: the path of
// its package, the name of its type if it is a member, and its own name.
type key string

// declaration is something that a package declares at its top level, or a member of such a type.
type declaration struct {
	key  key
	kind string
	name string // without the package
	obj  types.Object
	// owner is the type of a method or field, nil for others.
	owner *types.TypeName
}

// declared returns what a package declares. Members of exported types alone are listed, for others
// cannot be named from outside.
func declared(pkg *types.Package) []declaration {
	var out []declaration
	scope := pkg.Scope()
	for _, name := range scope.Names() {
		obj := scope.Lookup(name)
		d := declaration{key: keyOf(pkg, name), kind: kindOf(obj), name: name, obj: obj}
		out = append(out, d)
		t, ok := obj.(*types.TypeName)
		if !ok || t.IsAlias() || !t.Exported() {
			continue
		}
		member := func(kind string, m types.Object) {
			out = append(out, declaration{key: keyOf(pkg, name+"."+m.Name()), kind: kind, name: name + "." + m.Name(), obj: m, owner: t})
		}
		named, ok := t.Type().(*types.Named)
		if !ok {
			continue
		}
		for m := range named.Methods() {
			member("method", m)
		}
		switch u := named.Underlying().(type) {
		case *types.Interface:
			for m := range u.ExplicitMethods() {
				member("method", m)
			}
		case *types.Struct:
			for f := range u.Fields() {
				member("field", f)
			}
		}
	}
	return out
}

func keyOf(pkg *types.Package, name string) key { return key(pkg.Path() + "." + name) }

func kindOf(obj types.Object) string {
	switch obj.(type) {
	case *types.Func:
		return "func"
	case *types.Const:
		return "const"
	case *types.Var:
		return "var"
	}
	return "type"
}

// importable reports whether people outside the module can import a package.
func importable(p *packages.Package) bool {
	return p.Name != "main" && !strings.HasSuffix(p.PkgPath, "_test") && !strings.Contains("/"+p.PkgPath+"/", "/internal/")
}

// origin returns the object that an instance of a generic one was made from.
func origin(obj types.Object) types.Object {
	switch o := obj.(type) {
	case *types.Func:
		return o.Origin()
	case *types.Var:
		return o.Origin()
	}
	return obj
}

// namedIn calls f for the named types that a value of type t consists of: its own, and those of what
// it points to or has as elements.
func namedIn(t types.Type, f func(*types.TypeName)) {
	switch t := t.(type) {
	case *types.Alias:
		f(t.Obj())
		namedIn(types.Unalias(t), f)
	case *types.Named:
		f(t.Obj())
		for arg := range t.TypeArgs().Types() {
			namedIn(arg, f)
		}
	case *types.Pointer:
		namedIn(t.Elem(), f)
	case *types.Slice:
		namedIn(t.Elem(), f)
	case *types.Array:
		namedIn(t.Elem(), f)
	case *types.Chan:
		namedIn(t.Elem(), f)
	case *types.Map:
		namedIn(t.Key(), f)
		namedIn(t.Elem(), f)
	case *types.Tuple:
		for v := range t.Variables() {
			namedIn(v.Type(), f)
		}
	}
}

// implements reports whether a type or a pointer to it has the methods of an interface.
func implements(t types.Type, i *types.Interface) bool {
	return types.Implements(t, i) || types.Implements(types.NewPointer(t), i)
}
