// SPDX-License-Identifier: Apache-2.0

// Package process is the Lua global process: identity, messages, spawning, links, monitors and names.
//
// # Costs
//
// Sending, control operations and names complete at once, without a scheduler round trip: a send copies the
// values once, parses or resolves the destination and puts the message in the target's mailbox. Spawning and
// exec are commands: the calling coroutine waits while the process is created, others go on.
//
// # Control events
//
// [Control] is the hook that a process host plugs into the engine. It turns the topology's events into the
// tables that process.events() delivers, and makes a process fail when a linked one failed, unless it traps links.
package process

import (
	"context"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/system/factory"
	"github.com/wippyrun/kit/wippy/system/processes"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// Topology is what the module needs of the system's topology.
type Topology interface {
	Resolve(dest string) (relay.PID, error)
	Monitor(caller, target relay.PID) error
	Unmonitor(caller, target relay.PID)
	Link(a, b relay.PID) error
	Unlink(a, b relay.PID)
	RegisterName(name string, pid relay.PID) error
	LookupName(name string) (relay.PID, bool)
	UnregisterName(name string) bool
}

// Manager starts and ends processes.
type Manager interface {
	Start(ctx context.Context, s processes.Spawn) (relay.PID, error)
	ExecAsync(ctx context.Context, s processes.Spawn, done func(topology.Result)) (relay.PID, error)
	Terminate(pid relay.PID) error
}

// Factories makes processes of entries.
type Factories interface {
	New(ctx context.Context, id string, r factory.Request) (scheduler.Process, string, error)
}

// Watcher tells processes that their code has changed.
type Watcher interface {
	Watch(id string, pid relay.PID) (stop func())
}

// Deps is what the module works with. Outdated, Allow and Forbidden may be nil. Forbidden reports that a program must not
// do something that needs no permission.
type Deps struct {
	Send      func(*relay.Message) error
	Topology  Topology
	Manager   Manager
	Factories Factories
	Outdated  Watcher
	Allow     access.Check
	Forbidden access.Check
}

// module gives the functions their dependencies.
type module struct {
	Deps
	spawners *engine.Class
}

// Module returns the Lua module. Spawning needs the handlers that [Register] adds.
func Module(deps Deps) engine.Module {
	m := &module{Deps: deps}
	return engine.Module{
		Name:    "process",
		Global:  true,
		Classes: []string{"process", "nondeterministic", "workflow"},
		Build: func(b *engine.Builder) error {
			m.identity(b)
			m.messages(b)
			m.control(b)
			m.names(b.Table("registry"))
			m.spawning(b)
			b.Func("upgrade", m.upgrade)

			events := b.Table("event")
			events.Value("CANCEL", lua.LString(eventCancel))
			events.Value("EXIT", lua.LString(eventExit))
			events.Value("LINK_DOWN", lua.LString(eventLinkDown))
			events.Value("OUTDATED", lua.LString(eventOutdated))
			return nil
		},
	}
}

// allowed asks whether the program may do something. Policies see its PID.
func (m *module) allowed(p *engine.Process, action, resource string) bool {
	return m.Allow == nil || m.Allow(p, action, resource, attributes(p))
}

// attributes are those of all questions, nil when nobody looks at them.
func attributes(p *engine.Process) map[string]any {
	if !access.Restricted(p) {
		return nil
	}
	return map[string]any{"pid": p.PID().String()}
}

// invalid pushes nil and an error of kind Invalid.
func invalid(L *lua.LState, message string) int {
	return engine.PushError(L, engine.NewError(engine.KindInvalid, message))
}

// failed pushes nil and an error of kind Internal with the text of err: what went wrong is told by its message.
func failed(L *lua.LState, err error) int {
	return engine.PushError(L, engine.NewError(engine.KindInternal, err.Error()).WithCause(err))
}

// resolve finds the process a destination means.
func (m *module) resolve(dest string) (relay.PID, error) {
	if strings.HasPrefix(dest, "{") {
		if pid, err := relay.ParsePID(dest); err == nil && !pid.IsZero() {
			return pid, nil
		}
	}
	return m.Topology.Resolve(dest)
}
