// SPDX-License-Identifier: Apache-2.0

package mailbox

import (
	"context"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// shard is one queue and its worker.
//
// The queue is a ring. Senders write behind its end, the worker reads the oldest
// messages in place, without the lock, and gives their slots back after the batch:
// a message is copied into the queue once, and Capacity bounds everything that is
// not handled yet. Inside the package messages go by pointer: a copy right after
// another makes the processor wait until the first is in the cache, and three of
// them were a quarter of BenchmarkSendHandled.
//
// No wake-up is lost. The worker sets idle with mu held, and only when the queue is
// empty and not closed. Whatever ends that state, a push or close, holds mu too,
// finds idle set, clears it, and puts one token into wake. The worker takes that token
// before it can set idle again. So wake is empty whenever idle is set: the token finds
// room, nobody blocks with it, and it is there whether the worker already receives
// or is still on its way to. (TestConcurrentSendersNeverWaitForASleepingWorker.)
type shard[T any] struct {
	index   int
	handle  func(T)
	options Options
	wake    chan struct{} // capacity 1
	done    chan struct{} // closed when the worker has returned
	aborted atomic.Bool   // set by Close: what is queued is not to be handled any more

	// Guarded by mu. A slot in use belongs to the worker while it is part of the
	// batch.
	mu      sync.Mutex
	ring    []T // made by the first message; slots [head, head+count) are in use
	head    int
	count   int
	batch   int        // how many slots, from head on, the worker is handling
	idle    bool       // the worker sleeps, or is about to; whoever clears it wakes it
	closed  bool       // nothing is accepted any more
	waiting waiters[T] // empty unless count is Capacity: room is for who waits
	stats   ShardStats

	// Owned by the worker.
	position int // slot of the next message to handle
	left     int // messages of the batch that are still to be handled
	// Counters, copied to stats after each batch.
	handled, discarded, panics uint64
}

func newShard[T any](index int, handle func(T), o Options, pool *sync.Pool) *shard[T] {
	s := &shard[T]{
		index:   index,
		handle:  handle,
		options: o,
		wake:    make(chan struct{}, 1),
		done:    make(chan struct{}),
		waiting: waiters[T]{pool: pool},
	}
	go s.work()
	return s
}

// trySend appends a message if there is room.
func (s *shard[T]) trySend(msg *T) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrClosed
	}
	if s.count == s.options.Capacity {
		s.stats.Refused++
		s.mu.Unlock()
		return ErrFull
	}
	s.push(msg)
	s.unlockAndWake()
	return nil
}

// send appends a message, waiting for room until ctx ends.
func (s *shard[T]) send(ctx context.Context, msg *T) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrClosed
	}
	if s.count < s.options.Capacity {
		s.push(msg)
		if !s.idle {
			s.mu.Unlock()
		} else {
			s.unlockAndWake()
		}
		return nil
	}
	if ctx.Err() != nil {
		s.mu.Unlock()
		return context.Cause(ctx)
	}
	w := s.waiting.append(*msg)
	s.stats.Waits++
	s.mu.Unlock()

	select {
	case err := <-w.result:
		w.recycle()
		return err
	case <-ctx.Done():
	}
	s.mu.Lock()
	if s.waiting.remove(w) {
		s.mu.Unlock()
		w.recycle()
		return context.Cause(ctx)
	}
	s.mu.Unlock()
	err := <-w.result // decided before ctx ended
	w.recycle()
	return err
}

// push appends to the ring; mu is held and there is room.
func (s *shard[T]) push(msg *T) {
	at := s.head + s.count
	if at >= len(s.ring) {
		if s.ring == nil {
			s.ring = make([]T, s.options.Capacity)
		} else {
			at -= len(s.ring)
		}
	}
	s.ring[at] = *msg
	s.count++
}

// unlockAndWake ends a change of the queue.
func (s *shard[T]) unlockAndWake() {
	wake := s.idle
	s.idle = false
	s.mu.Unlock()
	if wake {
		s.wake <- struct{}{} // never blocks: one signal per change of idle
	}
}

// work is the worker goroutine.
func (s *shard[T]) work() {
	returned := false
	defer func() {
		if !returned { // the handler called runtime.Goexit: carry on elsewhere
			go s.work()
		}
	}()
	for s.left > 0 || s.next() {
		s.drain()
	}
	returned = true
	close(s.done)
}

// spins is how often an idle worker lets other goroutines run before it sleeps. A
// sender that is about to send again then finds it awake. BenchmarkLatency takes a
// tenth to a quarter longer without; BenchmarkSendHandled does not care.
const spins = 4

// next gives the slots of the last batch back and fetches the next batch, waiting
// for one if need be. It reports false when the shard is closed and empty.
func (s *shard[T]) next() bool {
	s.mu.Lock()
	s.recycleBatch()
	for spun := 0; s.count == 0; {
		if s.closed {
			s.mu.Unlock()
			return false
		}
		if spun < spins {
			spun++
			s.mu.Unlock()
			runtime.Gosched()
			s.mu.Lock()
			continue
		}
		s.idle = true
		s.mu.Unlock()
		<-s.wake
		spun = 0
		s.mu.Lock()
	}
	s.position = s.head
	s.left = min(s.count, s.options.Batch)
	s.batch = s.left
	s.mu.Unlock()
	return true
}

// recycleBatch accounts for a batch that was handled and lets waiting senders have
// its slots, the longest waiting first; mu is held.
func (s *shard[T]) recycleBatch() {
	if s.batch == 0 {
		return
	}
	s.stats.Handled, s.stats.Discarded, s.stats.Panics = s.handled, s.discarded, s.panics
	// count only falls here, so the greatest there has been is one that is seen here,
	// or the present one.
	s.stats.HighWater = max(s.stats.HighWater, s.count)
	if s.head += s.batch; s.head >= s.options.Capacity {
		s.head -= s.options.Capacity
	}
	s.count -= s.batch
	s.batch = 0
	for s.count < s.options.Capacity && s.waiting.first != nil {
		w := s.waiting.pop()
		s.push(&w.msg)
		w.result <- nil
	}
}

// drain handles the batch. After a panic it is called again and goes on with the
// message that follows: the position is moved before each call.
func (s *shard[T]) drain() {
	var zero T
	defer s.settle()
	for s.left > 0 {
		msg := &s.ring[s.position]
		if s.position++; s.position == s.options.Capacity {
			s.position = 0
		}
		s.left--
		if s.aborted.Load() {
			s.discard(*msg)
		} else {
			s.handled++
			s.handle(*msg)
		}
		*msg = zero // what was handled is not kept alive
	}
}

// settle ends a drain. If the handler panicked it reports that, and it empties the
// slot of the message that the handler did not return from.
func (s *shard[T]) settle() {
	last := s.position - 1
	if last < 0 {
		last = s.options.Capacity - 1
	}
	var zero T
	msg := s.ring[last]
	s.ring[last] = zero
	if r := recover(); r != nil {
		s.panics++
		s.report(PanicReport{Shard: s.index, Message: msg, Value: r, Stack: debug.Stack()})
	}
}

// report calls OnPanic. Its own panic must not end the shard either.
func (s *shard[T]) report(r PanicReport) {
	defer func() {
		if again := recover(); again != nil {
			logPanic(r)
			logPanic(PanicReport{Shard: r.Shard, Message: r.Message, Value: again, Stack: debug.Stack()})
		}
	}()
	s.options.OnPanic(r)
}

func (s *shard[T]) discard(msg T) {
	s.discarded++
	if s.options.OnDiscard != nil {
		s.options.OnDiscard(msg)
	}
}

// close refuses further messages and those that wait for room.
func (s *shard[T]) close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	for s.waiting.first != nil {
		s.waiting.pop().result <- ErrClosed
	}
	s.unlockAndWake()
}
