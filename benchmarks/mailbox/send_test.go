// SPDX-License-Identifier: Apache-2.0

package mailbox_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
	"github.com/wippyrun/kit/mailbox"
)

// message is as large as one that a relay sends.
type message struct {
	_ *int
	_ [2]uint64
}

const (
	batch    = 8192 // messages until everything has to be handled
	capacity = 1024
)

// counter tells when a batch has been handled. The handlers of all contestants use it.
type counter struct {
	left atomic.Int64
	done chan struct{}
}

func newCounter() *counter { return &counter{done: make(chan struct{}, 1)} }

func (c *counter) handle(message) {
	if c.left.Add(-1) == 0 {
		c.done <- struct{}{}
	}
}

func senders() []string {
	names := make([]string, 64)
	for i := range names {
		names[i] = fmt.Sprintf("0x%05x", i)
	}
	return names
}

// channels is the peer: a buffered channel and a goroutine per shard, the shard chosen
// by FNV-1a, written out as a careful user would. It keeps the promises that matter:
// order per sender, back-pressure, an end to waiting when the context ends.
type channels[T any] []chan T

func newChannels[T any](shards int, handle func(T)) channels[T] {
	queues := make(channels[T], shards)
	for i := range queues {
		queues[i] = make(chan T, capacity)
		go func() {
			for msg := range queues[i] {
				handle(msg)
			}
		}()
	}
	return queues
}

func (q channels[T]) send(ctx context.Context, sender string, msg T) error {
	h := uint32(2166136261)
	for i := range len(sender) {
		h ^= uint32(sender[i])
		h *= 16777619
	}
	select {
	case q[h%uint32(len(q))] <- msg:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (q channels[T]) close() {
	for _, ch := range q {
		close(ch)
	}
}

// BenchmarkSend sends messages of 64 senders from one goroutine and waits until they
// are handled.
func BenchmarkSend(b *testing.B) {
	ctx, names := context.Background(), senders()
	for _, shards := range []int{1, 2, 16} {
		b.Run(fmt.Sprintf("shards=%d", shards), func(b *testing.B) {
			b.Run("ours", func(b *testing.B) {
				c := newCounter()
				m := newMailbox(shards, c.handle)
				defer func() { _ = m.Close(ctx) }()
				measure.Items(b, batch, func() {
					c.left.Store(batch)
					for i := range batch {
						if err := m.Send(ctx, names[i%len(names)], message{}); err != nil {
							b.Fatal(err)
						}
					}
					<-c.done
				})
			})
			b.Run("channels", func(b *testing.B) {
				c := newCounter()
				q := newChannels(shards, c.handle)
				defer q.close()
				measure.Items(b, batch, func() {
					c.left.Store(batch)
					for i := range batch {
						if err := q.send(ctx, names[i%len(names)], message{}); err != nil {
							b.Fatal(err)
						}
					}
					<-c.done
				})
			})
		})
	}
}

func newMailbox[T any](shards int, handle func(T)) *mailbox.Mailbox[T] {
	return mailbox.New(handle, mailbox.Options{Workers: shards, Capacity: capacity})
}

// BenchmarkSendConcurrent sends the same messages from four goroutines to two shards.
func BenchmarkSendConcurrent(b *testing.B) {
	const goroutines = 4
	ctx, names := context.Background(), senders()
	measured := func(b *testing.B, c *counter, send func(sender string) error) {
		measure.Items(b, batch, func() {
			c.left.Store(batch)
			for range goroutines {
				go func() {
					for i := range batch / goroutines {
						if err := send(names[i%len(names)]); err != nil {
							b.Error(err)
						}
					}
				}()
			}
			<-c.done
		})
	}
	b.Run("ours", func(b *testing.B) {
		c := newCounter()
		m := newMailbox(2, c.handle)
		defer func() { _ = m.Close(ctx) }()
		measured(b, c, func(sender string) error { return m.Send(ctx, sender, message{}) })
	})
	b.Run("channels", func(b *testing.B) {
		c := newCounter()
		q := newChannels(2, c.handle)
		defer q.close()
		measured(b, c, func(sender string) error { return q.send(ctx, sender, message{}) })
	})
}

// BenchmarkRoundTrip sends to a worker that has nothing to do and waits until the
// handler has run, again and again.
func BenchmarkRoundTrip(b *testing.B) {
	ctx := context.Background()
	measured := func(b *testing.B, handled chan struct{}, send func() error) {
		b.ReportAllocs()
		for b.Loop() {
			if err := send(); err != nil {
				b.Fatal(err)
			}
			<-handled
		}
	}
	handled := make(chan struct{}, 1)
	handle := func(message) { handled <- struct{}{} }
	b.Run("ours", func(b *testing.B) {
		m := newMailbox(2, handle)
		defer func() { _ = m.Close(ctx) }()
		measured(b, handled, func() error { return m.Send(ctx, "a", message{}) })
	})
	b.Run("channels", func(b *testing.B) {
		q := newChannels(2, handle)
		defer q.close()
		measured(b, handled, func() error { return q.send(ctx, "a", message{}) })
	})
}

// BenchmarkIdleLatency is the time from a send to a worker that has slept for a while
// until the handler runs.
func BenchmarkIdleLatency(b *testing.B) {
	ctx := context.Background()
	measured := func(b *testing.B, took chan time.Duration, send func(time.Time) error) {
		var all measure.Latencies
		for b.Loop() {
			<-time.After(200 * time.Microsecond)
			if err := send(time.Now()); err != nil {
				b.Fatal(err)
			}
			all = append(all, <-took)
		}
		all.Report(b)
	}
	took := make(chan time.Duration, 1)
	handle := func(sent time.Time) { took <- time.Since(sent) }
	b.Run("ours", func(b *testing.B) {
		m := newMailbox(2, handle)
		defer func() { _ = m.Close(ctx) }()
		measured(b, took, func(now time.Time) error { return m.Send(ctx, "a", now) })
	})
	b.Run("channels", func(b *testing.B) {
		q := newChannels(2, handle)
		defer q.close()
		measured(b, took, func(now time.Time) error { return q.send(ctx, "a", now) })
	})
}
