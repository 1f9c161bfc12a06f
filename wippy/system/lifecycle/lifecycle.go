// SPDX-License-Identifier: Apache-2.0

// Package lifecycle is what every process host does when a process begins and ends: names, registration,
// edges to the parent, events.
//
// # Basics
//
// A host calls OnStart after the process was made and before its first step, and OnExit after its last:
//
//	s := &lifecycle.Spawned{PID: pid, Spawn: spawn}
//	err := life.OnStart(ctx, s) // an error refuses the process
//	...
//	life.OnExit(s, value, err)
//
// # Guarantees
//
//   - A process whose name is taken leaves no trace (TestTakenNameLeavesNoTrace).
//   - process.started is published before process.stopped, and both exactly for the processes that were
//     not refused (TestEvents).
//   - A process that ends with the exit sentinel ended normally (TestExitSentinelIsANormalEnd).
package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/processes"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// ErrExit is the exit sentinel: a process or a service that ends with it has ended normally.
var ErrExit = fault.New(fault.Exited, "exit")

// Names of what is published: the topics process.started and process.stopped.
const (
	System      = "process"
	KindStarted = "started"
	KindStopped = "stopped"
)

// Publisher is told about processes. It must not block and may be called concurrently.
type Publisher interface {
	Publish(system, kind, path string, data any)
}

// Spawned is a process of a host.
type Spawned struct {
	// PID is the id of the process.
	PID relay.PID
	// Spawn is what it was started with.
	Spawn processes.Spawn

	started time.Time
}

// Event is the data of process.started and process.stopped; the path of both is the process id.
type Event struct {
	PID    string    `json:"pid"`
	Host   string    `json:"host"`
	Source string    `json:"source"`
	Parent string    `json:"parent,omitempty"`
	Name   string    `json:"name,omitempty"`
	At     time.Time `json:"at"`
	// Duration is how long the process lived and Error why it failed; both only when it stopped.
	Duration time.Duration `json:"duration,omitempty"`
	Error    error         `json:"error,omitempty"`
}

// Observer is told about processes that were not refused, with what they were started with. It is called on
// whatever goroutine starts or runs the process, must not block and must not keep what it is given.
type Observer interface {
	Started(s *Spawned, e *Event)
	Stopped(s *Spawned, e *Event)
}

// Lifecycle keeps topology and observers informed. All methods may be called concurrently. Make one
// with [New].
type Lifecycle struct {
	topo      *topology.Topology
	publisher Publisher
	observer  Observer // nil for none
	log       *slog.Logger
}

// Option changes how [New] sets a life cycle up.
type Option func(*Lifecycle)

// WithLogger sets where edges that could not be made are reported; by default nowhere.
func WithLogger(log *slog.Logger) Option { return func(l *Lifecycle) { l.log = log } }

// WithObserver sets who is told about processes besides the publisher.
func WithObserver(o Observer) Option { return func(l *Lifecycle) { l.observer = o } }

// New returns the life cycle of processes in topo. A nil publisher is told nothing.
func New(topo *topology.Topology, publisher Publisher, opts ...Option) *Lifecycle {
	l := &Lifecycle{topo: topo, publisher: publisher, log: slog.New(slog.DiscardHandler)}
	for _, o := range opts {
		o(l)
	}
	return l
}

// Topology returns the topology the life cycle works on.
func (l *Lifecycle) Topology() *topology.Topology { return l.topo }

// OnStart makes a process known: its id, its name, then what its parent asked for. The error refuses the
// process, whose OnExit must then not be called; it is topology.ErrAlreadyRegistered or
// topology.ErrNameTaken. A parent that has ended meanwhile is no error.
func (l *Lifecycle) OnStart(_ context.Context, s *Spawned) error {
	if err := l.topo.Register(s.PID); err != nil {
		return err
	}
	spawn := &s.Spawn
	if spawn.Name != "" {
		if err := l.topo.RegisterName(spawn.Name, s.PID); err != nil {
			// Nobody has seen the id yet, so nobody is told.
			l.topo.Complete(s.PID, topology.Result{})
			return err
		}
	}
	if spawn.OnExit != nil {
		_, err := l.topo.Watch(s.PID, spawn.OnExit)
		l.report("watch", s, err)
	}
	if !spawn.Parent.IsZero() {
		if spawn.Monitor {
			l.report("monitor", s, l.topo.Monitor(spawn.Parent, s.PID))
		}
		if spawn.Link {
			l.report("link", s, l.topo.Link(spawn.Parent, s.PID))
		}
	}
	s.started = time.Now()
	if l.publisher == nil && l.observer == nil {
		return nil
	}
	ev := l.event(s, s.started)
	if l.publisher != nil {
		l.publisher.Publish(System, KindStarted, s.PID.String(), ev)
	}
	if l.observer != nil {
		l.observer.Started(s, ev)
	}
	return nil
}

func (l *Lifecycle) report(edge string, s *Spawned, err error) {
	if err != nil {
		l.log.Debug("edge to parent not made", "edge", edge, "pid", s.PID.String(), "parent", s.Spawn.Parent.String(), "error", err)
	}
}

// OnExit makes the end of a process known: its names become free, its watchers are told, and it is
// published. The exit sentinel counts as no error. It is called once per process, after its last step.
func (l *Lifecycle) OnExit(s *Spawned, value payload.Payload, err error) {
	if errors.Is(err, ErrExit) {
		err = nil
	}
	if err != nil {
		value = payload.Payload{}
	}
	l.topo.Complete(s.PID, topology.Result{Value: value, Err: err})
	if l.publisher == nil && l.observer == nil {
		return
	}
	now := time.Now()
	ev := l.event(s, now)
	ev.Duration, ev.Error = now.Sub(s.started), err
	if l.publisher != nil {
		l.publisher.Publish(System, KindStopped, s.PID.String(), ev)
	}
	if l.observer != nil {
		l.observer.Stopped(s, ev)
	}
}

func (l *Lifecycle) event(s *Spawned, at time.Time) *Event {
	return &Event{
		PID: s.PID.String(), Host: s.PID.Host(), Source: s.Spawn.Source,
		Parent: s.Spawn.Parent.String(), Name: s.Spawn.Name, At: at,
	}
}
