// SPDX-License-Identifier: Apache-2.0

// Package system is the Lua module system: what the program runs on, and the few things that can be changed
// about it. Every call is immediate and asks for permission: system.read, .control, .gc, .exit or .lock.
//
// Locks belong to this node. They are given back when the process or call that holds them ends. On a node
// with peers there are none, because a lock that other nodes do not honour would be worse.
package system

import (
	"maps"
	"slices"
	"sync"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/service/host"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// Hosts finds the process hosts of this node.
type Hosts interface {
	// Hosts lists them by id.
	Hosts() []*host.Host
	// Host returns one, nil when there is none.
	Host(id string) *host.Host
}

// Supervisor tells the states of services.
type Supervisor interface {
	State(id string) (supervisor.Status, error)
	States() []supervisor.Status
}

// Member is a node.
type Member struct {
	ID, Addr string
	Meta     map[string]string
}

// Cluster tells about this node and the others.
type Cluster interface {
	// Local is this node; it has no address when it does not listen for others.
	Local() Member
	// Others are the nodes it is connected with, by id.
	Others() []Member
	// Alone tells that this node has no others to share locks with.
	Alone() bool
}

// Deps is what the module works with. What is nil is not available to programs.
type Deps struct {
	Hosts      Hosts
	Supervisor Supervisor
	Cluster    Cluster
	// Exit shuts the whole program down and makes it end with an exit code.
	Exit  func(code int)
	Allow access.Check
}

type module struct {
	Deps

	mu    sync.Mutex           // guards locks
	locks map[string]relay.PID // by name, to the holder
}

// Module returns the Lua module.
func Module(d Deps) engine.Module {
	m := &module{Deps: d, locks: map[string]relay.PID{}}
	return engine.Module{Name: "system", Classes: []string{"process", "nondeterministic"}, Build: m.build}
}

func (m *module) build(b *engine.Builder) error {
	b.Func("exit", m.exit)
	b.Func("modules", m.read("modules", m.modules))
	for name, functions := range map[string]map[string]lua.LGFunction{
		"memory": {
			"stats": m.read("memory", memoryStats), "allocated": m.read("memory", allocated),
			"heap_objects": m.read("memory", heapObjects), "get_limit": m.read("memory_limit", memoryLimit),
			"set_limit": m.guarded("system.control", "memory_limit", setMemoryLimit),
		},
		"gc": {
			"collect":     m.guarded("system.gc", "gc", collect),
			"get_percent": m.guarded("system.gc", "gc_percent", percent),
			"set_percent": m.guarded("system.gc", "gc_percent", setPercent),
		},
		"runtime": {
			"goroutines": m.read("goroutines", goroutines), "cpu_count": m.read("cpu", cpuCount), "max_procs": m.maxProcs,
		},
		"process":    {"pid": m.read("pid", pid), "hostname": m.read("hostname", hostname), "cwd": m.read("cwd", cwd)},
		"hosts":      {"list": m.read("hosts", m.hosts), "processes": m.read("hosts", m.processes)},
		"supervisor": {"state": m.read("supervisor", m.state), "states": m.read("supervisor", m.states)},
		"node":       {"id": m.read("node", m.nodeID), "addr": m.read("node", m.nodeAddr), "role": m.read("node", role)},
		"cluster":    {"members": m.read("cluster", m.members), "leader": m.read("cluster", leader), "size": m.read("cluster", m.size)},
		"raft": {
			"is_leader": m.read("raft", noRaft), "is_member": m.read("raft", noRaft), "role": m.read("raft", noRaft),
			"term": m.read("raft", noRaft), "commit_index": m.read("raft", noRaft), "stats": m.read("raft_stats", noRaft),
		},
		"lock": {"acquire": m.acquire, "release": m.release},
	} {
		t := b.Table(name)
		for name, f := range functions {
			t.Func(name, f)
		}
	}
	return nil
}

// answer is what most functions do: return a value or an error.
type answer func(L *lua.LState) (lua.LValue, error)

func (m *module) read(resource string, f answer) lua.LGFunction {
	return m.guarded("system.read", resource, f)
}

func (m *module) guarded(action, resource string, f answer) lua.LGFunction {
	return func(L *lua.LState) int {
		if !m.Allow.Allowed(engine.From(L), action, resource) {
			return engine.PushError(L, invalid("permission denied: "+action+" on "+resource))
		}
		v, err := f(L)
		if err != nil {
			return engine.PushError(L, err)
		}
		L.Push(v)
		L.Push(lua.LNil)
		return 2
	}
}

func invalid(message string) *engine.Error { return engine.NewError(engine.KindInvalid, message) }

func unavailable(message string) *engine.Error {
	return engine.NewError(engine.KindInternal, message)
}

// exit implements system.exit(code?).
func (m *module) exit(L *lua.LState) int {
	code := L.OptInt(1, 0)
	if !m.Allow.Allowed(engine.From(L), "system.exit", "") {
		return engine.PushError(L, invalid("permission denied: system.exit"))
	}
	if m.Exit == nil {
		return engine.PushError(L, unavailable("the program cannot be ended"))
	}
	m.Exit(code)
	L.Push(lua.LTrue)
	return 1
}

// modules lists the Lua modules of this program.
func (m *module) modules(L *lua.LState) (lua.LValue, error) {
	e := engine.From(L).Engine()
	list := L.NewTable()
	names := append(e.Modules(), slices.Collect(maps.Keys(builtin))...)
	slices.Sort(names)
	for _, name := range names {
		info, _ := e.Module(name)
		classes := L.NewTable()
		for _, class := range slices.Concat(info.Classes, builtin[name]) {
			classes.Append(lua.LString(class))
		}
		item := L.NewTable()
		item.RawSetString("name", lua.LString(name))
		item.RawSetString("description", lua.LString(descriptions[name]))
		item.RawSetString("class", classes)
		list.Append(item)
	}
	return list, nil
}

// The supervisor fits as it is.
var _ Supervisor = (*supervisor.Supervisor)(nil)
