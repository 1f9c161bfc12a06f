// SPDX-License-Identifier: Apache-2.0

// Package security is the Lua module security: who a program works for, what it may do, and tokens that stand for
// both.
//
// Actors, scopes and policies are immutable; a program that makes others gives them to what it calls or spawns. All
// functions complete at once; only the operations of a token store suspend the calling coroutine.
package security

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/system/security"
)

// Directory finds policies.
type Directory interface {
	Policy(id string) (security.Policy, error)
	Group(id string) (*security.Scope, error)
}

// TokenStores finds token stores by the ids of their entries.
type TokenStores interface {
	TokenStore(id string) (security.TokenStore, error)
}

// Deps is what the module works with. Allow may be nil.
type Deps struct {
	Directory Directory
	Tokens    TokenStores
	Allow     access.Check
}

// module gives the functions their dependencies and classes.
type module struct {
	Deps
	actors   *engine.Class
	scopes   *engine.Class
	policies *engine.Class
	stores   *engine.Class
}

// Module returns the Lua module. Token stores need the handlers that [Register] adds.
func Module(deps Deps) engine.Module {
	m := &module{Deps: deps}
	return engine.Module{
		Name:    "security",
		Classes: []string{"security", "nondeterministic"},
		Build: func(b *engine.Builder) error {
			m.actors = b.Type("Actor", map[string]lua.LGFunction{"id": actorID, "meta": actorMeta}, nil)
			m.policies = b.Type("Policy", map[string]lua.LGFunction{"id": policyID, "evaluate": evaluatePolicy}, nil)
			m.scopes = b.Type("Scope", m.scopeMethods(), nil)
			m.stores = b.Type("TokenStore", m.storeMethods(), nil)
			b.Func("actor", m.actor)
			b.Func("scope", m.scope)
			b.Func("can", can)
			b.Func("new_actor", m.newActor)
			b.Func("new_scope", m.newScope)
			b.Func("policy", m.policy)
			b.Func("named_scope", m.namedScope)
			b.Func("token_store", m.tokenStore)
			return nil
		},
	}
}

// actor implements security.actor().
func (m *module) actor(L *lua.LState) int {
	return m.pushActor(L, security.ActorOf(access.Frame(engine.From(L))))
}

// pushActor pushes an actor, nil when there is none.
func (m *module) pushActor(L *lua.LState, a *security.Actor) int {
	if a == nil {
		L.Push(lua.LNil)
	} else {
		L.Push(m.actors.New(a))
	}
	return 1
}

// scope implements security.scope().
func (m *module) scope(L *lua.LState) int {
	return m.pushScope(L, security.ScopeOf(access.Frame(engine.From(L))))
}

func (m *module) pushScope(L *lua.LState, s *security.Scope) int {
	if s == nil {
		L.Push(lua.LNil)
	} else {
		L.Push(m.scopes.New(s))
	}
	return 1
}

// can implements security.can(action, resource, meta).
func can(L *lua.LState) int {
	action, resource, meta := L.CheckString(1), L.CheckString(2), attributes(L, 3)
	L.Push(lua.LBool(security.Can(access.Frame(engine.From(L)), action, resource, meta)))
	return 1
}

// newActor implements security.new_actor(id, meta).
func (m *module) newActor(L *lua.LState) int {
	id, meta := L.CheckString(1), attributes(L, 2)
	if !m.Allow.Allowed(engine.From(L), "security.actor.create", id) {
		L.RaiseError("not allowed to create actor with ID: %s", id)
	}
	return m.pushActor(L, &security.Actor{ID: id, Meta: meta})
}

// newScope implements security.new_scope(policies).
func (m *module) newScope(L *lua.LState) int {
	list := L.OptTable(1, nil)
	if !m.Allow.Allowed(engine.From(L), "security.scope.create", "custom") {
		L.RaiseError("not allowed to create custom scopes")
	}
	var policies []security.Policy
	if list != nil {
		list = engine.Unwrap(list)
		for i := 1; i <= list.Len(); i++ {
			if p, ok := policyOf(list.RawGetInt(i)); ok {
				policies = append(policies, p)
			}
		}
	}
	return m.pushScope(L, security.NewScope(policies...))
}

// policy implements security.policy(id).
func (m *module) policy(L *lua.LState) int {
	id := L.CheckString(1)
	if !m.Allow.Allowed(engine.From(L), "security.policy.get", id) {
		return failed(L, engine.KindInvalid, "permission denied: access policy")
	}
	p, err := m.Directory.Policy(id)
	if err != nil {
		return failed(L, engine.KindInternal, err.Error())
	}
	L.Push(m.policies.New(p))
	L.Push(lua.LNil)
	return 2
}

// namedScope implements security.named_scope(group).
func (m *module) namedScope(L *lua.LState) int {
	id := L.CheckString(1)
	if !m.Allow.Allowed(engine.From(L), "security.policy_group.get", id) {
		return failed(L, engine.KindInvalid, "permission denied: access policy group")
	}
	s, err := m.Directory.Group(id)
	if err != nil {
		return failed(L, engine.KindInternal, err.Error())
	}
	m.pushScope(L, s)
	L.Push(lua.LNil)
	return 2
}

// failed pushes nil and an error; trying again does not help.
func failed(L *lua.LState, kind, message string) int {
	return engine.PushError(L, engine.NewError(kind, message))
}

// attributes reads an optional table of named values as plain data; other keys are left out.
func attributes(L *lua.LState, n int) map[string]any {
	t := L.OptTable(n, nil)
	if t == nil {
		return nil
	}
	return named(t)
}

// named returns the values of a table that have names.
func named(t *lua.LTable) map[string]any {
	all := map[string]any{}
	engine.Unwrap(t).ForEach(func(k, v lua.LValue) {
		if name, ok := k.(lua.LString); ok {
			all[string(name)] = engine.ToGo(v)
		}
	})
	return all
}
