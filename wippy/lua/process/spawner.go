// SPDX-License-Identifier: Apache-2.0

package process

import (
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/lua/ctxvalues"
	"github.com/wippyrun/kit/wippy/system/frames"
)

func (m *module) spawnerMethods() map[string]lua.LGFunction {
	methods := map[string]lua.LGFunction{
		"with_context": m.withMoreContext,
		"with_options": m.withMoreOptions,
		"with_actor":   m.withActor,
		"with_scope":   m.withScope,
		"with_name":    m.withName,
		"with_message": m.withMessage,
		"exec":         m.spawnerExec,
	}
	for _, v := range variants {
		methods[v.name] = m.spawnerSpawn(v)
	}
	return methods
}

func checkSpawner(L *lua.LState) *spawner { return engine.Check[*spawner](L, 1, "spawner") }

func (m *module) pushSpawner(L *lua.LState, s *spawner) int {
	L.Push(m.spawners.New(s))
	return 1
}

// withContext implements process.with_context(values).
func (m *module) withContext(L *lua.LState) int {
	if !m.allowed(engine.From(L), "process.context", "context") {
		L.RaiseError("not allowed to spawn processes with custom context")
	}
	return m.pushSpawner(L, &spawner{values: ctxvalues.FromTable(L.CheckTable(1))})
}

// withOptions implements process.with_options(options).
func (m *module) withOptions(L *lua.LState) int {
	if !m.allowed(engine.From(L), "process.context", "context") {
		L.RaiseError("not allowed to spawn processes with custom options")
	}
	return m.pushSpawner(L, &spawner{options: m.checkOptions(L, 1)})
}

func (m *module) withMoreContext(L *lua.LState) int {
	s := *checkSpawner(L)
	s.values = frames.Merge(s.values, ctxvalues.FromTable(L.CheckTable(2)))
	return m.pushSpawner(L, &s)
}

func (m *module) withMoreOptions(L *lua.LState) int {
	s := *checkSpawner(L)
	s.options = frames.Merge(s.options, m.checkOptions(L, 2))
	return m.pushSpawner(L, &s)
}

func (m *module) checkOptions(L *lua.LState, n int) map[string]any {
	options := values(L, n)
	if network, ok := options["network"].(string); ok && !m.allowed(engine.From(L), "network.select", network) {
		L.RaiseError("not allowed: network %s", network)
	}
	return options
}

// withActor implements spawner:with_actor(actor).
func (m *module) withActor(L *lua.LState) int {
	s := *checkSpawner(L)
	if L.Get(2) == lua.LNil {
		L.RaiseError("actor cannot be nil")
	}
	s.identity.Actor = access.CheckActor(L, 2)
	return m.withIdentity(L, &s)
}

// withScope implements spawner:with_scope(scope).
func (m *module) withScope(L *lua.LState) int {
	s := *checkSpawner(L)
	if L.Get(2) == lua.LNil {
		L.RaiseError("scope cannot be nil")
	}
	s.identity.Scope = access.CheckScope(L, 2)
	return m.withIdentity(L, &s)
}

func (m *module) withIdentity(L *lua.LState, s *spawner) int {
	if !m.allowed(engine.From(L), "process.security", "security") {
		L.RaiseError("not allowed to spawn processes with custom security context")
	}
	return m.pushSpawner(L, s)
}

// values reads a table of named values.
func values(L *lua.LState, n int) map[string]any {
	all := map[string]any{}
	engine.Unwrap(L.CheckTable(n)).ForEach(func(k, v lua.LValue) {
		all[k.String()] = engine.ToGo(v)
	})
	return all
}

func (m *module) withName(L *lua.LState) int {
	s := *checkSpawner(L)
	if s.name = L.CheckString(2); s.name == "" {
		L.RaiseError("name cannot be empty")
	}
	return m.pushSpawner(L, &s)
}

func (m *module) withMessage(L *lua.LState) int {
	s := *checkSpawner(L)
	q := queued{topic: L.CheckString(2)}
	if strings.HasPrefix(q.topic, "@") {
		L.RaiseError("cannot send to @ topics")
	}
	// Copied now, so that later changes of a table do not reach the message, and again for each spawn.
	q.values = engine.Payloads(L, 3)
	s.messages = append(slices.Clip(s.messages), q)
	return m.pushSpawner(L, &s)
}

// spawnerSpawn makes spawner:spawn and its variants. Unlike the functions of the module they raise when
// arguments are missing or the spawn is not allowed.
func (m *module) spawnerSpawn(v variant) lua.LGFunction {
	missing := v.name + " requires at least id and host arguments"
	return func(L *lua.LState) int {
		s := checkSpawner(L)
		if L.GetTop() < 3 {
			L.RaiseError("%s", missing)
		}
		id, host := L.CheckString(2), L.CheckString(3)
		p := engine.From(L)
		if err := m.mayStart(p, v, id, host); err != nil {
			L.Error(engine.ErrorValue(err), 1)
		}
		return m.start(L, p, v, id, host, s, 4)
	}
}

func (m *module) spawnerExec(L *lua.LState) int {
	s := checkSpawner(L)
	if L.GetTop() < 3 {
		return invalid(L, "exec requires id and host arguments")
	}
	id, host := L.CheckString(2), L.CheckString(3)
	p := engine.From(L)
	if err := m.mayExec(p, id, host); err != nil {
		return engine.PushError(L, err)
	}
	return m.startExec(L, p, id, host, s, 4)
}
