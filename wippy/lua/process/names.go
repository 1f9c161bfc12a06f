// SPDX-License-Identifier: Apache-2.0

package process

import (
	"strconv"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
)

// scope says how far a name is known.
type scope int

const (
	anyScope scope = iota - 1 // look everywhere
	local
	eventual
	consistent
	strong
)

// suffix is what the permission actions of a scope end with.
func (s scope) suffix() string {
	switch s {
	case eventual:
		return "eventual"
	case consistent:
		return "consistent"
	case strong:
		return "strong"
	}
	return ""
}

// unavailable is the error of the scopes that need a cluster, nil for the others.
func (s scope) unavailable() error {
	switch s {
	case eventual:
		return engine.NewError(engine.KindInternal, "eventual registry not available")
	case consistent, strong:
		return engine.NewError(engine.KindInternal, "global registry not available")
	}
	return nil
}

func (m *module) names(b *engine.Builder) {
	b.Value("LOCAL", lua.LNumber(local))
	b.Value("EVENTUAL", lua.LNumber(eventual))
	b.Value("CONSISTENT", lua.LNumber(consistent))
	b.Value("STRONG", lua.LNumber(strong))
	b.Func("register", m.registerName)
	b.Func("lookup", m.lookupName)
	b.Func("unregister", m.unregisterName)
}

func scopeOf(v lua.LValue) (scope, bool) {
	n, ok := v.(lua.LNumber)
	if !ok || n != lua.LNumber(int(n)) || n < lua.LNumber(local) || n > lua.LNumber(strong) {
		return 0, false
	}
	return scope(n), true
}

// permission checks an operation on a name; the message for a scope of a cluster names it.
func (m *module) permission(L *lua.LState, p *engine.Process, verb, name string, s scope) (results int, ok bool) {
	action, text := "process.registry."+verb, "not allowed to "+verb+" name"
	if suffix := s.suffix(); suffix != "" {
		action += "." + suffix
		text += " (" + suffix + ")"
	}
	if !m.allowed(p, action, name) {
		return denied(L, text+": "+name), false
	}
	return 0, true
}

// registerName implements process.registry.register(name, pid, scope).
func (m *module) registerName(L *lua.LState) int {
	name := L.CheckString(1)
	p := engine.From(L)
	pid := p.PID()
	switch v := L.Get(2).(type) {
	case *lua.LNilType:
	case lua.LString:
		given, err := relay.ParsePID(string(v))
		if err != nil {
			return invalid(L, "invalid pid")
		}
		pid = given
	default:
		return invalid(L, "pid must be a string")
	}
	s := local
	if v := L.Get(3); v != lua.LNil {
		given, ok := scopeOf(v)
		if !ok {
			return invalid(L, "scope must be a number (process.registry.LOCAL|EVENTUAL|CONSISTENT|STRONG)")
		}
		s = given
	}
	if results, ok := m.permission(L, p, "register", name, s); !ok {
		return results
	}
	if pid != p.PID() && !m.allowed(p, "process.registry.foreign", pid.String()) {
		return denied(L, "not allowed to register foreign pid "+pid.String()+" under name "+strconv.Quote(name))
	}
	if err := s.unavailable(); err != nil {
		return engine.PushError(L, err)
	}
	if err := m.Topology.RegisterName(name, pid); err != nil {
		return engine.PushError(L, err)
	}
	L.Push(lua.LTrue)
	return 1
}

// lookupName implements process.registry.lookup(name, scope).
func (m *module) lookupName(L *lua.LState) int {
	name := L.CheckString(1)
	s := anyScope
	if v := L.Get(2); v != lua.LNil {
		given, ok := scopeOf(v)
		if !ok {
			return invalid(L, "scope must be process.registry.LOCAL|EVENTUAL|CONSISTENT|STRONG")
		}
		s = given
	}
	if err := s.unavailable(); err != nil {
		return engine.PushError(L, err)
	}
	pid, ok := m.Topology.LookupName(name)
	if !ok {
		return engine.PushError(L, engine.NewError(engine.KindNotFound, "name not registered"))
	}
	L.Push(lua.LString(pid.String()))
	return 1
}

// unregisterName implements process.registry.unregister(name, scope).
func (m *module) unregisterName(L *lua.LState) int {
	name := L.CheckString(1)
	s := local
	if v := L.Get(2); v != lua.LNil {
		given, ok := scopeOf(v)
		if !ok {
			return invalid(L, "scope must be a number (process.registry.LOCAL|EVENTUAL|CONSISTENT|STRONG)")
		}
		s = given
	}
	if results, ok := m.permission(L, engine.From(L), "unregister", name, s); !ok {
		return results
	}
	if err := s.unavailable(); err != nil {
		return engine.PushError(L, err)
	}
	L.Push(lua.LBool(m.Topology.UnregisterName(name)))
	return 1
}
