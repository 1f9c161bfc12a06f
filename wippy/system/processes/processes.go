// SPDX-License-Identifier: Apache-2.0

// Package processes starts and ends processes by host.
//
// # Basics
//
//	pid, err := manager.Start(ctx, processes.Spawn{Host: "app:processes", Source: "app:worker"})
//	value, err := manager.Exec(ctx, spawn) // start and wait for the result
//	err = manager.Terminate(pid)
//
// The hosts are those of the relay node: a relay host that also implements [Host] can run processes.
//
// # Guarantees
//
//   - A spawn under a name that is taken starts nothing: it returns the process that has the name, which
//     receives the spawn's messages (TestSpawnOrSignal). Of many such spawns at once exactly one starts
//     a process (TestSpawnOrSignalConcurrentSafe).
//   - OnExit is established before the first step of the process, so no ending is missed
//     (TestExecReturnsTheResult).
//   - Messages of a spawn that fails are released (TestFailedSpawnReleasesMessages).
package processes

import (
	"context"
	"errors"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/pidgen"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// Errors of Start, Exec and Terminate.
var (
	// ErrHostNotFound says that the node has no such host; the detail host_id names it.
	ErrHostNotFound = fault.New(fault.NotFound, "host not found").Final()
	// ErrNotAHost says that what has this id receives messages but runs no processes.
	ErrNotAHost = fault.New(fault.Internal, "host does not implement process.Host")
	// ErrForeignNode says that the process lives on another node.
	ErrForeignNode = fault.New(fault.Unavailable, "cannot terminate a process of another node")
	// ErrHostRequired says that Exec was called without a host.
	ErrHostRequired = fault.New(fault.Invalid, "host ID required for process.exec")
)

// Spawn describes a process to start.
type Spawn struct {
	// Host is the id of the host to run it, Source the entry that defines it.
	Host, Source string
	// Input are the arguments.
	Input []payload.Payload
	// Parent is who asks for it. With Monitor and Link the parent learns of its end as after
	// topology.Monitor and topology.Link, established before its first step.
	Parent        relay.PID
	Monitor, Link bool
	// Name, when not empty, is the name it is registered under before its first step.
	Name string
	// Messages are put on its queue before anything else. They come from nobody (From is zero); To is filled
	// in. Start owns them from the moment it is called.
	Messages []*relay.Message
	// Frame holds the values it inherits; nil for none.
	Frame *appctx.Frame
	// OnExit, when not nil, is called once with the way it ended. It runs on the goroutine that ends
	// the process: it must not block.
	OnExit func(topology.Result)

	_ struct{}
}

// Host runs processes. The values registered with the relay node implement it next to relay.Host.
type Host interface {
	// Start makes the process s.Source describes, under pid, with everything s asks for, and returns its id.
	// It calls the life cycle's OnStart before the first step and puts s.Messages on the queue; on error
	// the messages stay with the caller. It may be called concurrently.
	Start(ctx context.Context, pid relay.PID, s Spawn) (relay.PID, error)
	// Terminate ends the process without its help.
	Terminate(pid relay.PID) error
}

// Manager finds the host of a process. All methods may be called concurrently. Make one with [New].
type Manager struct {
	node *relay.Node
	gen  *pidgen.Generator
	topo *topology.Topology
}

// New returns a manager for the hosts of node.
func New(node *relay.Node, gen *pidgen.Generator, topo *topology.Topology) *Manager {
	return &Manager{node: node, gen: gen, topo: topo}
}

// Start starts a process and returns its id, or the id of the process that has the name s.Name already,
// after sending it s.Messages. The error is [ErrHostNotFound], [ErrNotAHost] or the host's own.
func (m *Manager) Start(ctx context.Context, s Spawn) (relay.PID, error) {
	pid, err := m.start(ctx, &s)
	if err != nil {
		for _, msg := range s.Messages {
			msg.Release()
		}
		return relay.PID{}, err
	}
	return pid, nil
}

func (m *Manager) start(ctx context.Context, s *Spawn) (relay.PID, error) {
	host, err := m.host(s.Host)
	if err != nil {
		return relay.PID{}, err
	}
	for {
		if s.Name != "" {
			if holder, ok := m.topo.LookupName(s.Name); ok && m.signal(holder, s) {
				return holder, nil
			}
		}
		pid, err := host.Start(ctx, m.gen.Next(s.Host), *s)
		if s.Name == "" || !errors.Is(err, topology.ErrNameTaken) {
			return pid, err
		}
		// Somebody took the name meanwhile: signal that one, unless it has ended already.
	}
}

// signal gives the messages and the watch of s to an existing process; false when it has just ended.
func (m *Manager) signal(pid relay.PID, s *Spawn) bool {
	if s.OnExit != nil {
		if _, err := m.topo.Watch(pid, s.OnExit); err != nil {
			return false
		}
	} else if !m.topo.Registered(pid) {
		return false
	}
	for _, msg := range s.Messages {
		msg.To = pid
		if err := m.node.Send(msg); err != nil {
			msg.Release() // it ends right now: as if the message had arrived just before
		}
	}
	s.Messages = nil
	return true
}

// Exec starts a process, waits for its end and returns its result. When ctx ends first Exec returns
// its error and the process goes on. It occupies a goroutine; [Manager.ExecAsync] does not.
func (m *Manager) Exec(ctx context.Context, s Spawn) (payload.Payload, error) {
	end := make(chan topology.Result, 1)
	if _, err := m.ExecAsync(ctx, s, func(r topology.Result) { end <- r }); err != nil {
		return payload.Payload{}, err
	}
	select {
	case r := <-end:
		return r.Value, r.Err
	case <-ctx.Done():
		return payload.Payload{}, context.Cause(ctx)
	}
}

// ExecAsync starts a process and calls done with the way it ends, once, and only if ExecAsync returns nil.
// done runs on the goroutine that ends the process and must not block.
func (m *Manager) ExecAsync(ctx context.Context, s Spawn, done func(topology.Result)) (relay.PID, error) {
	if s.Host == "" {
		for _, msg := range s.Messages {
			msg.Release()
		}
		return relay.PID{}, ErrHostRequired
	}
	also := s.OnExit
	s.OnExit = func(r topology.Result) {
		if also != nil {
			also(r)
		}
		done(r)
	}
	return m.Start(ctx, s)
}

// Terminate ends a process without its help. The error is [ErrHostNotFound], [ErrNotAHost],
// [ErrForeignNode] or the host's own.
func (m *Manager) Terminate(pid relay.PID) error {
	if node := pid.Node(); node != "" && node != m.node.Name() {
		return ErrForeignNode.With("pid", pid.String())
	}
	host, err := m.host(pid.Host())
	if err != nil {
		return err
	}
	return host.Terminate(pid)
}

func (m *Manager) host(id string) (Host, error) {
	h, ok := m.node.Host(id)
	if !ok {
		return nil, ErrHostNotFound.With("host_id", id).With("node_id", m.node.Name())
	}
	host, ok := h.(Host)
	if !ok {
		return nil, ErrNotAHost.With("host_id", id)
	}
	return host, nil
}
