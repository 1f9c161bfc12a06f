// SPDX-License-Identifier: Apache-2.0

package process

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/wippy/system/topology"
)

func (m *module) control(b *engine.Builder) {
	b.Func("terminate", m.terminate)
	b.Func("cancel", m.cancel)
	b.Func("monitor", m.edge("monitor", m.Topology.Monitor))
	b.Func("unmonitor", m.edge("unmonitor", always(m.Topology.Unmonitor)))
	b.Func("link", m.edge("link", m.Topology.Link))
	b.Func("unlink", m.edge("unlink", always(m.Topology.Unlink)))
}

func always(op func(a, b relay.PID)) func(a, b relay.PID) error {
	return func(a, b relay.PID) error {
		op(a, b)
		return nil
	}
}

// target resolves the first argument and asks whether the caller may do verb to it. When not ok, the results
// of the call have been pushed.
func (m *module) target(L *lua.LState, p *engine.Process, verb string) (pid relay.PID, results int, ok bool) {
	pid, err := m.resolve(L.CheckString(1))
	if err != nil {
		return pid, engine.PushError(L, err), false
	}
	if !m.allowed(p, "process."+verb, pid.String()) {
		return pid, denied(L, "not allowed to "+verb+": "+pid.String()), false
	}
	return pid, 0, true
}

// edge makes a function that connects the caller with another process.
func (m *module) edge(verb string, op func(caller, target relay.PID) error) lua.LGFunction {
	missing := verb + " requires a destination argument"
	return func(L *lua.LState) int {
		if L.GetTop() < 1 {
			return invalid(L, missing)
		}
		p := engine.From(L)
		pid, results, ok := m.target(L, p, verb)
		if !ok {
			return results
		}
		if err := op(p.PID(), pid); err != nil {
			return failed(L, err)
		}
		L.Push(lua.LTrue)
		return 1
	}
}

func (m *module) terminate(L *lua.LState) int {
	p := engine.From(L)
	pid, results, ok := m.target(L, p, "terminate")
	if !ok {
		return results
	}
	if err := m.Manager.Terminate(pid); err != nil {
		return failed(L, err)
	}
	L.Push(lua.LTrue)
	return 1
}

func (m *module) cancel(L *lua.LState) int {
	if L.GetTop() < 1 {
		return invalid(L, "cancel requires at least destination argument")
	}
	reason := L.OptString(2, "")
	p := engine.From(L)
	pid, results, ok := m.target(L, p, "cancel")
	if !ok {
		return results
	}
	msg := topology.NewCancel(p.PID(), pid, reason)
	if err := m.Send(msg); err != nil {
		msg.Release()
		return failed(L, err)
	}
	L.Push(lua.LTrue)
	return 1
}
