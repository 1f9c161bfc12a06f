// SPDX-License-Identifier: Apache-2.0

package templates

import (
	stdjson "encoding/json"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
	"github.com/wippyrun/kit/luart/modules/json"
)

// module holds what the functions work with.
type module struct {
	sets    Sets
	allowed func(p *engine.Process, action, resource string) bool
	handles *engine.Class
}

// Module returns the Lua module `templates`. allowed decides about the action template.get on the id of a set; nil
// allows everything. No call yields.
func Module(sets Sets, allowed func(p *engine.Process, action, resource string) bool) engine.Module {
	return engine.Module{
		Name:    "templates",
		Classes: []string{"deterministic"},
		Build: func(b *engine.Builder) error {
			m := &module{sets: sets, allowed: allowed}
			m.handles = b.Type("Set", map[string]lua.LGFunction{
				"render":  render,
				"release": release,
			}, map[string]lua.LGFunction{"__tostring": handleText})
			b.Func("get", m.get)
			return nil
		},
	}
}

// handle is the value behind Set objects.
type handle struct {
	set *Set // nil when released
}

// get implements templates.get(id).
func (m *module) get(L *lua.LState) int {
	id, p := L.CheckString(1), engine.From(L)
	if id == "" {
		return call.Invalid(L, "resource id is required")
	}
	if m.allowed != nil && !m.allowed(p, "template.get", id) {
		return engine.PushError(L, engine.NewError(engine.KindPermissionDenied, "not allowed to access template: "+id))
	}
	set, err := m.sets.TemplateSet(p, id)
	if err != nil {
		return call.Failed(L, "failed to acquire resource", err)
	}
	L.Push(m.handles.New(&handle{set}))
	return 1
}

func checkHandle(L *lua.LState) *handle { return engine.Check[*handle](L, 1, "templates.Set") }

// render implements set:render(name, data?).
func render(L *lua.LState) int {
	h, name := checkHandle(L), L.CheckString(2)
	data := L.OptTable(3, nil)
	if h.set == nil {
		return engine.PushError(L, engine.NewError(engine.KindInternal, "template set is released"))
	}
	variables, err := variables(data)
	if err != nil {
		return call.Failed(L, "failed to render template", err)
	}
	text, err := h.set.Render(engine.From(L).Context(), name, variables)
	switch e, ok := err.(*engine.Error); {
	case ok: // the name is at fault
		return engine.PushError(L, e)
	case err != nil:
		return call.Failed(L, "failed to render template", err)
	}
	return call.Value(L, lua.LString(text))
}

// variables turns a table into the variables of a template: the members of the object that is its JSON form. A table
// that is an array has none.
func variables(data *lua.LTable) (map[string]any, error) {
	if data == nil {
		return nil, nil
	}
	text, err := json.Encode(data)
	if err != nil || text[0] != '{' {
		return nil, err
	}
	var m map[string]any
	return m, stdjson.Unmarshal([]byte(text), &m)
}

// release implements set:release(): the object cannot be used any more, the set can.
func release(L *lua.LState) int {
	checkHandle(L).set = nil
	L.Push(lua.LTrue)
	return 1
}

func handleText(L *lua.LState) int {
	text := "template.Set{}"
	if checkHandle(L).set == nil {
		text = "template.Set{released}"
	}
	L.Push(lua.LString(text))
	return 1
}
