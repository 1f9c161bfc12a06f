// SPDX-License-Identifier: Apache-2.0

// Package luatest runs Lua snippets as real processes, for the tests of Lua modules: an engine, a scheduler, a
// process host, topology, event bus and function registry, wired like the runtime wires them but without
// entries, services and files.
package luatest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/eventbus"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/wippy/service/host"
	"github.com/wippyrun/kit/wippy/system/factory"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/functions"
	"github.com/wippyrun/kit/wippy/system/lifecycle"
	"github.com/wippyrun/kit/wippy/system/pidgen"
	"github.com/wippyrun/kit/wippy/system/processes"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// Host is the id of the process host of a System.
const Host = "app:processes"

// timeout bounds one snippet. It is only reached when something is broken.
const timeout = 2 * time.Minute

// System is a small runtime. Its parts may be used directly.
type System struct {
	Engine    *engine.Engine
	Dispatch  *dispatch.Registry
	Node      *relay.Node
	Router    *relay.Router
	Bus       *eventbus.Bus
	Topology  *topology.Topology
	PIDs      *pidgen.Generator
	Factories *factory.Registry
	Processes *processes.Manager
	Functions *functions.Registry
	// Process holds what every process is made with.
	Process engine.ProcessOptions
	// Frame, when not nil, is the frame of processes that are started without one.
	Frame *appctx.Frame

	tb testing.TB
}

// New makes a system and starts it. setup registers modules and command handlers. It is stopped with the test.
func New(tb testing.TB, setup func(*System)) *System {
	tb.Helper()
	s := &System{
		Engine:    engine.New(),
		Dispatch:  dispatch.NewRegistry(),
		Node:      relay.NewNode("test"),
		Bus:       eventbus.New(),
		PIDs:      pidgen.New(""),
		Factories: factory.New(),
		Functions: functions.New(),
		tb:        tb,
	}
	s.Router = relay.NewRouter(s.Node)
	s.Topology = topology.New(s.Router.Send)
	s.Processes = processes.New(s.Node, s.PIDs, s.Topology)
	setup(s)
	s.Engine.Seal()
	s.Dispatch.Freeze()

	h := host.New(Host, host.Runtime{
		Node:      s.Node,
		Dispatch:  s.Dispatch,
		Factories: s.Factories,
		Lifecycle: lifecycle.New(s.Topology, nil),
		Context:   context.Background(),
		Log:       slog.New(slog.DiscardHandler),
	}, host.Default())
	if err := h.Open(); err != nil {
		tb.Fatal(err)
	}
	if err := h.Run(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		// Processes that a test left running end with an error, not with a wait.
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = h.Halt(ended)
		h.Close()
		_ = s.Bus.Stop(context.Background())
	})
	return s
}

// Register adds a module; it fails the test when that is not possible.
func (s *System) Register(modules ...engine.Module) {
	s.tb.Helper()
	for _, m := range modules {
		if err := s.Engine.Register(m); err != nil {
			s.tb.Fatal(err)
		}
	}
}

// Define makes source the process entry id. It may use all registered modules.
func (s *System) Define(id, source string) {
	s.tb.Helper()
	program, err := s.Engine.Link(engine.ProgramSpec{ID: id, Source: source, Modules: s.Engine.Modules()})
	if err != nil {
		s.tb.Fatal(err)
	}
	s.Factories.Register(id, func(_ context.Context, r factory.Request) (scheduler.Process, string, error) {
		o := s.Process
		o.Program, o.PID, o.Value, o.Messages = program, r.PID, r.Frame, r.Messages
		if r.Frame == nil {
			o.Value = s.Frame
		}
		return s.Engine.NewProcess(o), "", nil
	})
}

// DefineFunction makes source the function id. Each call runs in a process of its own.
func (s *System) DefineFunction(id, source string) {
	s.tb.Helper()
	s.Define(id, source)
	s.Functions.Register(id, func(ctx context.Context, task functions.Task, done functions.Done) func() {
		spawn := processes.Spawn{Host: Host, Source: id, Input: task.Input}
		if task.Frame != nil {
			spawn.Frame = task.Frame.Fork()
		}
		pid, err := s.Processes.ExecAsync(ctx, spawn, func(r topology.Result) {
			if fault.KindOf(r.Err) == fault.Internal && r.Err.Error() == "process terminated" {
				r.Err = fault.New(fault.Canceled, "context canceled")
			}
			done(r.Value, r.Err)
		})
		if err != nil {
			done(payload.Payload{}, err)
			return func() {}
		}
		return func() { _ = s.Processes.Terminate(pid) }
	}, nil)
}

// Run runs the body of a function as a process and returns its first result as plain Go data. The arguments are
// available as "...".
func (s *System) Run(body string, args ...any) (any, error) {
	s.tb.Helper()
	const id = "app:test"
	s.Define(id, "return { main = function(...) "+body+"\nend }")
	input := make([]payload.Payload, len(args))
	for i, arg := range args {
		input[i] = payload.New(arg)
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	result, err := s.Processes.Exec(ctx, processes.Spawn{Host: Host, Source: id, Input: input})
	if err != nil {
		return nil, err
	}
	v, err := s.Engine.FromPayload(result)
	if err != nil {
		return nil, err
	}
	return engine.ToGo(v), nil
}

// Check runs the body, which asserts what it expects, and fails the test with its error.
func (s *System) Check(tb testing.TB, body string, args ...any) {
	tb.Helper()
	if _, err := s.Run(body, args...); err != nil {
		tb.Errorf("%v\n%s", err, body)
	}
}
