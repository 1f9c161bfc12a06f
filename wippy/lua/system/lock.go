// SPDX-License-Identifier: Apache-2.0

package system

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/owned"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/wippy/lua/access"
)

var errNoLocks = unavailable("lock service not available")

// held are the locks of a process, to what gives one back at its end.
type held map[string]func() bool

// heldKey is where a process keeps them.
type heldKey struct{}

// locking checks what both functions ask first.
func (m *module) locking(L *lua.LState) (p *engine.Process, name string, err error) {
	p, name = engine.From(L), L.CheckString(1)
	switch {
	case !m.Allow.Allowed(p, "system.lock", name):
		err = access.Denied("permission denied: system.lock on " + name)
	case m.Cluster == nil || !m.Cluster.Alone():
		err = errNoLocks
	}
	return p, name, err
}

// acquire implements system.lock.acquire(name).
func (m *module) acquire(L *lua.LState) int {
	p, name, err := m.locking(L)
	if err != nil {
		return engine.PushError(L, err)
	}
	if !m.take(name, p.PID()) {
		L.Push(lua.LFalse)
		L.Push(engine.ErrorValue(engine.NewError(engine.KindAlreadyExists, "lock held: "+name)))
		return 2
	}
	mine, _ := p.Local(heldKey{}).(held)
	if mine == nil {
		mine = held{}
		p.SetLocal(heldKey{}, mine)
	}
	mine[name] = owned.Add(p, func() { m.give(name) })
	L.Push(lua.LTrue)
	L.Push(lua.LNil)
	return 2
}

// release implements system.lock.release(name).
func (m *module) release(L *lua.LState) int {
	p, name, err := m.locking(L)
	if err != nil {
		return engine.PushError(L, err)
	}
	mine, _ := p.Local(heldKey{}).(held)
	forget, ok := mine[name]
	if ok {
		delete(mine, name)
		forget()
		m.give(name)
	}
	L.Push(lua.LBool(ok))
	L.Push(lua.LNil)
	return 2
}

func (m *module) take(name string, holder relay.PID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, taken := m.locks[name]; taken {
		return false
	}
	m.locks[name] = holder
	return true
}

func (m *module) give(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.locks, name)
}
