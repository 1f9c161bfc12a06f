// SPDX-License-Identifier: Apache-2.0

package mailbox

import "sync"

// waiters is the list of senders that wait for room, the longest waiting first. The
// message waits with its sender: whoever makes room puts it into the queue, so that
// senders are served in order and wake up only when they are done. Guarded by
// shard.mu.
type waiters[T any] struct {
	first, last *waiter[T]
	count       int
	pool        *sync.Pool // of *waiter[T], shared by the shards
}

// waiter is one sender. Its links are guarded by shard.mu.
type waiter[T any] struct {
	next, prev *waiter[T]
	queued     bool
	msg        T
	result     chan error // capacity 1; gets one value when the waiter leaves the list by pop
	pool       *sync.Pool
}

// append adds a sender at the end.
func (l *waiters[T]) append(msg T) *waiter[T] {
	w, _ := l.pool.Get().(*waiter[T])
	if w == nil {
		w = &waiter[T]{result: make(chan error, 1), pool: l.pool}
	}
	w.msg, w.queued, w.prev = msg, true, l.last
	if l.last == nil {
		l.first = w
	} else {
		l.last.next = w
	}
	l.last = w
	l.count++
	return w
}

// remove takes a sender out that no longer wants to wait. It reports false when it
// was served already.
func (l *waiters[T]) remove(w *waiter[T]) bool {
	if !w.queued {
		return false
	}
	if w.prev == nil {
		l.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		l.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.next, w.prev, w.queued = nil, nil, false
	l.count--
	return true
}

// pop takes the first sender out. The caller sends it its result.
func (l *waiters[T]) pop() *waiter[T] {
	w := l.first
	l.remove(w)
	return w
}

// recycle puts a waiter back that is in no list and whose result was received or
// never sent.
func (w *waiter[T]) recycle() {
	var zero T
	w.msg = zero
	w.pool.Put(w)
}
