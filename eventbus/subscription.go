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
// A subscription has a queue of its own, and while its callback is busy a goroutine to
// itself, so nothing a subscriber does delays another. Its methods may be called
// concurrently and from its own callback.
type Subscription struct {
	bus    *Bus
	handle func(Event)

	ended   atomic.Bool // set once, under mu; delivery looks at it before each event
	dropped atomic.Uint64

	mu        sync.Mutex
	running   bool          // guarded by mu; with the crew, waiting to be served or served
	finishing bool          // guarded by mu; ends when the queue is empty
	queue     queue         // guarded by mu
	done      chan struct{} // guarded by mu; made when first asked for
	detach    func() bool   // guarded by mu; ends the watch over the context
	err       error         // guarded by mu; why it ended

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

	// Room for the first element of staged, queue.spans and batch.
	firstStaged, firstQueued, firstTaken [1]span

	id      uint64
	pattern Pattern
}

// reserve gives the slices their room in place.
func (s *Subscription) reserve() {
	s.staged = s.firstStaged[:0]
	s.queue.spans = s.firstQueued[:0]
	s.batch = s.firstTaken[:0]
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
func (s *Subscription) end(reason error) {
	s.mu.Lock()
	if s.ended.Load() {
		s.mu.Unlock()
		return
	}
	waiting, discarded := s.queue.clear()
	s.endLocked(reason)
	s.mu.Unlock()
	for i, sp := range waiting {
		waiting[i] = span{}
		s.bus.release(sp.chunk)
	}
	s.bus.discarded.Add(uint64(discarded))
	s.bus.forget(s)
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

// acceptance is what became of staged events.
type acceptance struct {
	queued  int  // events that were for the queue
	dropped int  // events dropped for it by the policy, of these and of earlier ones
	ready   bool // the subscription has to be given to the crew
}

// accept moves the staged events to the queue. Called by the dispatcher.
func (s *Subscription) accept() (r acceptance) {
	s.mu.Lock()
	if s.ended.Load() {
		s.mu.Unlock()
		for _, sp := range s.staged {
			sp.chunk.release()
		}
		s.unstage()
		return r
	}
	before := s.queue.size
	dropped, ok := s.queue.push(s.staged)
	r.queued, r.dropped = s.queue.size-before+dropped, dropped
	if dropped > 0 {
		s.dropped.Add(uint64(dropped))
	}
	if ok {
		r.ready = !s.running
		s.running = true
	} else {
		s.endLocked(ErrOverflow)
	}
	s.mu.Unlock()
	s.unstage()
	if !ok {
		s.bus.forget(s)
	}
	return r
}

// unstage empties staged. Nothing is left behind in it: a subscription may be idle for
// ever, and would keep a chunk from the collector as long.
func (s *Subscription) unstage() {
	s.firstStaged[0] = span{}
	if cap(s.staged) > len(s.firstStaged) { // it grew out of its room in place
		clear(s.staged)
		if cap(s.staged) > idleSpans {
			s.staged = s.firstStaged[:0]
		}
	}
	s.staged = s.staged[:0]
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
	s.running = false
	if s.ended.Load() {
		if s.done != nil {
			close(s.done)
		}
		s.mu.Unlock()
		return false // whoever ended it may still be emptying the slice of the queue
	}
	if cap(s.queue.spans) > idleSpans || cap(s.batch) > idleSpans {
		s.queue.spans, s.batch = s.firstQueued[:0], s.firstTaken[:0]
	}
	s.firstQueued[0], s.firstTaken[0] = span{}, span{} // left behind when the slices grew
	over := s.finishing
	if over {
		s.endLocked(ErrClosed)
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
				s.bus.discarded.Add(uint64(sp.len()))
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
	if v := recover(); v != nil {
		sp := s.batch[s.position]
		s.bus.reportPanic(PanicReport{
			Subscription: s,
			Event:        sp.chunk.events[sp.from-1],
			Value:        v,
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
