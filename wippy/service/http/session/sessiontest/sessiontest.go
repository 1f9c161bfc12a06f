// SPDX-License-Identifier: Apache-2.0

// Package sessiontest is a small system for tests of sessions: a node, a topology, a session host with a server in
// front of it, and processes that are Go code.
package sessiontest

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/http/session"
	"github.com/wippyrun/kit/wippy/system/pidgen"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// ServerID is the id of the session host.
const ServerID = "app:server"

// timeout bounds waits. It is only reached when something is broken.
const timeout = 2 * time.Minute

// System is the system of a test. It is stopped with the test.
type System struct {
	testing.TB
	Node     *relay.Node
	Topology *topology.Topology
	Runtime  session.Runtime
	Host     *session.Host
	pids     *pidgen.Generator
}

// New makes a system whose sessions have mailboxes of that size; 0 is the default.
func New(tb testing.TB, buffer int) *System {
	tb.Helper()
	s := &System{TB: tb, Node: relay.NewNode("test"), pids: pidgen.New("")}
	router := relay.NewRouter(s.Node)
	s.Topology = topology.New(router.Send)
	transcoder := payload.NewDefault()
	engine.New(engine.WithTranscoder(transcoder)) // adds the conversions of Lua values
	s.Runtime = session.Runtime{Node: s.Node, Topology: s.Topology, Send: router.Send, Next: s.pids.Next,
		Transcoder: transcoder, Log: slog.New(slog.DiscardHandler)}
	s.Host = session.NewHost(ServerID, buffer, s.Runtime)
	if err := s.Host.Open(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		if err := s.Host.Close(ctx); err != nil {
			tb.Errorf("sessions are left: %v", err)
		}
	})
	return s
}

// Serve serves h, whose requests find the session host, and returns the URL.
func (s *System) Serve(h http.Handler) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(session.With(r.Context(), s.Host)))
	}))
	s.Cleanup(server.Close)
	return server
}

// Pipes serves h like Serve, on connections without buffers: what the client does not read, the server cannot write.
// The function makes one of a client. It works in a bubble of testing/synctest.
func (s *System) Pipes(h http.Handler, configure ...func(*http.Server)) (dial func() net.Conn) {
	l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: h, BaseContext: func(net.Listener) context.Context { return session.With(context.Background(), s.Host) }}
	for _, c := range configure {
		c(server)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(l) // ends with Close
	}()
	s.Cleanup(func() {
		_ = server.Close()
		<-served
	})
	return func() net.Conn {
		client, conn := net.Pipe()
		l.conns <- conn
		return client
	}
}

// pipes is a listener for connections in memory.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

// Accept implements net.Listener.
func (l *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *pipes) Close() error {
	close(l.closed)
	return nil
}

// Addr implements net.Listener.
func (l *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// Process is a process that is Go code.
type Process struct {
	system *System
	PID    relay.PID
	inbox  chan *relay.Message
}

// Spawn starts a process.
func (s *System) Spawn() *Process {
	s.Helper()
	p := &Process{system: s, inbox: make(chan *relay.Message, 10_000)}
	p.PID = s.pids.Next("app:processes-" + s.pids.Next("n").Uniq())
	if err := s.Node.Register(p.PID.Host(), relay.HostFunc(func(m *relay.Message) error {
		p.inbox <- m
		return nil
	})); err != nil {
		s.Fatal(err)
	}
	if err := s.Topology.Register(p.PID); err != nil {
		s.Fatal(err)
	}
	return p
}

// Exit ends the process.
func (p *Process) Exit(err error) {
	p.system.Node.Unregister(p.PID.Host())
	p.system.Topology.Complete(p.PID, topology.Result{Err: err})
}

// Next waits for a message. It must have that topic.
func (p *Process) Next(topic string) *relay.Message {
	p.system.Helper()
	select {
	case m := <-p.inbox:
		if m.Topic != topic {
			p.system.Fatalf("process got %s %v, wanted %s", m.Topic, m.Payload().Data, topic)
		}
		return m
	case <-time.After(timeout):
		p.system.Fatalf("process waits for %s", topic)
	}
	return nil
}

// Any waits for a message. It may be called on any goroutine; when none comes, the message has no topic.
func (p *Process) Any() *relay.Message {
	select {
	case m := <-p.inbox:
		return m
	case <-time.After(timeout):
		p.system.Error("process waits for a message")
		return &relay.Message{}
	}
}

// Members waits for a message and returns its payload, a table.
func (p *Process) Members(topic string) map[string]any {
	p.system.Helper()
	members, ok := p.Next(topic).Payload().Data.(map[string]any)
	if !ok {
		p.system.Fatalf("%s is no table", topic)
	}
	return members
}

// Joined waits for a client and returns the PID of its session.
func (p *Process) Joined(topic string) relay.PID {
	p.system.Helper()
	m := p.Next(topic)
	members, _ := m.Payload().Data.(map[string]any)
	text, _ := members["client_pid"].(string)
	pid, err := relay.ParsePID(text)
	if err != nil || pid != m.From {
		p.system.Fatalf("%s: client_pid %q comes from %s: %v", topic, text, m.From, err)
	}
	return pid
}

// Quiet reports the messages that are there.
func (p *Process) Quiet() {
	p.system.Helper()
	select {
	case m := <-p.inbox:
		p.system.Errorf("process got %s %v", m.Topic, m.Payload().Data)
	default:
	}
}

// Send sends a message and fails the test when that is not possible.
func (p *Process) Send(to relay.PID, topic string, payloads ...payload.Payload) {
	p.system.Helper()
	if err := p.TrySend(to, topic, payloads...); err != nil {
		p.system.Fatal(err)
	}
}

// TrySend sends a message.
func (p *Process) TrySend(to relay.PID, topic string, payloads ...payload.Payload) error {
	return p.system.Runtime.Send(relay.NewMessage(p.PID, to, topic, payloads...))
}

// Monitor makes the process hear of the end of a session.
func (p *Process) Monitor(pid relay.PID) {
	p.system.Helper()
	if err := p.system.Topology.Monitor(p.PID, pid); err != nil {
		p.system.Fatal(err)
	}
}

// Exited waits for the end of a session that the process monitors and returns its value.
func (p *Process) Exited(pid relay.PID) any {
	p.system.Helper()
	ev := topology.EventOf(p.Next(topology.TopicEvents))
	if ev == nil || ev.Kind != topology.KindExit || ev.From != pid || ev.Result.Err != nil {
		p.system.Fatalf("event %+v", ev)
	}
	return ev.Result.Value.Data
}

// Drain drops the messages that are there.
func (p *Process) Drain() {
	for {
		select {
		case <-p.inbox:
		default:
			return
		}
	}
}
