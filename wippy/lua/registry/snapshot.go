// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"slices"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/registry"
)

func checkSnapshot(L *lua.LState) registry.Snapshot {
	return engine.Check[registry.Snapshot](L, 1, "snapshot")
}

func (m *module) snapshot(L *lua.LState) int {
	L.Push(m.snapshots.New(m.Registry.Snapshot()))
	return 1
}

// snapshotAt implements registry.snapshot_at(version).
func (m *module) snapshotAt(L *lua.LState) int {
	id := L.CheckInt64(1)
	if id <= 0 {
		return invalid(L, "invalid version ID")
	}
	return m.pushSnapshotAt(L, uint64(id))
}

func (m *module) pushSnapshotAt(L *lua.LState, id uint64) int {
	v, err := m.Registry.Version(id)
	if err != nil {
		return engine.PushError(L, err)
	}
	snap, err := m.Registry.SnapshotAt(v)
	if err != nil {
		return engine.PushError(L, err)
	}
	L.Push(m.snapshots.New(snap))
	return 1
}

func (m *module) snapshotMethods() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"entries": func(L *lua.LState) int {
			L.Push(entryList(m.readable(L, slices.Collect(checkSnapshot(L).All()))))
			return 1
		},
		"get":  func(L *lua.LState) int { return m.pushEntry(L, checkSnapshot(L), L.CheckString(2)) },
		"find": func(L *lua.LState) int { return m.pushFound(L, checkSnapshot(L), L.CheckTable(2)) },
		"namespace": func(L *lua.LState) int {
			entries := slices.Collect(checkSnapshot(L).Namespace(L.CheckString(2)))
			L.Push(entryList(m.readable(L, entries)))
			return 1
		},
		"version": func(L *lua.LState) int { return m.pushVersion(L, checkSnapshot(L).Version()) },
		"changes": func(L *lua.LState) int {
			checkSnapshot(L)
			L.Push(m.changes.New(&changes{}))
			return 1
		},
	}
}
