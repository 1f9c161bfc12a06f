// SPDX-License-Identifier: Apache-2.0

// Package session makes the clients of an HTTP server reachable like processes: the long-lived connections of
// WebSockets and event streams.
//
// # Basics
//
// A server is a relay host, whose id is that of its entry. A connection begins a [Session] there, which has a PID and
// a mailbox: programs send messages to it, monitor it and link with it. Whoever serves the connection takes messages
// with Next when Wake says that there are some, and calls End, once.
//
// # Guarantees
//
//   - Sending to a session never waits for its client. A mailbox takes a bounded number of messages; then senders get
//     an error that says so and may try again (TestFullMailbox). Nothing that was taken is dropped while the
//     session lives, and messages of one sender stay in order.
//   - Events about other processes always arrive, however full the mailbox is (TestEventsArriveInAFullMailbox).
//   - A session is known to the topology from Begin to End. When it ends, its monitors get its value (TestLife).
//   - Close ends all sessions and waits until their connections are closed, so that clients can be told; how long
//     those that take nothing may hold it up is bounded (TestClose, TestDrain). None begins afterwards.
//
// # Costs
//
// A session costs its mailbox, which grows with what waits in it, and an entry in two maps. All methods may be
// called concurrently, but for Next, End and Gone, which belong to whoever serves the session.
package session

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// DefaultBuffer is how many messages a mailbox takes, unless the server says otherwise.
const DefaultBuffer = 1024

// DrainTime is how long clients may take, when a server stops, for what they are told then. It is at most half of the
// time that there is for the stop.
const DrainTime = 5 * time.Second

// Errors of Begin and of messages to a session.
var (
	// ErrClosed says that the server is stopping.
	ErrClosed = fault.New(fault.Unavailable, "session host is closed")
	// ErrNotFound says that the session has ended.
	ErrNotFound = fault.New(fault.NotFound, "session not found")
	// ErrFull says that the client is slower than those who send to it.
	ErrFull = fault.New(fault.RateLimited, "session mailbox is full").Transient()
)

// Topology is what sessions need of the system's topology.
type Topology interface {
	Register(relay.PID) error
	Complete(relay.PID, topology.Result) bool
	Monitor(caller, target relay.PID) error
	Unmonitor(caller, target relay.PID)
}

// Runtime is what sessions work with.
type Runtime struct {
	Node       *relay.Node
	Topology   Topology
	Send       func(*relay.Message) error
	Next       func(host string) relay.PID // makes process ids
	Transcoder *payload.Transcoder
	Log        *slog.Logger
}

// Host holds the sessions of one server while it runs. Make one with NewHost.
type Host struct {
	Runtime
	id     string
	buffer int
	open   context.Context // ends with Close
	close  context.CancelFunc
	drain  context.Context // ends when clients have had their time
	cut    context.CancelFunc

	mu          sync.Mutex          // guards all below
	sessions    map[string]*Session // by the unique part of their PID
	connections int                 // of sessions, also of those that have ended
	idle        chan struct{}       // closed when the last connection is, after Close
}

// NewHost returns a host without sessions. buffer bounds their mailboxes; 0 is DefaultBuffer.
func NewHost(id string, buffer int, rt Runtime) *Host {
	if buffer <= 0 {
		buffer = DefaultBuffer
	}
	h := &Host{Runtime: rt, id: id, buffer: buffer, sessions: map[string]*Session{}, idle: make(chan struct{})}
	h.open, h.close = context.WithCancel(context.Background())
	h.drain, h.cut = context.WithCancel(context.Background())
	return h
}

// Drained ends some time after Close began: what is being written to clients may go on until then, and no longer.
func (h *Host) Drained() context.Context { return h.drain }

// Open makes the host known to the node. The error says that its id is taken.
func (h *Host) Open() error { return h.Node.Register(h.id, h) }

// Close tells all sessions to end and waits for their connections, until ctx ends. No session begins afterwards.
func (h *Host) Close(ctx context.Context) error {
	defer h.cut()
	limit := DrainTime
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(deadline)/2)
	}
	defer time.AfterFunc(limit, h.cut).Stop()
	h.mu.Lock()
	if !h.isClosed() {
		h.close()
		if h.connections == 0 {
			close(h.idle)
		}
		for _, s := range h.sessions {
			s.signal()
		}
	}
	h.mu.Unlock()
	defer h.Node.Unregister(h.id)
	select {
	case <-h.idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (h *Host) isClosed() bool { return h.open.Err() != nil }

// Begin begins a session. The error is ErrClosed or one of the topology.
func (h *Host) Begin() (*Session, error) {
	s := &Session{host: h, pid: h.Next(h.id), wake: make(chan struct{}, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.isClosed() {
		return nil, ErrClosed
	}
	if err := h.Topology.Register(s.pid); err != nil {
		return nil, err
	}
	h.sessions[s.pid.Uniq()] = s
	h.connections++
	return s, nil
}

// forget ends the reachability of a session.
func (h *Host) forget(s *Session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sessions, s.pid.Uniq())
}

// gone counts a connection less.
func (h *Host) gone() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.connections--; h.connections == 0 && h.isClosed() {
		close(h.idle)
	}
}

// Len returns the number of sessions.
func (h *Host) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.sessions)
}

// Receive implements relay.Host. The error is ErrNotFound or ErrFull.
func (h *Host) Receive(m *relay.Message) error {
	h.mu.Lock()
	s := h.sessions[m.To.Uniq()]
	h.mu.Unlock()
	if s == nil {
		return ErrNotFound.With("pid", m.To.String())
	}
	return s.put(m)
}

// hostKey is where the context of a request has the host of its server.
type hostKey struct{}

// With returns a context that carries the host.
func With(ctx context.Context, h *Host) context.Context { return context.WithValue(ctx, hostKey{}, h) }

// HostFrom returns the host that a context carries, nil when there is none.
func HostFrom(ctx context.Context) *Host {
	h, _ := ctx.Value(hostKey{}).(*Host)
	return h
}
