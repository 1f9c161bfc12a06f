// SPDX-License-Identifier: Apache-2.0

package registry

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/lua/access"
)

func checkVersion(L *lua.LState) registry.Version {
	return engine.Check[registry.Version](L, 1, "version")
}

func (m *module) pushVersion(L *lua.LState, v registry.Version) int {
	L.Push(m.versions.New(v))
	return 1
}

func (m *module) currentVersion(L *lua.LState) int {
	return m.pushVersion(L, m.Registry.Current())
}

func (m *module) allVersions(L *lua.LState) int {
	versions, err := m.Registry.Versions()
	if err != nil {
		return engine.PushError(L, err)
	}
	list := L.CreateTable(len(versions), 0)
	for i, v := range versions {
		list.RawSetInt(i+1, m.versions.New(v))
	}
	L.Push(list)
	return 1
}

func (m *module) versionMethods() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"id": func(L *lua.LState) int {
			L.Push(lua.LNumber(checkVersion(L).ID))
			return 1
		},
		"string": func(L *lua.LState) int {
			L.Push(lua.LString(checkVersion(L).String()))
			return 1
		},
		"previous": m.previous,
		"next":     m.next,
	}
}

// previous implements version:previous(): the version this one was made from.
func (m *module) previous(L *lua.LState) int {
	v := checkVersion(L)
	if v.IsRoot() {
		L.Push(lua.LNil)
		return 1
	}
	parent, err := m.Registry.Version(v.Parent)
	if err != nil {
		return engine.PushError(L, err)
	}
	return m.pushVersion(L, parent)
}

// next implements version:next(): the newest version that was made from this one.
func (m *module) next(L *lua.LState) int {
	v := checkVersion(L)
	if made := m.Registry.Children(v); len(made) > 0 {
		return m.pushVersion(L, made[len(made)-1])
	}
	L.Push(lua.LNil)
	return 1
}

// applyVersion implements registry.apply_version(version).
func (m *module) applyVersion(L *lua.LState) int {
	v := checkVersion(L)
	if !m.Allow.Allowed(engine.From(L), "registry.apply_version", "") {
		L.Push(lua.LFalse)
		L.Push(engine.ErrorValue(access.Denied("registry version change is not allowed")))
		return 2
	}
	return engine.Yield(L, &applyVersionCommand{v}, func(_ *lua.LState, _ any, err error) []lua.LValue {
		if err != nil {
			return []lua.LValue{lua.LFalse, engine.ErrorValue(err)}
		}
		return []lua.LValue{lua.LTrue}
	})
}

// history implements registry.history().
func (m *module) history(L *lua.LState) int {
	L.Push(m.histories.New(history{}))
	return 1
}

// history is the value behind History objects: the module knows the registry.
type history struct{}

func checkHistory(L *lua.LState) { engine.Check[history](L, 1, "history") }

func (m *module) historyMethods() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"versions": func(L *lua.LState) int {
			checkHistory(L)
			return m.allVersions(L)
		},
		"get_version": func(L *lua.LState) int {
			checkHistory(L)
			id := L.CheckInt64(2)
			if id < 0 {
				return invalid(L, "invalid version ID")
			}
			v, err := m.Registry.Version(uint64(id))
			if err != nil {
				return engine.PushError(L, err)
			}
			return m.pushVersion(L, v)
		},
		"snapshot_at": func(L *lua.LState) int {
			checkHistory(L)
			return m.pushSnapshotAt(L, engine.Check[registry.Version](L, 2, "version").ID)
		},
	}
}
