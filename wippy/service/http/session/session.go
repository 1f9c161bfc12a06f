// SPDX-License-Identifier: Apache-2.0

package session

import (
	"sync"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// Session is one connection of a client.
type Session struct {
	host *Host
	pid  relay.PID
	wake chan struct{} // has room for one

	mu    sync.Mutex // guards all below
	queue []*relay.Message
	at    int // of the oldest message in queue
	full  bool
	ended bool
}

// PID returns the address of the session.
func (s *Session) PID() relay.PID { return s.pid }

// Wake receives a value when there may be something for Next or the host is being closed.
func (s *Session) Wake() <-chan struct{} { return s.wake }

func (s *Session) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// put takes over a message.
func (s *Session) put(m *relay.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended:
		return ErrNotFound.With("pid", s.pid.String())
	case len(s.queue)-s.at >= s.host.buffer && m.Topic != topology.TopicEvents:
		if !s.full {
			s.full = true
			s.host.Log.Warn("client is slower than those who send to it", "pid", s.pid.String(), "waiting", len(s.queue)-s.at)
		}
		return ErrFull.With("pid", s.pid.String())
	}
	m.Via = nil // it lives no longer than this call
	if s.at > 32 && s.at*2 > len(s.queue) {
		n := copy(s.queue, s.queue[s.at:])
		clear(s.queue[n:])
		s.queue, s.at = s.queue[:n], 0
	}
	s.queue = append(s.queue, m)
	s.signal()
	return nil
}

// Next takes the oldest message, which the caller then owns. closed tells that the host is being closed: the session
// should end, whatever is left.
func (s *Session) Next() (m *relay.Message, closed bool) {
	if s.host.isClosed() {
		return nil, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at == len(s.queue) {
		s.queue, s.at = nil, 0
		return nil, false
	}
	m = s.queue[s.at]
	s.queue[s.at] = nil
	s.at++
	s.full = s.full && len(s.queue)-s.at > s.host.buffer/2
	return m, false
}

// Monitor makes the session learn, as an event in its mailbox, how target ends.
func (s *Session) Monitor(target relay.PID) error { return s.host.Topology.Monitor(s.pid, target) }

// Unmonitor undoes Monitor.
func (s *Session) Unmonitor(target relay.PID) { s.host.Topology.Unmonitor(s.pid, target) }

// Send sends a message to a process, in the name of the session.
func (s *Session) Send(to relay.PID, topic string, p payload.Payload) error {
	m := relay.NewMessage(s.pid, to, topic, p)
	err := s.host.Send(m)
	if err != nil {
		m.Release()
	}
	return err
}

// End ends the session with a value for those who watch it. Messages that nobody has taken are dropped, as those to
// a process that has ended.
func (s *Session) End(value string) {
	s.mu.Lock()
	s.ended = true
	left := s.queue[s.at:]
	s.queue, s.at = nil, 0
	s.mu.Unlock()
	for _, m := range left {
		m.Release()
	}
	s.host.Topology.Complete(s.pid, topology.Result{Value: payload.New(value)})
	s.host.forget(s)
}

// Gone tells that the connection of the session, which has ended, is closed: the server may end.
func (s *Session) Gone() { s.host.gone() }
