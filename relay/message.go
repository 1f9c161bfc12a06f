// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"sync"

	"github.com/wippyrun/kit/relay/payload"
)

// Message is one delivery: a topic and its payloads, from one process to another.
//
// A message has exactly one owner at any time. NewMessage makes the caller the
// owner. Send and Receive pass the ownership on when they return nil; when they
// return an error the caller still owns the message and may send it elsewhere,
// read it or release it. The last owner calls Release, after which nobody may
// touch the message or its Payloads slice. The payloads' data is not recycled:
// it may be kept.
//
// Nothing breaks when a message is never released; it is then garbage like any
// other value. A Message is used through its pointer and must not be copied.
type Message struct {
	// From is the sender, the zero PID when it is anonymous.
	From PID
	// To is the addressee and decides the route.
	To PID
	// Topic says what the message is about.
	Topic string
	// Payloads is the content, in order. It is valid until Release.
	Payloads []payload.Payload
	// Via is what the sender runs on, if it has a use for that: a scheduler that
	// receives the message from one of its own processes can keep both on one
	// worker. It is opaque to the relay, nil by default, and taken out by the host
	// that uses it; it must not outlive the call of Send.
	Via any

	inline   [1]payload.Payload // backing array of Payloads when there is one
	released bool               // written by the owner
}

var messages = sync.Pool{New: func() any { return new(Message) }}

// NewMessage takes a message from the pool and fills it in. The payloads slice is
// copied. With at most one payload it costs no allocation; more payloads cost
// one.
func NewMessage(from, to PID, topic string, payloads ...payload.Payload) *Message {
	m := messages.Get().(*Message)
	m.released = false
	m.From, m.To, m.Topic = from, to, topic
	switch len(payloads) {
	case 0:
		m.Payloads = nil
	case 1:
		m.inline[0] = payloads[0]
		m.Payloads = m.inline[:1:1]
	default:
		m.Payloads = append([]payload.Payload(nil), payloads...)
	}
	return m
}

// Release gives the message back to the pool. Only the final owner calls it,
// once. A second call panics when it can be told apart, which is until the
// message is used again.
func (m *Message) Release() {
	if m.released {
		panic("relay: message released twice")
	}
	*m = Message{released: true}
	messages.Put(m)
}

// Payload returns the first payload, the zero Payload when there is none: most
// messages carry one.
func (m *Message) Payload() payload.Payload {
	if len(m.Payloads) == 0 {
		return payload.Payload{}
	}
	return m.Payloads[0]
}
