// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"slices"
	"sync"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/relay/payload"
)

// Engine compiles programs and runs them as processes. Everything that processes
// share is made here, once: the library tables, the modules, the compiled code.
// Register modules first, then Seal; after that all methods may be called
// concurrently.
type Engine struct {
	config
	base     *lua.LTable // globals every program has
	strings  *lua.LTable // what getmetatable returns for a string
	threads  threads
	drivers  sync.Pool // *driver
	pressure pressure
	protos   protoCache

	mu      sync.RWMutex // guards what follows
	modules map[string]*module
	classes map[string]bool // names of object types, as programs refer to them
	sealed  bool
}

type module struct {
	spec  Module
	value lua.LValue
}

// New makes an engine with the base library and no modules.
func New(opts ...Option) *Engine {
	e := &Engine{config: newConfig(opts), modules: make(map[string]*module), classes: builtinClasses()}
	e.base = newBase(e)
	library := e.base.RawGetString("string").(*lua.LTable)
	ofStrings := newTable(0, 1)
	ofStrings.RawSetString("__index", plainCopy(Unwrap(library)))
	e.threads.init(e.config, newTable(0, 1), ofStrings)
	view := newTable(0, 1)
	view.RawSetString("__index", library)
	e.strings = ReadOnly(view)
	registerConversions(e.transcoder)
	if e.maxHeap > 0 || e.maxProcess > 0 {
		e.pressure.limit = min(e.maxHeap-1, e.maxProcess-1) + 1 // 0 is none
		e.watch()
	}
	return e
}

// Register builds a module. It fails when the name is empty, contains ':' or is
// taken, when the engine is sealed, and when Build fails.
func (e *Engine) Register(m Module) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.sealed:
		return NewError(KindInvalidState, "engine: sealed")
	case m.Name == "":
		return NewError(KindInvalid, "module cannot be empty")
	case e.modules[m.Name] != nil:
		return NewError(KindAlreadyExists, "module "+m.Name+" is registered already")
	case m.Build == nil:
		return NewError(KindInvalid, "module "+m.Name+" has no Build function")
	}
	b := &Builder{engine: e, path: m.Name, table: newTable(0, 16)}
	if err := m.Build(b); err != nil {
		return fmt.Errorf("module %s: %w", m.Name, err)
	}
	e.modules[m.Name] = &module{spec: m, value: b.finish()}
	if m.Global {
		e.base.RawSetString(m.Name, e.modules[m.Name].value)
	}
	return nil
}

// Seal ends the registration of modules. Calling it again has no effect.
func (e *Engine) Seal() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sealed = true
}

// Modules returns the names of the registered modules, sorted.
func (e *Engine) Modules() []string {
	e.mu.RLock()
	defer e.mu.RUnlock()
	names := make([]string, 0, len(e.modules))
	for name := range e.modules {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Module returns the registered module of a name.
func (e *Engine) Module(name string) (Module, bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	m, ok := e.modules[name]
	if !ok {
		return Module{}, false
	}
	return m.spec, true
}

// Members returns the names of what is in a module, or in a library of the base, and in the tables within: by path,
// as "sql" and "sql.builder". A module that is no table, and a table that computes what it has, have none.
func (e *Engine) Members(name string) map[string][]string {
	v, _ := e.moduleValue(name)
	members := map[string][]string{}
	var collect func(path string, depth int, v lua.LValue)
	collect = func(path string, depth int, v lua.LValue) {
		t, ok := v.(*lua.LTable)
		if !ok || depth > 3 {
			return
		}
		t = Unwrap(t)
		names := []string{}
		if mt, ok := t.Metatable.(*lua.LTable); ok {
			switch behind := mt.RawGetString("__index").(type) {
			case *lua.LNilType:
			case *lua.LTable:
				behind.ForEach(func(k, _ lua.LValue) { names = append(names, k.String()) })
			default:
				return
			}
		}
		t.ForEach(func(k, v lua.LValue) {
			if key, ok := k.(lua.LString); ok {
				names = append(names, string(key))
				collect(path+"."+string(key), depth+1, v)
			}
		})
		slices.Sort(names)
		members[path] = names
	}
	collect(name, 0, v)
	return members
}

// Transcoder returns the transcoder behind payload objects.
func (e *Engine) Transcoder() *payload.Transcoder { return e.transcoder }

// moduleValue returns what a program sees as the module: a registered one, or a
// library of the base.
func (e *Engine) moduleValue(name string) (lua.LValue, bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if m, ok := e.modules[name]; ok {
		return m.value, true
	}
	if t, ok := e.base.RawGetString(name).(*lua.LTable); ok {
		return t, true
	}
	return nil, false
}
