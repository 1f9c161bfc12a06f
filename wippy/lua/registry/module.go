// SPDX-License-Identifier: Apache-2.0

// Package registry is the Lua module registry: reading, searching and changing the entries an application
// consists of.
//
// Reading is immediate and always sees one committed version, also while a change is under way. Applying a
// change or moving to another version suspends the calling coroutine until everything the change affects has
// accepted it. Entries arrive as tables {id, kind, meta, data} that belong to the program.
package registry

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/lua/background"
)

// Deps is what the module works with. Allow and Log may be nil.
type Deps struct {
	Registry *registry.Registry
	Allow    access.Check
	Log      *slog.Logger
}

// module gives the functions their dependencies and classes.
type module struct {
	Deps
	versions  *engine.Class
	snapshots *engine.Class
	changes   *engine.Class
	histories *engine.Class
}

// Module returns the Lua module. Changes need the handlers that [Register] adds.
func Module(deps Deps) engine.Module {
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	m := &module{Deps: deps}
	return engine.Module{
		Name:    "registry",
		Classes: []string{"nondeterministic", "storage"},
		Build: func(b *engine.Builder) error {
			m.versions = b.Type("Version", m.versionMethods(), named(func(L *lua.LState) string {
				return "registry.Version{" + checkVersion(L).String() + "}"
			}))
			m.snapshots = b.Type("Snapshot", m.snapshotMethods(), named(func(L *lua.LState) string {
				return "registry.Snapshot{version=" + checkSnapshot(L).Version().String() + "}"
			}))
			m.changes = b.Type("Changes", m.changesMethods(), named(changesText))
			m.histories = b.Type("History", m.historyMethods(), named(func(*lua.LState) string {
				return "registry.History{}"
			}))
			b.Func("get", m.get)
			b.Func("find", m.find)
			b.Func("parse_id", parseID)
			b.Func("snapshot", m.snapshot)
			b.Func("snapshot_at", m.snapshotAt)
			b.Func("current_version", m.currentVersion)
			b.Func("versions", m.allVersions)
			b.Func("history", m.history)
			b.Func("apply_version", m.applyVersion)
			b.Func("build_delta", m.buildDelta)
			return nil
		},
	}
}

func named(text func(L *lua.LState) string) map[string]lua.LGFunction {
	return map[string]lua.LGFunction{"__tostring": func(L *lua.LState) int {
		L.Push(lua.LString(text(L)))
		return 1
	}}
}

func invalid(L *lua.LState, message string) int {
	return engine.PushError(L, engine.NewError(engine.KindInvalid, message))
}

// The commands of the module.
const (
	applyID        dispatch.CommandID = 256
	applyVersionID dispatch.CommandID = 257
)

// applyCommand applies a changeset; its outcome is the new version.
type applyCommand struct{ changes registry.Changeset }

// CommandID identifies the command.
func (*applyCommand) CommandID() dispatch.CommandID { return applyID }

// applyVersionCommand moves to a version.
type applyVersionCommand struct{ version registry.Version }

// CommandID identifies the command.
func (*applyVersionCommand) CommandID() dispatch.CommandID { return applyVersionID }

// Register adds the handlers of the module's commands. A change that was begun is finished even when the
// process that asked for it ends.
func Register(d *dispatch.Registry, r *registry.Registry) {
	d.Register("registry", applyID, dispatch.HandlerFunc(
		func(ctx context.Context, cmd dispatch.Command, tag dispatch.Tag, rec dispatch.Receiver) error {
			background.Complete(rec, tag, func() (any, error) {
				return r.Apply(context.WithoutCancel(ctx), cmd.(*applyCommand).changes)
			})
			return nil
		}))
	d.Register("registry", applyVersionID, dispatch.HandlerFunc(
		func(ctx context.Context, cmd dispatch.Command, tag dispatch.Tag, rec dispatch.Receiver) error {
			background.Complete(rec, tag, func() (any, error) {
				return nil, r.ApplyVersion(context.WithoutCancel(ctx), cmd.(*applyVersionCommand).version)
			})
			return nil
		}))
}

// mayRead asks whether the caller may see an entry.
func (m *module) mayRead(L *lua.LState, id registry.ID) bool {
	return m.Allow == nil || m.Allow.Allowed(engine.From(L), "registry.get", id.String())
}

// pushEntry pushes the entry of an id, or nil and the error.
func (m *module) pushEntry(L *lua.LState, snap registry.Snapshot, text string) int {
	id := registry.ParseID(text)
	if !m.mayRead(L, id) {
		return engine.PushError(L, access.Denied("not allowed to access entry: "+text))
	}
	e, ok := snap.Get(id)
	if !ok {
		return engine.PushError(L, engine.NewError(engine.KindNotFound, "entry not found: "+text))
	}
	L.Push(entryTable(e))
	return 1
}

func (m *module) get(L *lua.LState) int {
	return m.pushEntry(L, m.Registry.Snapshot(), L.CheckString(1))
}

func (m *module) find(L *lua.LState) int {
	return m.pushFound(L, m.Registry.Snapshot(), L.CheckTable(1))
}

// parseID implements registry.parse_id(text).
func parseID(L *lua.LState) int {
	namespace, name, ok := strings.Cut(L.CheckString(1), ":")
	if !ok {
		namespace, name = "", namespace
	}
	t := L.CreateTable(0, 2)
	t.RawSetString("ns", lua.LString(namespace))
	t.RawSetString("name", lua.LString(name))
	L.Push(t)
	return 1
}

// entryTable is an entry as a program sees it.
func entryTable(e registry.Entry) *lua.LTable {
	t := newTable(0, 4)
	t.RawSetString("id", lua.LString(e.ID.String()))
	t.RawSetString("kind", lua.LString(e.Kind))
	if e.Meta == nil {
		t.RawSetString("meta", newTable(0, 0))
	} else {
		t.RawSetString("meta", engine.ToLua(e.Meta))
	}
	if e.Data != nil {
		t.RawSetString("data", engine.ToLua(e.Data))
	}
	return t
}

func entryList(entries []registry.Entry) *lua.LTable {
	list := newTable(len(entries), 0)
	for i, e := range entries {
		list.RawSetInt(i+1, entryTable(e))
	}
	return list
}

// readable drops what the caller may not read and puts the rest in the order of ids.
func (m *module) readable(L *lua.LState, entries []registry.Entry) []registry.Entry {
	if m.Allow != nil {
		entries = slices.DeleteFunc(entries, func(e registry.Entry) bool { return !m.mayRead(L, e.ID) })
	}
	slices.SortFunc(entries, func(a, b registry.Entry) int { return a.ID.Compare(b.ID) })
	return entries
}

// maker only makes tables: CreateTable is a method of a state but does not use it.
var maker *lua.LState

func newTable(items, members int) *lua.LTable { return maker.CreateTable(items, members) }
