// SPDX-License-Identifier: Apache-2.0

// Package store is the Lua module store: reading and writing the key-value stores that an
// application's entries declare.
//
// Values are snapshots: what a program writes is copied, and every read returns a copy that
// belongs to the reader. Operations suspend the calling coroutine while the store is one
// that waits for something; those of a store in memory are done at once. They end with the
// process or call that asked for them, as does the handle.
package store

import (
	"context"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/lua/background"
	"github.com/wippyrun/kit/wippy/service/store"
)

// Deps is what the module works with. Kind returns the kind of the entry with an id, ""
// when there is none; it and Allow may be nil.
type Deps struct {
	Stores *store.Table
	Kind   func(id string) string
	Allow  access.Check
}

// module gives the functions their dependencies and the class of handles.
type module struct {
	Deps
	handles *engine.Class
}

// Module returns the Lua module. Stores that wait need the handler that [Register] adds.
func Module(deps Deps) engine.Module {
	m := &module{Deps: deps}
	return engine.Module{
		Name:    "store",
		Classes: []string{"storage", "io", "nondeterministic"},
		Build: func(b *engine.Builder) error {
			m.handles = b.Type("Store", m.methods(), map[string]lua.LGFunction{"__tostring": handleText})
			b.Func("get", m.open)
			for table, words := range map[string]map[string]string{
				"backend": {"MEMORY": store.BackendMemory, "SQL": store.BackendSQL, "KV_RAFT": store.BackendRaft,
					"KV_CRDT": store.BackendCRDT, "UNKNOWN": "unknown"},
				"consistency": {"LINEARIZABLE": store.Linearizable, "EVENTUAL": store.Eventual, "LOCAL": store.Local,
					"UNKNOWN": "unknown"},
			} {
				t := b.Table(table)
				for name, word := range words {
					t.Value(name, lua.LString(word))
				}
			}
			return nil
		},
	}
}

// operationID is the command that runs one operation of a store that waits.
const operationID dispatch.CommandID = 160

// operation is one of them; its outcome is what run returns.
type operation struct {
	run func(ctx context.Context) (any, error)
}

// CommandID identifies the command.
func (*operation) CommandID() dispatch.CommandID { return operationID }

// Register adds the handler of the module's command. An operation runs on a goroutine of
// its own, with the context of the process; the store bounds how many work at once.
func Register(d *dispatch.Registry) {
	d.Register("store", operationID, dispatch.HandlerFunc(
		func(ctx context.Context, cmd dispatch.Command, tag dispatch.Tag, r dispatch.Receiver) error {
			background.Complete(r, tag, func() (any, error) { return cmd.(*operation).run(ctx) })
			return nil
		}))
}

// handle is the value behind a Store object.
type handle struct {
	id    string
	store store.Store
	owner *engine.Process // who may use it; nil once it is released
}

// open implements store.get(id).
func (m *module) open(L *lua.LState) int {
	p, id := engine.From(L), L.CheckString(1)
	if id == "" {
		return invalid(L, "resource id is required")
	}
	if !m.Allow.Allowed(p, "store.get", id) {
		L.RaiseError("not allowed to access store: %s", id)
	}
	s, err := m.Stores.Get(id)
	if err != nil {
		if m.Kind != nil {
			if kind := m.Kind(id); kind != "" && !strings.HasPrefix(kind, "store.") {
				return invalid(L, "resource is not a store: "+id)
			}
		}
		return engine.PushError(L, engine.NewError(engine.KindInternal, err.Error()).WithCause(err))
	}
	L.Push(m.handles.New(&handle{id: id, store: s, owner: p}))
	return 1
}

func invalid(L *lua.LState, message string) int {
	return engine.PushError(L, engine.NewError(engine.KindInvalid, message))
}

// check returns the handle in argument 1. It belongs to one process or call: its variable
// may live longer, in the program of a function that is called again.
func check(L *lua.LState) *handle { return engine.Check[*handle](L, 1, "store") }

// usable returns the store of a handle unless it was released.
func (h *handle) usable(p *engine.Process) bool { return h.owner == p }

func handleText(L *lua.LState) int {
	text := "store.Store{}"
	if !check(L).usable(engine.From(L)) {
		text = "store.Store{released}"
	}
	L.Push(lua.LString(text))
	return 1
}

func release(L *lua.LState) int {
	check(L).owner = nil
	L.Push(lua.LTrue)
	return 1
}
