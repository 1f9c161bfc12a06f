// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"slices"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
)

// Mode says in which form messages of a topic arrive on a channel.
type Mode uint8

const (
	// Raw delivers the payload: one value as it is, several as an array, none
	// as nil.
	Raw Mode = iota
	// Messages delivers Message objects.
	Messages
)

// feed is the mailbox side of a channel: the messages that are its, and that it
// cannot take yet.
type feed struct {
	p     *Process
	ch    *Channel
	queue []parked
	at    int
	end   *End // nothing comes any more; the channel closes when the queue is empty
}

// End is the payload of the last message of a subscription, sent by whoever feeds it to a topic that begins with '@'.
// It is not delivered: the channel closes when everything that came before it has been received.
type End struct {
	// Closed, unless nil, is called within the process when the channel closes because of this.
	Closed func()
}

// endOf returns what says that there are no more messages, nil for others.
func endOf(m *relay.Message) *End {
	if !private(m.Topic) || len(m.Payloads) == 0 {
		return nil
	}
	e, _ := m.Payloads[0].Data.(*End)
	return e
}

// parked is a message on hold. seq orders messages by arrival.
type parked struct {
	msg  *relay.Message
	seq  uint32
	mode Mode
}

// route sends a topic to a channel.
type route struct {
	topic string
	feed  *feed
	mode  Mode
}

// indexedRoutes is the number of topics from which a map is worth its memory.
const indexedRoutes = 12

// waiting reports whether messages are on hold.
func (f *feed) waiting() bool { return f.at < len(f.queue) }

// take removes the oldest message on hold and returns its value.
func (f *feed) take() lua.LValue {
	k := f.queue[f.at]
	f.queue[f.at] = parked{}
	f.at++
	if f.at == len(f.queue) {
		if cap(f.queue) > 64 {
			f.queue = nil
		}
		f.queue, f.at = f.queue[:0], 0
	}
	return f.p.deliver(k.msg, k.mode)
}

// drained closes the channel when nothing is on hold and nothing comes any more.
func (f *feed) drained() {
	if f.end == nil || f.waiting() || f.ch.closed {
		return
	}
	f.ch.Close()
	if f.end.Closed != nil {
		f.end.Closed()
	}
}

// put adds a message and hands over what the channel can take.
func (f *feed) put(k parked) {
	if !f.waiting() {
		if w := f.ch.receivers.first; w != nil {
			w.received(f.p.deliver(k.msg, k.mode), true)
			return
		}
	}
	if f.at > 32 && f.at*2 > len(f.queue) {
		f.queue = slices.Delete(f.queue, 0, f.at)
		f.at = 0
	}
	f.queue = append(f.queue, k)
	f.ch.refill()
}

// insert adds a message at its place in the order of arrival.
func (f *feed) insert(k parked) {
	i := len(f.queue)
	for i > f.at && f.queue[i-1].seq > k.seq {
		i--
	}
	f.queue = slices.Insert(f.queue, i, k)
}

// receive routes a message that arrived. The process owns the message.
func (p *Process) receive(m *relay.Message) error {
	if m.Topic == ControlTopic && p.onControl != nil {
		deliver, err := p.onControl(p, m)
		if err != nil {
			return err
		}
		if !deliver {
			m.Release()
			return nil
		}
	}
	if f, mode := p.routeOf(m.Topic); f != nil {
		if end := endOf(m); end != nil {
			m.Release()
			f.end = end
			f.drained()
			return nil
		}
		p.seq++
		f.put(parked{msg: m, seq: p.seq, mode: mode})
	} else {
		p.park(m)
	}
	return nil
}

// private tells whether a topic belongs to one subscription of the runtime. It is subscribed before anything is sent
// to it, so that a message nobody takes comes after the end of the subscription.
func private(topic string) bool {
	return strings.HasPrefix(topic, "@") && topic != ControlTopic
}

// park keeps a message until somebody asks for it.
func (p *Process) park(m *relay.Message) {
	if private(m.Topic) {
		m.Release()
		return
	}
	p.seq++
	r := p.more()
	r.backlog = append(r.backlog, parked{msg: m, seq: p.seq})
}

// routeOf returns the feed that gets the messages of a topic.
func (p *Process) routeOf(topic string) (*feed, Mode) {
	if r := p.findRoute(topic); r != nil {
		return r.feed, r.mode
	}
	if p.inbox != nil && !strings.HasPrefix(topic, "@") {
		return p.inbox, Messages
	}
	return nil, Raw
}

func (p *Process) findRoute(topic string) *route {
	if p.rest != nil && p.rest.index != nil {
		if i, ok := p.rest.index[topic]; ok {
			return &p.routes[i]
		}
		return nil
	}
	for i := range p.routes {
		if p.routes[i].topic == topic {
			return &p.routes[i]
		}
	}
	return nil
}

// reindex brings the map of topics up to date with routes.
func (p *Process) reindex() {
	if len(p.routes) < indexedRoutes {
		if p.rest != nil {
			p.rest.index = nil
		}
		return
	}
	r := p.more()
	r.index = make(map[string]int32, len(p.routes))
	for i := range p.routes {
		r.index[p.routes[i].topic] = int32(i)
	}
}

// feedOf returns the feed of a channel, made on first use.
func (p *Process) feedOf(ch *Channel) *feed {
	if ch.feed == nil {
		ch.feed = &feed{p: p, ch: ch}
	}
	return ch.feed
}

// sortOut gives messages that nobody took so far to those who take them now.
func (p *Process) sortOut() {
	r := p.rest
	if r == nil {
		return
	}
	kept := r.backlog[:0]
	for _, k := range r.backlog {
		if f, mode := p.routeOf(k.msg.Topic); f != nil {
			k.mode = mode
			f.put(k)
		} else {
			kept = append(kept, k)
		}
	}
	clear(r.backlog[len(kept):])
	if r.backlog = kept; len(kept) == 0 {
		r.backlog = nil
	}
}

// Inbox returns the channel of Message objects: every message whose topic has no
// channel of its own and does not begin with '@'.
func (p *Process) Inbox() *Channel {
	if p.inbox == nil {
		p.inbox = p.feedOf(p.NewChannel(0))
		p.sortOut()
	}
	return p.inbox.ch
}

// Events returns the channel of control events.
func (p *Process) Events() *Channel {
	if r := p.findRoute(ControlTopic); r != nil {
		return r.feed.ch
	}
	return p.listen(ControlTopic, 0, Raw)
}

// Listen returns the channel of a topic, as Message objects when asMessage is true.
// A topic has one channel: asking again returns it, in its first form.
func (p *Process) Listen(topic string, asMessage bool) *Channel {
	if r := p.findRoute(topic); r != nil {
		return r.feed.ch
	}
	mode := Raw
	if asMessage {
		mode = Messages
	}
	return p.listen(topic, 1, mode)
}

func (p *Process) listen(topic string, size int, mode Mode) *Channel {
	ch := p.NewChannel(size)
	p.addRoute(topic, ch, mode)
	return ch
}

func (p *Process) addRoute(topic string, ch *Channel, mode Mode) {
	p.routes = append(p.routes, route{topic: topic, feed: p.feedOf(ch), mode: mode})
	p.reindex()
	p.sortOut()
}

// Subscribe feeds the messages of a topic into ch, which may serve several topics.
// The error says that the topic has a channel already (AlreadyExists), or that ch
// is closed (InvalidState).
func (p *Process) Subscribe(topic string, ch *Channel, mode Mode) error {
	if p.findRoute(topic) != nil {
		return NewError(KindAlreadyExists, "topic "+strconv.Quote(topic)+" already subscribed")
	}
	if ch.closed {
		return NewError(KindInvalidState, "channel is closed")
	}
	p.addRoute(topic, ch, mode)
	return nil
}

// Unsubscribe takes ch off the mailbox and closes it. Messages it had not taken,
// and later ones, go where they go without it. The error says that ch is not
// subscribed (NotFound).
func (p *Process) Unsubscribe(ch *Channel) error {
	if ch.feed == nil {
		return NewError(KindNotFound, "channel not found")
	}
	ch.Close()
	return nil
}

// detach ends all routes to a feed.
func (p *Process) detach(f *feed) {
	f.ch.feed = nil
	p.routes = slices.DeleteFunc(p.routes, func(r route) bool { return r.feed == f })
	if p.inbox == f {
		p.inbox = nil
	}
	p.reindex()
	left := f.queue[f.at:]
	f.queue, f.at = nil, 0
	r := p.more()
	for _, k := range left {
		if g, mode := p.routeOf(k.msg.Topic); g != nil {
			k.mode = mode
			g.insert(k)
			g.ch.refill()
		} else if private(k.msg.Topic) {
			k.msg.Release()
		} else {
			r.backlog = append(r.backlog, k)
		}
	}
	slices.SortStableFunc(r.backlog, func(a, b parked) int { return int(int32(a.seq - b.seq)) })
}

// TakeMessages removes and returns the messages nobody has received, in order of
// arrival: what an upgrade passes on.
func (p *Process) TakeMessages() []*relay.Message {
	var held []parked
	if r := p.rest; r != nil {
		held, r.backlog = r.backlog, nil
	}
	feeds := []*feed{}
	if p.inbox != nil {
		feeds = append(feeds, p.inbox)
	}
	for _, r := range p.routes {
		if !slices.Contains(feeds, r.feed) {
			feeds = append(feeds, r.feed)
		}
	}
	for _, f := range feeds {
		held = append(held, f.queue[f.at:]...)
		f.queue, f.at = nil, 0
	}
	slices.SortFunc(held, func(a, b parked) int { return int(int32(a.seq - b.seq)) })
	messages := make([]*relay.Message, len(held))
	for i, k := range held {
		messages[i] = k.msg
	}
	return messages
}

// deliver turns a message into the value a receiver gets, and releases it.
func (p *Process) deliver(m *relay.Message, mode Mode) lua.LValue {
	if mode == Messages {
		return newMessage(m)
	}
	var v lua.LValue = lua.LNil
	switch len(m.Payloads) {
	case 0:
	case 1:
		v = p.value(m.Payloads[0])
	default:
		t := newTable(len(m.Payloads), 0)
		for i, pl := range m.Payloads {
			t.RawSetInt(i+1, p.value(pl))
		}
		v = t
	}
	m.Release()
	return v
}

// value returns what a payload holds; one that cannot be converted becomes the
// error that says why.
func (p *Process) value(pl payload.Payload) (v lua.LValue) {
	if v, ok := pl.Data.(lua.LValue); ok && pl.Format == payload.Lua {
		return v
	}
	defer func() {
		if r := recover(); r != nil {
			v = newErrorValue(panicError("payload", r))
		}
	}()
	v, err := p.engine.FromPayload(pl)
	if err != nil {
		return ErrorValue(err)
	}
	return v
}
