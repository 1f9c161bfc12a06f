// SPDX-License-Identifier: Apache-2.0

package security

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/system/security"
)

func actorID(L *lua.LState) int {
	L.Push(lua.LString(access.CheckActor(L, 1).ID))
	return 1
}

// actorMeta implements actor:meta(): a table for the program to own.
func actorMeta(L *lua.LState) int {
	t := L.NewTable()
	for name, v := range access.CheckActor(L, 1).Meta {
		t.RawSetString(name, engine.ToLua(v))
	}
	L.Push(t)
	return 1
}

func checkPolicy(L *lua.LState, n int) security.Policy {
	return engine.Check[security.Policy](L, n, "Policy")
}

// policyOf returns the policy behind a value.
func policyOf(v lua.LValue) (security.Policy, bool) {
	ud, ok := v.(*lua.LUserData)
	if !ok {
		return nil, false
	}
	p, ok := ud.Value.(security.Policy)
	return p, ok
}

func policyID(L *lua.LState) int {
	L.Push(lua.LString(checkPolicy(L, 1).ID()))
	return 1
}

// question reads the arguments of evaluate: actor, action, resource, meta.
func question(L *lua.LState) security.Request {
	return security.Request{Actor: access.CheckActor(L, 2), Action: L.CheckString(3), Resource: L.CheckString(4), Meta: attributes(L, 5)}
}

func evaluatePolicy(L *lua.LState) int {
	L.Push(lua.LString(checkPolicy(L, 1).Evaluate(question(L)).String()))
	return 1
}

func (m *module) scopeMethods() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"with":     m.scopeWith,
		"without":  m.scopeWithout,
		"contains": scopeContains,
		"policies": m.scopePolicies,
		"evaluate": func(L *lua.LState) int {
			L.Push(lua.LString(access.CheckScope(L, 1).Evaluate(question(L)).String()))
			return 1
		},
	}
}

// mayShape asks whether the program may make scopes of others.
func (m *module) mayShape(L *lua.LState, how string) {
	if !m.Allow.Allowed(engine.From(L), "security.scope.create", how) {
		L.RaiseError("not allowed to create custom scopes")
	}
}

func (m *module) scopeWith(L *lua.LState) int {
	s, p := access.CheckScope(L, 1), checkPolicy(L, 2)
	m.mayShape(L, "with")
	return m.pushScope(L, s.With(p))
}

func (m *module) scopeWithout(L *lua.LState) int {
	s, id := access.CheckScope(L, 1), checkPolicyID(L, 2)
	m.mayShape(L, "without")
	return m.pushScope(L, s.Without(id))
}

func scopeContains(L *lua.LState) int {
	L.Push(lua.LBool(access.CheckScope(L, 1).Contains(checkPolicyID(L, 2))))
	return 1
}

// checkPolicyID reads a policy, its id, or a table {ns, name}.
func checkPolicyID(L *lua.LState, n int) string {
	v := L.Get(n)
	if p, ok := policyOf(v); ok {
		return p.ID()
	}
	switch v := v.(type) {
	case lua.LString:
		return string(v)
	case *lua.LTable:
		v = engine.Unwrap(v)
		namespace, _ := v.RawGetString("ns").(lua.LString)
		name, ok := v.RawGetString("name").(lua.LString)
		if ok {
			return registry.ID{Namespace: string(namespace), Name: string(name)}.String()
		}
	}
	L.ArgError(n, "Policy, id or {ns, name} expected, got "+v.Type().String())
	return ""
}

// scopePolicies implements scope:policies(), in the order of ids.
func (m *module) scopePolicies(L *lua.LState) int {
	policies := access.CheckScope(L, 1).Policies()
	t := L.CreateTable(len(policies), 0)
	for i, p := range policies {
		t.RawSetInt(i+1, m.policies.New(p))
	}
	L.Push(t)
	return 1
}
