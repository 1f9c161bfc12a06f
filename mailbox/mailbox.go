// SPDX-License-Identifier: Apache-2.0

package mailbox

import (
	"context"
	"sync"
)

// Mailbox hands messages to a handler on a fixed number of workers, those of one
// sender one at a time and in order. Make it with [New] and end it with
// [Mailbox.Close]. Its methods may be called concurrently.
type Mailbox[T any] struct {
	shards []*shard[T]
}

// New returns a running mailbox. handle is called by several workers at once, but
// never by two for messages of one sender; it may block, which makes its shard fill
// up and its senders wait. It must not call [Mailbox.Close] and wait, and a handler
// that sends to its own mailbox with [Mailbox.Send] can wait for itself: use
// [Mailbox.TrySend] there.
//
// New panics when handle is nil.
func New[T any](handle func(T), options Options) *Mailbox[T] {
	if handle == nil {
		panic("mailbox: New with a nil handler")
	}
	o := options.withDefaults()
	m := &Mailbox[T]{shards: make([]*shard[T], o.Workers)}
	pool := new(sync.Pool)
	for i := range m.shards {
		m.shards[i] = newShard(i, handle, o, pool)
	}
	return m
}

// shard returns the shard of a sender.
func (m *Mailbox[T]) shard(sender string) *shard[T] {
	return m.shards[hash(sender)%uint32(len(m.shards))]
}

// Send gives a message to the worker of its sender. When that worker's queue is
// full it waits for room, behind those who already wait: this is the back-pressure.
// It returns nil when the message is queued, [ErrClosed], or the cause of the end of
// ctx; after an error the message is still the caller's.
//
// Messages that one goroutine sends under one sender name are handled in that
// order. A context that has already ended fails only when there is no room.
func (m *Mailbox[T]) Send(ctx context.Context, sender string, msg T) error {
	return m.shard(sender).send(ctx, &msg)
}

// TrySend is [Mailbox.Send] without waiting: it returns [ErrFull] when there is no
// room or others wait for it.
func (m *Mailbox[T]) TrySend(sender string, msg T) error {
	return m.shard(sender).trySend(&msg)
}

// Close ends the mailbox. From the moment it is called, sends fail with [ErrClosed],
// those that wait for room included; what was accepted before is handled. Close
// returns nil when every message is handled and every worker has returned.
//
// If ctx ends first, the messages still queued are discarded (see
// [Options.OnDiscard]) and the cause of ctx's end is returned; handlers in progress
// go on. Close may be called again, to wait once more.
func (m *Mailbox[T]) Close(ctx context.Context) error {
	for _, s := range m.shards {
		s.close()
	}
	for _, s := range m.shards {
		select {
		case <-s.done:
			continue
		default:
		}
		select {
		case <-s.done:
		case <-ctx.Done():
			for _, s := range m.shards {
				s.aborted.Store(true)
			}
			return context.Cause(ctx)
		}
	}
	return nil
}
