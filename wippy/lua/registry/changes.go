// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"fmt"
	"slices"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/lua/access"
)

// changes is the value behind Changes objects: a changeset in the making. It belongs to one process.
type changes struct{ ops registry.Changeset }

func checkChanges(L *lua.LState) *changes { return engine.Check[*changes](L, 1, "changes") }

func changesText(L *lua.LState) string {
	return fmt.Sprintf("registry.Changes{ops=%d}", len(checkChanges(L).ops))
}

func (m *module) changesMethods() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"create": addEntry((*registry.Changeset).CreateEntry),
		"update": addEntry((*registry.Changeset).UpdateEntry),
		"delete": deleteEntry,
		"ops": func(L *lua.LState) int {
			L.Push(opList(checkChanges(L).ops))
			return 1
		},
		"apply": m.apply,
	}
}

func addEntry(add func(*registry.Changeset, registry.Entry)) lua.LGFunction {
	return func(L *lua.LState) int {
		c := checkChanges(L)
		e, err := readEntry(L.CheckTable(2))
		if err != nil {
			return engine.PushError(L, err)
		}
		add(&c.ops, e)
		L.Push(L.Get(1))
		return 1
	}
}

func deleteEntry(L *lua.LState) int {
	c := checkChanges(L)
	id, ok, _ := readID(L.Get(2))
	if !ok {
		return invalid(L, "invalid ID format")
	}
	c.ops.DeleteEntry(id)
	L.Push(L.Get(1))
	return 1
}

// apply implements changes:apply().
func (m *module) apply(L *lua.LState) int {
	c := checkChanges(L)
	if !m.Allow.Allowed(engine.From(L), "registry.apply", "") {
		return engine.PushError(L, access.Denied("not allowed to apply registry changes"))
	}
	if len(c.ops) == 0 {
		return invalid(L, "no changes to apply")
	}
	return engine.Yield(L, &applyCommand{slices.Clone(c.ops)}, func(_ *lua.LState, data any, err error) []lua.LValue {
		if err != nil {
			failure := engine.WrapError(err)
			if failure.Kind() != engine.KindInternal {
				failure = engine.NewError(engine.KindInternal, err.Error()).WithCause(err)
			}
			return []lua.LValue{lua.LNil, engine.ErrorValue(failure)}
		}
		return []lua.LValue{m.versions.New(data.(registry.Version))}
	})
}
