// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/syntax"
	"github.com/wippyrun/kit/luart/types"
)

// Types are values, see package types. The built-in ones are globals of the base.
// Those a chunk declares are variables around it: the compiler makes those it
// uses upvalues of the chunk, which sees them as it would see globals, and nobody
// else does. The upvalues are made once per program. As no chunk assigns to
// them (syntax.Bind) all processes share them, and a program that uses no type
// has none.
//
// A declared name that is also a global of the program (a function of the base,
// a module, a library) means that global, as it does where types are not values.

// typeBinding makes the values. It belongs to no engine, as the built-in types do.
var typeBinding = newTypeBinding()

func newTypeBinding() *types.Binding {
	b := types.NewBinding(func(f *types.Failure) lua.LValue {
		e := NewError(KindInvalid, f.Error())
		e.details = f.Details()
		return newErrorValue(e)
	})
	b.Accept(func(v lua.LValue) (*types.Type, bool) {
		if t, ok := v.(*lua.LTable); ok {
			if mt, ok := t.Metatable.(*lua.LTable); ok {
				return types.FromValue(mt.RawGetString(typeKey))
			}
		}
		return nil, false
	})
	return b
}

// typeKey marks a proxy's metatable: the type the library table stands for.
const typeKey = "\x00type"

// typeMethods are the names of the methods of types.
var typeMethods = []string{
	"is", "kind", "name", "elem", "key", "val", "inner", "ret", "fields", "variants", "params", "tparams",
}

// bindBuiltinTypes adds the built-in types to the base. The table string is the
// type, too: it can be called already, and gets the methods behind its functions,
// where pairs does not see them.
func bindBuiltinTypes(base *lua.LTable) {
	for _, name := range []string{"boolean", "number", "integer", "any", "unknown", "never"} {
		t, _ := types.Builtin(name)
		base.RawSetString(name, typeBinding.Value(t))
	}
	str, _ := types.Builtin("string")
	library := base.RawGetString("string").(*lua.LTable)
	methods := newTable(0, len(typeMethods))
	for _, name := range typeMethods {
		fn := typeBinding.Method(str, name).GFunction
		methods.RawSetString(name, goFunction(func(L *lua.LState) int {
			if L.Get(1) == library {
				L.Remove(1) // string:is(v); the methods expect string.is(v)
			}
			return fn(L)
		}))
	}
	behind := newTable(0, 1)
	behind.RawSetString("__index", methods)
	Unwrap(library).Metatable = behind
	library.Metatable.(*lua.LTable).RawSetString(typeKey, typeBinding.Value(str))
}

// plainCopy copies a table without its metatable.
func plainCopy(t *lua.LTable) *lua.LTable {
	c := newTable(0, 32)
	t.ForEach(func(k, v lua.LValue) { c.RawSet(k, v) })
	return c
}

// onlyTypes keeps of a chunk what its types need. The statements, by far the
// most, are needed for typeof alone.
func onlyTypes(chunk *syntax.Chunk) *syntax.Chunk {
	if slices.ContainsFunc(chunk.Types.Declared, func(d *syntax.TypeDecl) bool {
		return strings.Contains(syntax.FormatType(d.Type), "typeof(")
	}) {
		return chunk
	}
	return &syntax.Chunk{Name: chunk.Name, Types: &syntax.TypeTable{Declared: chunk.Types.Declared}}
}

// bindTypes makes the upvalues of the program's chunk.
func (p *Program) bindTypes() error {
	if p.proto.types == nil {
		return nil
	}
	global := map[string]bool{}
	for _, name := range p.proto.fn.DbgUpvalues {
		if p.isGlobal(name) {
			global[name] = true
		}
	}
	if len(global) > 0 {
		proto, err := newProto(p.proto.id, p.proto.source, global)
		if err != nil {
			return err
		}
		p.proto = proto
	}
	names := p.proto.fn.DbgUpvalues
	p.upvalues = make([]*lua.Upvalue, len(names))
	for i, name := range names {
		t, _ := p.types().Lookup(name)
		p.upvalues[i] = &lua.Upvalue{}
		p.upvalues[i].SetValue(typeBinding.Value(t))
	}
	return nil
}

// isGlobal reports whether a name has a meaning in the program's environment,
// other than a built-in type.
func (p *Program) isGlobal(name string) bool {
	if slices.ContainsFunc(p.libs, func(l library) bool { return l.alias == name }) {
		return true
	}
	v := p.env.RawGetString(baseKey).(*lua.LTable).RawGetString(name)
	_, isType := types.FromValue(v)
	return v != lua.LNil && !isType || name == "_G"
}

// types returns the types the program declares. They are built when they are
// first needed: most programs declare them for their annotations only.
func (p *Program) types() *types.Set {
	p.typesOnce.Do(func() {
		chunk := p.proto.types
		if chunk == nil {
			chunk = &syntax.Chunk{Types: &syntax.TypeTable{}}
		}
		p.typeSet = types.NewSet(chunk, p.resolveType)
	})
	return p.typeSet
}

// resolveType finds a type that the program refers to and does not declare:
// alias.Name of a library, module.Name of an object type, or Name of one.
func (p *Program) resolveType(module, name string) (*types.Type, bool) {
	if module == "" {
		return p.objectType(name)
	}
	for _, l := range p.libs {
		if l.alias == module {
			return l.program.types().Lookup(name)
		}
	}
	if _, ok := p.engine.moduleValue(module); !ok {
		return nil, false
	}
	full := module + "." + name
	p.engine.mu.RLock()
	defer p.engine.mu.RUnlock()
	if p.engine.classes[full] {
		return types.Object(full), true
	}
	// A module's type that is no object is a table or a string of no form the
	// engine knows.
	any, ok := types.Builtin("any")
	return any, ok
}

// objectType finds an object type by its last name.
func (p *Program) objectType(name string) (*types.Type, bool) {
	if _, ok := types.Builtin(name); ok {
		return nil, false
	}
	p.engine.mu.RLock()
	defer p.engine.mu.RUnlock()
	for class := range p.engine.classes {
		module, last, _ := strings.Cut(class, ".")
		if last != name {
			continue
		}
		if _, ok := p.modules[module]; ok || p.env.RawGetString(baseKey).(*lua.LTable).RawGetString(module) != lua.LNil {
			return types.Object(name), true
		}
	}
	return nil, false
}

// builtinClasses are the object types that belong to no module of the host.
func builtinClasses() map[string]bool {
	return map[string]bool{"channel.Channel": true, "channel.SelectCase": true, "payload.Payload": true, "process.Message": true}
}
