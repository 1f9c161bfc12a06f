// SPDX-License-Identifier: Apache-2.0

// Package host holds the kinds that run processes: process.host, a scheduler
// with its own workers, and process.service, one process under supervision.
package host

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/wippy/system/factory"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/lifecycle"
	"github.com/wippyrun/kit/wippy/system/processes"
	"github.com/wippyrun/kit/wippy/system/proctable"
	"github.com/wippyrun/kit/wippy/system/security"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// Runtime is what a host needs of the system around it.
type Runtime struct {
	Node      *relay.Node
	Dispatch  *dispatch.Registry
	Factories *factory.Registry
	Lifecycle *lifecycle.Lifecycle
	// Context is what the context of every process answers values from.
	Context context.Context
	Log     *slog.Logger
	// Advise, if set, tells where in the files of the application an error came to
	// be, and what may help against it; either may be "".
	Advise func(err error) (at, hint string)
}

// Host runs processes on a scheduler of its own. It is registered in the relay
// node under its id from Open to Close, and takes processes between Start and
// Stop. All methods may be called concurrently.
type Host struct {
	id     string
	rt     Runtime
	config atomic.Pointer[Config]
	table  *proctable.Table

	running  atomic.Pointer[scheduler.Scheduler] // nil while stopped
	identity atomic.Pointer[appctx.Frame]        // see ActFor
	stopping atomic.Bool
	closed   atomic.Bool

	// Exited, if set, is called after a process has ended and everybody who
	// watched it was told. Failures that it does not report are logged.
	Exited func(pid relay.PID, result any, err error) (reported bool)
}

// New returns a host that does not run yet.
func New(id string, rt Runtime, config Config) *Host {
	h := &Host{id: id, rt: rt, table: proctable.New()}
	h.config.Store(&config)
	return h
}

// Configure changes the number of workers, at once and without touching processes. The rest of the configuration
// is used by the next Run.
func (h *Host) Configure(config Config) error {
	h.config.Store(&config)
	if s := h.running.Load(); s != nil {
		return s.SetWorkers(config.Workers)
	}
	return nil
}

// Open makes the host known to the relay.
func (h *Host) Open() error { return h.rt.Node.Register(h.id, h) }

// Close makes it unknown again. A host is opened and closed once.
func (h *Host) Close() {
	if h.closed.CompareAndSwap(false, true) {
		h.rt.Node.Unregister(h.id)
	}
}

// Run starts the workers. Running already is a Conflict.
func (h *Host) Run() error {
	config := h.config.Load()
	s, err := scheduler.New(scheduler.Config{
		Workers:        config.Workers,
		QueueSize:      config.QueueSize,
		LocalQueueSize: config.LocalQueueSize,
		Dispatch:       h.rt.Dispatch,
		Lifecycle:      proctable.Lifecycle{},
		OnStopping:     proctable.Stopping,
		OnDrop:         proctable.Drop,
	})
	if err != nil {
		return err
	}
	if !h.running.CompareAndSwap(nil, s) {
		return fault.New(fault.Conflict, "host already running").With("host_id", h.id)
	}
	s.Start()
	if now := h.config.Load(); now != config { // it changed meanwhile
		return s.SetWorkers(now.Workers)
	}
	return nil
}

// ActFor makes processes that are started for nobody act for the actor and with the scope of a frame. A nil one takes
// that back.
func (h *Host) ActFor(own *appctx.Frame) { h.identity.Store(own) }

// adopt returns the frame of a process that is started with f.
func (h *Host) adopt(f *appctx.Frame) (*appctx.Frame, error) {
	own := h.identity.Load()
	switch {
	case own == nil || security.ActorOf(f) != nil || security.ScopeOf(f) != nil:
		return f, nil
	case f == nil:
		return own.Propagate(), nil
	case f.Sealed():
		f = f.Fork()
	}
	return f, security.Enter(f, security.ActorOf(own), security.ScopeOf(own))
}

// Halt asks all processes to end, waits for them until ctx ends, then ends the
// rest.
func (h *Host) Halt(ctx context.Context) error {
	s := h.running.Load()
	if s == nil {
		return nil
	}
	h.stopping.Store(true)
	err := s.Stop(ctx)
	h.running.Store(nil)
	h.stopping.Store(false)
	return err
}

// Receive puts a message on the queue of its process. It implements relay.Host.
func (h *Host) Receive(m *relay.Message) error { return h.table.Receive(m) }

// Terminate ends a process without its help.
func (h *Host) Terminate(pid relay.PID) error { return h.table.Terminate(pid) }

// Len counts the processes of the host.
func (h *Host) Len() int { return h.table.Len() }

// Start creates the process of spawn.Source under pid and makes it ready. It
// implements processes.Host.
func (h *Host) Start(ctx context.Context, pid relay.PID, spawn processes.Spawn) (relay.PID, error) {
	s := h.running.Load()
	switch {
	case h.stopping.Load():
		return relay.PID{}, fault.New(fault.Unavailable, "host is shutting down").With("host_id", h.id)
	case s == nil:
		return relay.PID{}, fault.New(fault.Unavailable, "host is not running").With("host_id", h.id)
	}
	var err error
	if spawn.Frame, err = h.adopt(spawn.Frame); err != nil {
		return relay.PID{}, err
	}
	process, method, err := h.rt.Factories.New(ctx, spawn.Source, factory.Request{PID: pid, Frame: spawn.Frame})
	if err != nil {
		return relay.PID{}, err
	}
	processCtx := h.rt.Context
	if spawn.Frame != nil {
		processCtx = appctx.WithFrame(processCtx, spawn.Frame)
	}
	_, err = s.Submit(processCtx, process, scheduler.SubmitOptions{
		Method: method,
		Input:  spawn.Input,
		Value:  &resident{Spawned: lifecycle.Spawned{PID: pid, Spawn: spawn}, host: h},
	})
	if err != nil {
		return relay.PID{}, err
	}
	return pid, nil
}

// resident is a process of the host as its scheduler sees it.
type resident struct {
	lifecycle.Spawned
	host *Host
}

// Started makes the process reachable, registers its name and its edges, and
// queues the messages it was spawned with.
func (r *resident) Started(ctx context.Context, ref *scheduler.Ref) error {
	table := r.host.table
	table.Add(r.PID, ref)
	if err := r.host.rt.Lifecycle.OnStart(ctx, &r.Spawned); err != nil {
		table.Remove(r.PID)
		return err
	}
	for _, m := range r.Spawn.Messages {
		m.To = r.PID
		if err := ref.Send(m); err != nil { // terminated already: the message dies with it
			m.Release()
		}
	}
	r.Spawn.Messages, r.Spawn.Input = nil, nil // not needed again, and a process may live long
	return nil
}

// Ended makes it unreachable and tells those who watched it.
func (r *resident) Ended(result any, err error) {
	h := r.host
	h.table.Remove(r.PID)
	value, _ := result.(payload.Payload)
	level := slog.LevelError
	if err != nil && r.watched() {
		level = slog.LevelWarn
	}
	h.rt.Lifecycle.OnExit(&r.Spawned, value, err)
	switch {
	case h.Exited != nil && h.Exited(r.PID, result, err):
	case err != nil:
		h.rt.Log.Log(context.Background(), level, "process failed", h.Failure(r.PID, r.Spawn.Source, err)...)
	}
}

// watched reports whether somebody will learn of the end: a failure that others
// deal with is less of an event than one nobody hears of.
func (r *resident) watched() bool {
	info, _ := r.host.rt.Lifecycle.Topology().Info(r.PID)
	return r.Spawn.OnExit != nil || len(info.Watchers)+len(info.Links) > 0
}

// Stopping tells the process that its host stops.
func (r *resident) Stopping(ref *scheduler.Ref) {
	m := topology.NewCancel(relay.PID{}, r.PID, "scheduler shutdown")
	if err := ref.Send(m); err != nil {
		m.Release()
	}
}

// Failure is what the log says about a failed process: who, why, where in its
// program, and what may help.
func (h *Host) Failure(pid relay.PID, source string, err error) []any {
	args := append([]any{"pid", pid.String(), "entry", source}, fault.LogArgs(err)...)
	if h.rt.Advise != nil {
		at, hint := h.rt.Advise(err)
		if at != "" {
			args = append(args, "at", at)
		}
		if hint != "" {
			args = append(args, "hint", hint)
		}
	}
	return args
}
