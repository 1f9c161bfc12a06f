// SPDX-License-Identifier: Apache-2.0

package eventbus

import (
	"context"
	"sync"
	"sync/atomic"
)

// Bus delivers events to the subscriptions whose pattern they match. Make it with
// [New] and end it with [Bus.Stop]. Its methods may be called concurrently, and from
// callbacks.
type Bus struct {
	config config

	// The queue between publishers and dispatcher. Its lock is held for moments
	// only, never while foreign code runs.
	mu        sync.Mutex
	actions   []action // guarded by mu; complete actions, in order
	tail      *chunk   // guarded by mu; the chunk that publishers fill; nil before the first event
	from      int      // guarded by mu; first event of tail that is not covered by an action yet
	awake     bool     // guarded by mu; there is a dispatcher, or one was called
	closed    bool     // guarded by mu
	published uint64   // guarded by mu
	rejected  uint64   // guarded by mu
	lastID    uint64   // guarded by mu

	dispatcher dispatcher // used by whoever is the dispatcher
	crew       crew

	aborted atomic.Bool   // what is still queued is to be dropped
	done    chan struct{} // closed when everything published is in the queues of subscriptions

	live       atomic.Int64  // subscriptions that have not ended; counted down before their Done is closed
	dropped    atomic.Uint64 // this and the following: see Stats
	queued     atomic.Uint64
	overflowed atomic.Uint64
	discarded  atomic.Uint64
	panics     atomic.Uint64
}

// action is one item of the dispatcher's queue: a span of events, or, when sub is
// set, a change of subscription, or, when neither is, the order to stop.
type action struct {
	span   span
	sub    *Subscription
	remove bool
}

// New returns a running bus.
func New(opts ...Option) *Bus {
	b := &Bus{config: newConfig(opts), done: make(chan struct{})}
	b.crew.init(b)
	return b
}

// Publish sends an event to every subscription that matches it. It never waits for a
// subscriber: it appends the event to a queue and returns. After [Bus.Stop] the
// event is dropped and counted.
//
// The order of events is that in which Publish calls got hold of the queue; events
// published by one goroutine keep their order.
func (b *Bus) Publish(ev Event) {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		b.dropped.Add(1)
		return
	}
	c := b.tail
	if c == nil || c.n == chunkSize {
		c = b.nextChunk()
	}
	c.events[c.n] = ev
	c.n++
	b.published++
	wake := !b.awake
	b.awake = true
	b.mu.Unlock()
	if wake {
		b.crew.call(toLead)
	}
}

// nextChunk replaces a full tail; mu is held.
func (b *Bus) nextChunk() *chunk {
	if c := b.tail; c != nil {
		b.sealTail()
		c.release()
	}
	b.tail, b.from = newChunk(), 0
	return b.tail
}

// sealTail makes an action of the events of tail that are not covered by one yet;
// mu is held.
func (b *Bus) sealTail() {
	if c := b.tail; c != nil && b.from < c.n {
		c.refs.Add(1)
		b.actions = append(b.actions, action{span: span{chunk: c, from: uint32(b.from), to: uint32(c.n)}})
		b.from = c.n
	}
}

// release gives up a reference to c. When that leaves c with nobody but the bus,
// as its tail, the tail is emptied, so that a bus that falls quiet keeps nothing
// alive.
func (b *Bus) release(c *chunk) {
	if c.release() != 1 {
		return
	}
	b.mu.Lock()
	if b.tail == c && b.from == c.n && c.refs.Load() == 1 {
		c.reset()
		b.from = 0
	}
	b.mu.Unlock()
}

// enqueue appends an action behind everything published so far. It is called with
// mu held and releases it.
func (b *Bus) enqueue(a action) {
	b.sealTail()
	b.actions = append(b.actions, a)
	wake := !b.awake
	b.awake = true
	b.mu.Unlock()
	if wake {
		b.crew.call(toLead)
	}
}

// Subscribe calls handler for every event that matches pattern and is published
// after Subscribe returns, one at a time and in publish order, on a goroutine of the
// subscription. It never waits.
//
// The subscription ends with ctx at the latest. The error is that of ctx if it has
// already ended, [ErrNilHandler], [ErrClosed] or [ErrTooMany].
func (b *Bus) Subscribe(ctx context.Context, pattern Pattern, handler func(Event), opts ...SubscribeOption) (*Subscription, error) {
	if handler == nil {
		return nil, ErrNilHandler
	}
	s := &Subscription{bus: b, pattern: pattern, handle: handler}
	return b.subscribe(ctx, s, opts)
}

// SubscribeChan is [Bus.Subscribe] with a channel. Each event is sent when the
// channel has room; meanwhile later ones wait in the queue of the subscription. The
// channel is never closed by the bus; [Subscription.Done] tells when nothing more
// will be sent. A nil channel gives [ErrNilChannel].
func (b *Bus) SubscribeChan(ctx context.Context, pattern Pattern, ch chan<- Event, opts ...SubscribeOption) (*Subscription, error) {
	if ch == nil {
		return nil, ErrNilChannel
	}
	s := &Subscription{bus: b, pattern: pattern, quit: make(chan struct{})}
	s.handle = s.sendTo(ch)
	return b.subscribe(ctx, s, opts)
}

func (b *Bus) subscribe(ctx context.Context, s *Subscription, opts []SubscribeOption) (*Subscription, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	for _, o := range opts {
		o.applyTo(s)
	}

	b.mu.Lock()
	switch limit := b.config.maxSubscriptions; {
	case b.closed:
		b.rejected++
		b.mu.Unlock()
		return nil, ErrClosed
	case limit > 0 && int(b.live.Load()) >= limit:
		b.rejected++
		b.mu.Unlock()
		return nil, ErrTooMany
	}
	s.reserve()
	b.live.Add(1)
	b.lastID++
	s.id = b.lastID
	b.enqueue(action{sub: s}) // releases mu

	if ctx.Done() != nil {
		detach := context.AfterFunc(ctx, func() { s.end(context.Cause(ctx)) })
		s.mu.Lock()
		if s.ended.Load() {
			detach()
		} else {
			s.detach = detach
		}
		s.mu.Unlock()
	}
	return s, nil
}

// forget takes an ended subscription out of the index, in its turn.
func (b *Bus) forget(s *Subscription) {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return // the dispatcher is past caring
	}
	b.enqueue(action{sub: s, remove: true}) // releases mu
}

// Stop ends the bus. From the moment it is called, [Bus.Publish] drops and
// subscribing fails; what was published before is still delivered. Stop returns nil
// when every subscription has ended and every callback has returned.
//
// If ctx ends first, what is still queued is dropped and counted, all subscriptions
// end, and the cause of ctx's end is returned; callbacks in progress go on, each
// being the last of its subscription. Stop may be called again, to wait once more.
// Called from a callback it waits for that callback, hence until ctx ends.
func (b *Bus) Stop(ctx context.Context) error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
	} else {
		b.closed = true
		b.enqueue(action{}) // releases mu
	}

	select {
	case <-b.crew.gone:
		return nil
	default:
	}
	select {
	case <-b.crew.gone:
		return nil
	case <-ctx.Done():
	}
	b.aborted.Store(true)
	<-b.done // at once: an aborted dispatcher only counts
	// There is no dispatcher any more: the index is nobody's and no longer changes.
	b.dispatcher.index.each(func(s *Subscription) { s.end(ErrClosed) })
	return context.Cause(ctx)
}
