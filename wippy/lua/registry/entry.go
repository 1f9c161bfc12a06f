// SPDX-License-Identifier: Apache-2.0

package registry

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/registry"
)

// readID reads an id given as "namespace:name" or as {ns = …, name = …}.
func readID(v lua.LValue) (registry.ID, bool, string) {
	switch v := v.(type) {
	case lua.LString:
		id := registry.ParseID(string(v))
		return id, id.Namespace != "" && id.Name != "", "entry must have valid id field"
	case *lua.LTable:
		t := engine.Unwrap(v)
		namespace, _ := t.RawGetString("ns").(lua.LString)
		name, _ := t.RawGetString("name").(lua.LString)
		return registry.NewID(string(namespace), string(name)), namespace != "" && name != "",
			"id requires ns and name fields"
	}
	return registry.ID{}, false, "entry must have valid id field"
}

// readEntry reads an entry table.
func readEntry(t *lua.LTable) (registry.Entry, error) {
	t = engine.Unwrap(t)
	id, ok, problem := readID(t.RawGetString("id"))
	if !ok {
		return registry.Entry{}, engine.NewError(engine.KindInvalid, problem)
	}
	kind, _ := t.RawGetString("kind").(lua.LString)
	if kind == "" {
		return registry.Entry{}, engine.NewError(engine.KindInvalid, "entry must have kind field")
	}
	e := registry.Entry{ID: id, Kind: string(kind)}
	if meta, ok := engine.ToGo(t.RawGetString("meta")).(map[string]any); ok {
		e.Meta = meta
	}
	if data := t.RawGetString("data"); data != lua.LNil {
		e.Data = engine.ToGo(data)
	}
	return e, nil
}

// readEntries reads a list of entry tables.
func readEntries(t *lua.LTable) ([]registry.Entry, error) {
	t = engine.Unwrap(t)
	entries := make([]registry.Entry, 0, t.Len())
	for i := 1; i <= t.Len(); i++ {
		item, ok := t.RawGetInt(i).(*lua.LTable)
		if !ok {
			return nil, engine.NewError(engine.KindInvalid, "entry must have valid id field")
		}
		e, err := readEntry(item)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// opList is a changeset as a program sees it.
func opList(changes registry.Changeset) *lua.LTable {
	list := newTable(len(changes), 0)
	for i, op := range changes {
		t := newTable(0, 2)
		t.RawSetString("kind", lua.LString(op.Kind))
		t.RawSetString("entry", entryTable(op.Entry))
		list.RawSetInt(i+1, t)
	}
	return list
}

// buildDelta implements registry.build_delta(from, to).
func (m *module) buildDelta(L *lua.LState) int {
	from, err := readEntries(L.CheckTable(1))
	if err != nil {
		return engine.PushError(L, err)
	}
	to, err := readEntries(L.CheckTable(2))
	if err != nil {
		return engine.PushError(L, err)
	}
	L.Push(opList(m.Registry.BuildDelta(from, to)))
	return 1
}

// pushFound pushes the entries of a snapshot that match a filter.
func (m *module) pushFound(L *lua.LState, snap registry.Snapshot, filter *lua.LTable) int {
	query := map[string]any{}
	m.flatten(query, engine.Unwrap(filter))
	L.Push(entryList(m.readable(L, snap.Find(query))))
	return 1
}

// flatten reads a filter. The keys of a nested table count as keys of the filter.
func (m *module) flatten(query map[string]any, filter *lua.LTable) {
	filter.ForEach(func(k, v lua.LValue) {
		key, ok := k.(lua.LString)
		if !ok {
			return
		}
		if t, ok := v.(*lua.LTable); ok && engine.Unwrap(t).Len() == 0 {
			m.flatten(query, engine.Unwrap(t))
			return
		}
		query[string(key)] = engine.ToGo(v)
	})
}
