// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/internal/nearest"
	"github.com/wippyrun/kit/luart/types"
)

// ProgramSpec describes a program before it is linked.
type ProgramSpec struct {
	// ID is the entry id "ns:name": the name in error positions and tracebacks.
	ID string
	// Source is the program text. It is compiled unless Proto is set.
	Source string
	Proto  *Proto
	// Method is the method that runs when none is named, "main" by default.
	Method string
	// Modules are the names of the modules it may use.
	Modules []string
	// Imports are the libraries it uses, by the alias it knows them under.
	Imports []Import
}

// Import gives a linked program a name within another one.
type Import struct {
	Alias   string
	Program *Program
}

// Program is compiled source together with all it can reach: modules, imported
// libraries and what those bring along. It is immutable; any number of
// instances run it.
type Program struct {
	engine  *Engine
	id      string
	method  string
	proto   *Proto
	modules map[string]lua.LValue
	libs    []library // in load order
	env     *lua.LTable

	use   globalUse
	code  *lua.FunctionProto // with constants for global names, see fold.go
	folds bool               // code is what processes of this program run, also of libs

	typesOnce sync.Once
	typeSet   *types.Set     // see Program.types
	upvalues  []*lua.Upvalue // of the chunk: the types it uses as values
}

// library is an imported program under one alias. depth is its distance from
// the program that imports it.
type library struct {
	alias   string
	program *Program
	depth   int
	by      string // the program that imports it under that name, empty for the one that is linked
}

func (l library) String() string {
	if l.by == "" {
		return l.program.id
	}
	return l.program.id + " (imported by " + l.by + ")"
}

// Link makes a program ready to run. Errors: the source does not compile
// (Invalid), a module is unknown (NotFound), an alias has two meanings (Conflict),
// an alias is empty, contains ':' or has no target (Invalid).
func (e *Engine) Link(spec ProgramSpec) (*Program, error) {
	proto := spec.Proto
	if proto == nil {
		var err error
		if proto, err = e.Compile(spec.ID, spec.Source); err != nil {
			return nil, err
		}
	}
	p := &Program{engine: e, id: spec.ID, proto: proto, method: cmp.Or(spec.Method, "main"),
		modules: make(map[string]lua.LValue, len(spec.Modules))}
	var unknown []error
	for _, name := range spec.Modules {
		v, ok := e.moduleValue(name)
		if !ok {
			unknown = append(unknown, e.unknownModule(name))
		}
		p.modules[name] = v
	}
	switch len(unknown) {
	case 0:
	case 1:
		return nil, unknown[0]
	default:
		return nil, errors.Join(unknown...)
	}
	if err := p.link(spec.Imports); err != nil {
		return nil, err
	}
	p.env = p.environment()
	if err := p.bindTypes(); err != nil {
		return nil, err
	}
	p.fold()
	return p, nil
}

// link collects the libraries and modules of all imports.
func (p *Program) link(imports []Import) error {
	libs := make(map[string]library)
	add := func(l library) error {
		if have, ok := libs[l.alias]; ok {
			if have.program != l.program && have.program.id != l.program.id {
				return collision(l.alias, have.String(), l.String())
			}
			l.depth = max(l.depth, have.depth)
		}
		libs[l.alias] = l
		return nil
	}
	for _, im := range imports {
		switch {
		case im.Alias == "":
			return NewError(KindInvalid, "import alias cannot be empty")
		case im.Program == nil:
			return NewError(KindInvalid, "import "+im.Alias+" has no program")
		}
		if err := add(library{alias: im.Alias, program: im.Program, depth: 1}); err != nil {
			return err
		}
		for _, l := range im.Program.libs {
			l.depth++
			l.by = cmp.Or(l.by, im.Program.id)
			if err := add(l); err != nil {
				return err
			}
		}
		maps.Copy(p.modules, im.Program.modules)
	}
	for _, alias := range slices.Sorted(maps.Keys(libs)) {
		if _, ok := p.modules[alias]; ok {
			return collision(alias, "module "+alias, libs[alias].String())
		}
	}
	p.libs = slices.SortedFunc(maps.Values(libs), func(a, b library) int {
		return cmp.Or(cmp.Compare(b.depth, a.depth), cmp.Compare(a.program.id, b.program.id), cmp.Compare(a.alias, b.alias))
	})
	return nil
}

func collision(alias, a, b string) error {
	return NewError(KindConflict, fmt.Sprintf("alias '%s' collision: %s and %s", alias, a, b))
}

// environment builds the metatable that all globals tables of the program share:
// it reads through to the base library and the modules, so that a process starts
// with an empty globals table of its own.
func (p *Program) environment() *lua.LTable {
	globals := newTable(0, 64)
	p.engine.mu.RLock()
	p.engine.base.ForEach(func(k, v lua.LValue) { globals.RawSet(k, v) })
	p.engine.mu.RUnlock()
	for name, v := range p.modules {
		globals.RawSetString(name, v)
	}
	// Names that are in neither table get here; only _G is known.
	above := newTable(0, 1)
	above.RawSetString("__index", goFunction(ownGlobals))
	globals.Metatable = above
	mt := newTable(0, 3)
	mt.RawSetString("__index", globals)
	mt.RawSetString("__newindex", newGlobalFn)
	mt.RawSetString(baseKey, globals)
	return mt
}

var newGlobalFn = goFunction(func(L *lua.LState) int {
	setGlobal(L.CheckTable(1), L.Get(2), L.Get(3))
	return 0
})

// setGlobal adds a name to a globals table. The table gets its hash part with the
// first one, sized for few: left to itself it would make room for 32.
func setGlobal(env *lua.LTable, k, v lua.LValue) {
	if v == lua.LNil {
		return
	}
	if !vm.hashed(env) && env.Len() == 0 {
		mt := env.Metatable
		*env = *newTable(0, 1)
		env.Metatable = mt
	}
	env.RawSet(k, v)
}

// ownGlobals answers _G, the one global that differs between processes.
func ownGlobals(L *lua.LState) int {
	if L.Get(2) == lua.LString("_G") {
		L.Push(From(L).inst.env)
	} else {
		L.Push(lua.LNil)
	}
	return 1
}

// ID returns the entry id.
func (p *Program) ID() string { return p.id }

// Method returns the method that runs when none is named.
func (p *Program) Method() string { return p.method }

// Modules returns the names of all modules the program can reach, sorted.
func (p *Program) Modules() []string { return slices.Sorted(maps.Keys(p.modules)) }

// Libraries returns the entry ids of all programs that are executed before this
// one, in that order. A program imported under two aliases appears twice.
func (p *Program) Libraries() []string {
	ids := make([]string, len(p.libs))
	for i, l := range p.libs {
		ids[i] = l.program.id
	}
	return ids
}

// unknownModule makes the error for a module nobody registered, with the nearest
// known name.
func (e *Engine) unknownModule(name string) error {
	msg := "node with ID " + name + " not found"
	best, least := "", 3
	names := e.Modules()
	for _, n := range names {
		if d := nearest.Distance(name, n); d < least && d < len(n) {
			best, least = n, d
		}
	}
	if best != "" {
		msg += fmt.Sprintf(" (did you mean %q?)", best)
	}
	return NewError(KindNotFound, msg).With("module", name)
}
