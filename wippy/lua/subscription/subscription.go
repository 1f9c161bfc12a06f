// SPDX-License-Identifier: Apache-2.0

// Package subscription brings events that happen anywhere in the runtime to a channel of one process.
//
// The channel holds a bounded number of events; what does not fit waits, in order, in the mailbox of the process. A
// subscription ends with its process.
package subscription

import (
	"strconv"
	"sync/atomic"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/owned"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
)

// Buffer is how many events the channel of a subscription holds.
const Buffer = 64

// last numbers the subscriptions of the program, for their topics.
var last atomic.Uint64

// Subscription is the end of the process. Its methods are called while the process runs, except Deliver.
type Subscription struct {
	Channel *engine.Channel

	pid     relay.PID
	topic   string
	send    func(*relay.Message) error
	stop    func()
	release func() bool
}

// Open subscribes p to events that send carries. system names the source, for whoever looks at messages.
func Open(p *engine.Process, system string, send func(*relay.Message) error) (*Subscription, error) {
	return OpenSize(p, system, Buffer, send)
}

// OpenSize is Open with a channel of that many events.
func OpenSize(p *engine.Process, system string, size int, send func(*relay.Message) error) (*Subscription, error) {
	s := &Subscription{
		Channel: p.NewChannel(size),
		pid:     p.PID(),
		topic:   "@" + system + "/" + strconv.FormatUint(last.Add(1), 10),
		send:    send,
		stop:    func() {},
	}
	if err := p.Subscribe(s.topic, s.Channel, engine.Raw); err != nil {
		return nil, err
	}
	s.release = owned.Add(p, func() { s.stop() })
	return s, nil
}

// OnClose says what ends the source. It is called once.
func (s *Subscription) OnClose(stop func()) { s.stop = stop }

// Deliver sends an event. It may be called from any goroutine and does not block; after the end of the process it does
// nothing. Nobody may change event afterwards. One that is an engine.LuaValuer is asked for its value when the process
// takes it.
func (s *Subscription) Deliver(event any) {
	m := relay.NewMessage(relay.PID{}, s.pid, s.topic, payload.Payload{Format: payload.Go, Data: event})
	if s.send(m) != nil {
		m.Release() // the process is gone; so is its subscription, presently
	}
}

// Finish closes the channel, after what was delivered before has been received: nothing more will come. It may be
// called from any goroutine, as Deliver. The source is not told.
func (s *Subscription) Finish() { s.Deliver(&engine.End{Closed: func() { s.release() }}) }

// Close ends the source, then the channel: events in its buffer can still be received. It may be called again.
func (s *Subscription) Close() {
	if s.release() {
		s.stop()
	}
	s.Channel.Close()
}

// Flush is Close that drops the events in the buffer, too.
func (s *Subscription) Flush() {
	s.Close()
	for s.Channel.Len() > 0 {
		s.Channel.TryReceive()
	}
}
