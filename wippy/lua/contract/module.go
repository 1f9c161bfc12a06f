// SPDX-License-Identifier: Apache-2.0

// Package contract is the Lua module contract: finding and opening implementations of contracts, and calling them.
//
// A contract names methods, a binding says which function implements each. An instance is an opened binding: its
// methods are calls of those functions, with the context values it was opened with. It keeps the binding as it was
// then; the functions behind it are looked up by every call.
package contract

import (
	"strings"
	"sync"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/lua/ctxvalues"
	"github.com/wippyrun/kit/wippy/lua/funcs"
	"github.com/wippyrun/kit/wippy/lua/future"
	"github.com/wippyrun/kit/wippy/system/contracts"
	"github.com/wippyrun/kit/wippy/system/frames"
)

// Deps is what the module works with. Allow may be nil. Calls need the handlers of the module funcs.
type Deps struct {
	Catalog *contracts.Catalog
	Allow   access.Check
}

type module struct {
	Deps
	contracts *engine.Class
	instances *engine.Class
	futures   *future.Class

	// methods holds the function of every method called so far: it finds the instance in its first argument, so
	// that one serves all. Names come from contracts, which bounds it.
	methods  sync.Map // methodKey → *lua.LFunction
	function func(name string, fn lua.LGFunction) *lua.LFunction
}

// Module returns the Lua module.
func Module(deps Deps) engine.Module {
	return engine.Module{
		Name:    "contract",
		Classes: []string{"workflow", "nondeterministic"},
		Build: func(b *engine.Builder) error {
			m := &module{Deps: deps, futures: future.NewClass(b), function: b.Function}
			m.contracts = b.Type("Contract", map[string]lua.LGFunction{
				"id":              contractID,
				"methods":         contractMethods,
				"method":          contractMethod,
				"implementations": m.contractImplementations,
				"with_context":    m.withContext,
				"with_options":    m.withOptions,
				"with_actor":      m.withActor,
				"with_scope":      m.withScope,
				"open":            m.openContract,
			}, map[string]lua.LGFunction{"__tostring": func(L *lua.LState) int {
				L.Push(lua.LString("contract.Contract{" + check(L).definition.ID + "}"))
				return 1
			}})
			m.instances = b.Type("Instance", nil, map[string]lua.LGFunction{
				"__index": m.index,
				"__tostring": func(L *lua.LState) int {
					L.Push(lua.LString("contract.Instance{" + checkInstance(L).binding.ID + "}"))
					return 1
				},
			})
			b.Func("get", m.get)
			b.Func("open", m.open)
			b.Func("find_implementations", m.findImplementations)
			b.Func("is", is)
			return nil
		},
	}
}

// contract is the value behind Contract objects. It is immutable.
type contract struct {
	definition *contracts.Definition
	values     map[string]any
	options    map[string]any
	identity   access.Identity
}

func check(L *lua.LState) *contract { return engine.Check[*contract](L, 1, "contract") }

// get implements contract.get(id).
func (m *module) get(L *lua.LState) int {
	id := L.CheckString(1)
	if err := validID(id); err != nil {
		return engine.PushError(L, err)
	}
	if !m.Allow.Allowed(engine.From(L), "contract.get", id) {
		return engine.PushError(L, access.Denied("not allowed to access contract: "+id))
	}
	d, err := m.Catalog.Definition(id)
	if err != nil {
		return engine.PushError(L, err)
	}
	L.Push(m.contracts.New(&contract{definition: d}))
	return 1
}

// validID refuses what cannot be the id of an entry.
func validID(id string) error {
	namespace, name, ok := strings.Cut(id, ":")
	switch {
	case id == "":
		return engine.NewError(engine.KindInvalid, "contract ID required")
	case !ok || namespace == "":
		return engine.NewError(engine.KindInvalid, "namespace required in ID: "+id)
	case name == "":
		return engine.NewError(engine.KindInvalid, "name required in ID: "+id)
	}
	return nil
}

// findImplementations implements contract.find_implementations(id).
func (m *module) findImplementations(L *lua.LState) int {
	id := L.CheckString(1)
	if err := validID(id); err != nil {
		return engine.PushError(L, err)
	}
	if !m.Allow.Allowed(engine.From(L), "contract.implementations", id) {
		return engine.PushError(L, access.Denied("not allowed to list implementations: "+id))
	}
	L.Push(engine.ToLua(m.Catalog.Implementations(id)))
	return 1
}

// is implements contract.is(instance, id).
func is(L *lua.LState) int {
	i := checkInstance(L)
	L.Push(lua.LBool(i.binding.Implements(L.CheckString(2))))
	return 1
}

func contractID(L *lua.LState) int {
	L.Push(lua.LString(check(L).definition.ID))
	return 1
}

func contractMethods(L *lua.LState) int {
	d := check(L).definition
	list := L.CreateTable(len(d.Methods), 0)
	for _, method := range d.Methods {
		list.Append(methodTable(L, method))
	}
	L.Push(list)
	return 1
}

func contractMethod(L *lua.LState) int {
	d, name := check(L).definition, L.CheckString(2)
	method, ok := d.Method(name)
	if !ok {
		return engine.PushError(L, engine.NewError(engine.KindNotFound, "method '"+name+"' not found in contract '"+d.ID+"'"))
	}
	L.Push(methodTable(L, method))
	return 1
}

func methodTable(L *lua.LState, m contracts.Method) *lua.LTable {
	t := L.CreateTable(0, 4)
	t.RawSetString("name", lua.LString(m.Name))
	t.RawSetString("description", lua.LString(m.Description))
	t.RawSetString("input_schemas", schemas(L, m.Input))
	t.RawSetString("output_schemas", schemas(L, m.Output))
	return t
}

func schemas(L *lua.LState, list []contracts.Schema) *lua.LTable {
	t := L.CreateTable(len(list), 0)
	for _, s := range list {
		item := L.CreateTable(0, 2)
		item.RawSetString("format", lua.LString(s.Format))
		item.RawSetString("definition", engine.ToLua(s.Definition))
		t.Append(item)
	}
	return t
}

func (m *module) contractImplementations(L *lua.LState) int {
	L.Push(engine.ToLua(m.Catalog.Implementations(check(L).definition.ID)))
	return 1
}

func (m *module) withContext(L *lua.LState) int {
	c := *check(L)
	more := ctxvalues.FromTable(L.CheckTable(2))
	if !m.Allow.Allowed(engine.From(L), "contract.context", "context") {
		return engine.PushError(L, access.Denied("not allowed to call functions with custom context"))
	}
	c.values = frames.Merge(c.values, more)
	L.Push(m.contracts.New(&c))
	return 1
}

func (m *module) withActor(L *lua.LState) int {
	c := *check(L)
	c.identity.Actor = access.CheckActor(L, 2)
	return m.withIdentity(L, &c)
}

func (m *module) withScope(L *lua.LState) int {
	c := *check(L)
	c.identity.Scope = access.CheckScope(L, 2)
	return m.withIdentity(L, &c)
}

func (m *module) withIdentity(L *lua.LState, c *contract) int {
	if !m.Allow.Allowed(engine.From(L), "contract.security", "security") {
		return engine.PushError(L, access.Denied("not allowed to call functions with custom security context"))
	}
	L.Push(m.contracts.New(c))
	return 1
}

func (m *module) withOptions(L *lua.LState) int {
	c := *check(L)
	c.options = funcs.Options(L.CheckTable(2))
	L.Push(m.contracts.New(&c))
	return 1
}

// frame returns the frame of what an instance calls.
func frame(caller *appctx.Frame, i *instance) (*appctx.Frame, error) {
	if len(i.values) == 0 && i.identity.IsZero() {
		return caller, nil
	}
	f := frames.Fork(caller)
	if err := frames.Add(f, i.values); err != nil {
		return nil, err
	}
	return f, i.identity.Enter(f)
}
