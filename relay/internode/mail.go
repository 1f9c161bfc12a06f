// SPDX-License-Identifier: Apache-2.0

package internode

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/wippyrun/kit/relay"
)

// mail is what goes to and comes from one other node. It outlives connections, of which at
// most one at a time uses it.
type mail struct {
	node     string // of this side
	maxFrame int    // length of a message frame

	mu       sync.Mutex
	out      outbox // guarded by mu
	in       inbox  // guarded by mu
	told     uint64 // guarded by mu; what the other side knows of in.last
	sleeping bool   // guarded by mu; the writer waits for wake

	wake chan struct{} // buffered 1
}

func newMail(node string, maxFrame, maxMessages, maxBytes int) *mail {
	return &mail{
		node:     node,
		maxFrame: maxFrame,
		out:      outbox{maxMessages: maxMessages, maxBytes: maxBytes},
		wake:     make(chan struct{}, 1),
	}
}

// send queues a message, of which it keeps nothing: the caller still owns it. It does not
// wait; the error is ErrQueueFull, ErrPayload or ErrFrameSize.
func (m *mail) send(msg *relay.Message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.out.full() {
		return ErrQueueFull // as it is: refusing has to be cheap
	}
	number, room := m.out.next()
	f, err := appendMessage(beginFrame(room, kindMessage), number, m.node, msg)
	if err == nil {
		f, err = endFrame(f, 0, m.maxFrame)
	}
	if err != nil {
		m.out.recycle(room)
		return err
	}
	m.out.add(f)
	m.rouse()
	return nil
}

// rouse wakes the writer if it sleeps; mu is held.
func (m *mail) rouse() {
	if !m.sleeping {
		return
	}
	m.sleeping = false
	select {
	case m.wake <- struct{}{}:
	default: // one for which a writer before this one did not wait
	}
}

// batchSize is how much is written at once, if there is so much: what fits in a buffer of
// the operating system, and does not keep an ack waiting.
const batchSize = 64 << 10

// outgoing appends what is to be written to batch. When that is nothing, it says that the
// writer sleeps. With beat it is never nothing.
func (m *mail) outgoing(batch []byte, beat bool) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.in.last > m.told && (beat || m.out.unsent() || m.in.last-m.told >= ackEvery) {
		m.told = m.in.last
		batch = appendAck(batch, m.told)
	}
	batch = m.out.take(batch, batchSize)
	if beat && len(batch) == 0 {
		batch, _ = endFrame(beginFrame(batch, kindBeat), 0, maxGreeting) // it has no body
	}
	m.sleeping = len(batch) == 0
	return batch
}

// ackEvery is after how many messages an ack is sent when there is nothing else to say. It
// must be well below what an outbox holds.
const ackEvery = 64

func appendAck(b []byte, number uint64) []byte {
	start := len(b)
	b, _ = endFrame(binary.AppendUvarint(beginFrame(b, kindAck), number), start, maxGreeting) // it is short
	return b
}

// incoming is told of every frame but those of handshakes. It returns a message to be
// delivered, or nil. An error ends the connection.
func (m *mail) incoming(k kind, body []byte) (*relay.Message, error) {
	switch k {
	case kindBeat:
		return nil, nil
	case kindAck:
		d := decoder{rest: body}
		number := d.number()
		if len(d.rest) > 0 {
			d.fail("%d bytes behind the ack", len(d.rest))
		}
		if d.err != nil {
			return nil, d.err
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		return nil, m.out.ack(number)
	case kindMessage:
		number, msg, err := decodeMessage(body)
		if err != nil {
			return nil, err
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		isNew, err := m.in.arrive(number)
		if !isNew {
			msg.Release()
			return nil, err
		}
		if m.in.last-m.told >= ackEvery {
			m.rouse()
		}
		return msg, nil
	case kindRefuse:
		return nil, fmt.Errorf("%w: %q", ErrRefused, body[:min(len(body), maxReason)])
	}
	return nil, fmt.Errorf("%w: %v between messages", ErrMalformed, k)
}

// meet prepares for a new connection, given the hello of the other side and the own one. It
// returns how many messages were lost with the run of the other node before this one.
func (m *mail) meet(own, other hello) (lost int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if renewed(own, other) { // both begin anew
		m.in = inbox{from: other.session}
		m.told = 0
		return m.out.restart(), nil
	}
	// Not in.last: that may have grown since, by what a connection before this one had
	// left to read.
	m.told = own.received
	return 0, m.out.resume(other.received)
}

// introduce fills in what a hello says of the mail so far.
func (m *mail) introduce(h hello) hello {
	m.mu.Lock()
	defer m.mu.Unlock()
	h.node, h.known, h.received = m.node, m.in.from, m.in.last
	return h
}
