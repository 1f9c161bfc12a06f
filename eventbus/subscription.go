// SPDX-License-Identifier: Apache-2.0

package eventbus

import (
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Subscription is the right to receive the events of one pattern. It is made by
// [Bus.Subscribe] and [Bus.SubscribeChan] and ends with [Subscription.Close], with
// its context, with the bus, or by its overflow policy.
//
// A subscription has a queue of its own and is served by a goroutine of its own for
// as long as its callback is busy, so nothing a subscriber does delays another. Its methods may
// be called concurrently and from its own callback.
type Subscription struct {
	bus     *Bus
	id      uint64
	pattern Pattern
	handle  func(Event)

	ended   atomic.Bool // set once, under mu; delivery looks at it before each event
	dropped atomic.Uint64

	mu        sync.Mutex
	queue     queue         // guarded by mu
	running   bool          // guarded by mu; with the crew, waiting to be served or served
	finishing bool          // guarded by mu; ends when the queue is empty
	err       error         // guarded by mu; why it ended
	done      chan struct{} // guarded by mu; made when first asked for
	detach    func() bool   // guarded by mu; ends the watch over the context

	// quit is closed when the subscription ends; nil for a callback. It frees a
	// delivery that waits for the channel.
	quit chan struct{}

	// Owned by the goroutine that serves the subscription; there is at most one.
	batch      []span
	position   int // in batch
	batchLimit int // constant; 0 means no limit

	// Owned by the dispatcher.
	staged []span // events found for it in the span being dispatched
	leaf   *node  // its place in the index
	place  int
}

// ID returns an identifier that is unique on the bus, such as "sub.7".
func (s *Subscription) ID() string { return fmt.Sprintf("sub.%d", s.id) }

// Pattern returns the pattern that was subscribed to.
func (s *Subscription) Pattern() Pattern { return s.pattern }

// Dropped returns how many events the overflow policy has dropped, including those
// that waited when it ended the subscription.
func (s *Subscription) Dropped() uint64 { return s.dropped.Load() }

// Pending returns how many events wait in the queue, not counting those that are
// already with the delivery goroutine.
func (s *Subscription) Pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queue.size
}

// Close ends the subscription. It does not wait: a callback in progress goes on,
// but it is the last one; events that wait are discarded. To wait for that callback
// receive from [Subscription.Done] (not from inside it). Closing twice does nothing.
func (s *Subscription) Close() { s.end(ErrUnsubscribed) }

// Done returns a channel that is closed when the subscription has ended and its
// last callback has returned.
func (s *Subscription) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done == nil {
		s.done = make(chan struct{})
		if s.ended.Load() && !s.running {
			close(s.done)
		}
	}
	return s.done
}

// Err returns nil while the subscription lives, and then why it ended:
// [ErrUnsubscribed], [ErrClosed], [ErrOverflow] or the cause of its context's end.
func (s *Subscription) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// end ends the subscription now; events that wait are discarded.
func (s *Subscription) end(reason error) int {
	s.mu.Lock()
	if s.ended.Load() {
		s.mu.Unlock()
		return 0
	}
	waiting, discarded := s.queue.clear()
	s.endLocked(reason)
	s.mu.Unlock()
	for _, sp := range waiting {
		s.bus.release(sp.chunk)
	}
	s.bus.forget(s)
	return discarded
}

// endLocked marks the subscription as ended; mu is held. Bus.forget has to follow.
func (s *Subscription) endLocked(reason error) {
	s.err = reason
	s.ended.Store(true)
	s.bus.live.Add(-1)
	if s.quit != nil {
		close(s.quit)
	}
	if s.detach != nil {
		s.detach()
		s.detach = nil
	}
	if s.done != nil && !s.running {
		close(s.done)
	}
}

// finish ends the subscription after the events that wait are delivered. Called by
// the dispatcher when the bus stops.
func (s *Subscription) finish() {
	s.mu.Lock()
	s.finishing = true
	over := !s.running && !s.ended.Load()
	if over {
		s.endLocked(ErrClosed)
	}
	s.mu.Unlock()
	if over {
		s.bus.forget(s)
	}
}

// stage notes, for accept, that the events [from, to) of c are for s. It reports
// whether that took a reference, and whether it was the first of this round. Called
// by the dispatcher.
func (s *Subscription) stage(c *chunk, from, to uint32) (added, first bool) {
	if n := len(s.staged); n > 0 {
		if last := &s.staged[n-1]; last.to == from {
			last.to = to
			return false, false
		}
		s.staged = append(s.staged, span{chunk: c, from: from, to: to})
		return true, false
	}
	s.staged = append(s.staged, span{chunk: c, from: from, to: to})
	return true, true
}

// accept moves the staged events to the queue. It reports whether the subscription
// has to be given to the crew. Called by the dispatcher.
func (s *Subscription) accept() (ready bool) {
	s.mu.Lock()
	if s.ended.Load() {
		s.mu.Unlock()
		for _, sp := range s.staged {
			sp.chunk.release()
		}
		s.staged = s.staged[:0]
		return false
	}
	dropped, ok := s.queue.push(s.staged)
	s.staged = s.staged[:0]
	if dropped > 0 {
		s.dropped.Add(uint64(dropped))
	}
	if !ok {
		s.endLocked(ErrOverflow)
		s.mu.Unlock()
		s.bus.forget(s)
		return false
	}
	ready = !s.running
	s.running = true
	s.mu.Unlock()
	return ready
}

// serve delivers until the queue is empty. Called by a goroutine of the crew.
func (s *Subscription) serve() {
	for s.position < len(s.batch) || s.next() {
		s.drain()
	}
}

// next fetches the next batch. It reports false when there is none; the subscription
// is then no longer the goroutine's to serve.
func (s *Subscription) next() bool {
	s.position = 0
	s.mu.Lock()
	s.batch = s.queue.take(s.batch[:0], s.batchLimit)
	if len(s.batch) > 0 {
		s.mu.Unlock()
		return true
	}
	s.queue.trim()
	if cap(s.batch) > idleSpans {
		s.batch = nil
	}
	s.running = false
	over := s.finishing && !s.ended.Load()
	if over {
		s.endLocked(ErrClosed)
	} else if s.ended.Load() && s.done != nil {
		close(s.done)
	}
	s.mu.Unlock()
	if over {
		s.bus.forget(s)
	}
	return false
}

// drain delivers the batch. After a panic it is called again and goes on with the
// event that follows: the position is moved before each call.
func (s *Subscription) drain() {
	defer s.contain()
	for s.position < len(s.batch) {
		sp := &s.batch[s.position]
		for sp.from < sp.to {
			if s.ended.Load() {
				break
			}
			ev := &sp.chunk.events[sp.from]
			sp.from++
			s.handle(*ev)
		}
		c := sp.chunk
		*sp = span{}
		s.position++
		s.bus.release(c)
	}
}

// contain reports a panic of the callback.
func (s *Subscription) contain() {
	if r := recover(); r != nil {
		sp := s.batch[s.position]
		s.bus.config.onPanic(PanicReport{
			Subscription: s,
			Event:        sp.chunk.events[sp.from-1],
			Value:        r,
			Stack:        debug.Stack(),
		})
	}
}

// sendTo returns a callback that sends to ch and gives up when the subscription
// ends.
func (s *Subscription) sendTo(ch chan<- Event) func(Event) {
	return func(ev Event) {
		select {
		case ch <- ev:
		default:
			select {
			case ch <- ev:
			case <-s.quit:
			}
		}
	}
}
