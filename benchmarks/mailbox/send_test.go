// SPDX-License-Identifier: Apache-2.0

package mailbox_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"sync/atomic"
	"testing"

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

// BenchmarkSend sends messages of 64 senders and waits until they are handled.
func BenchmarkSend(b *testing.B) {
	ctx, names := context.Background(), senders()
	for _, shards := range []int{1, 2, 16} {
		b.Run(fmt.Sprintf("shards=%d", shards), func(b *testing.B) {
			b.Run("ours", func(b *testing.B) {
				c := newCounter()
				m := mailbox.New(c.handle, mailbox.Options{Workers: shards, Capacity: capacity})
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
			// The peer keeps the promises that matter: order per sender, back-pressure,
			// an end to waiting when the context ends.
			b.Run("channels", func(b *testing.B) {
				c := newCounter()
				queues := make([]chan message, shards)
				for i := range queues {
					q := make(chan message, capacity)
					queues[i] = q
					go func() {
						for m := range q {
							c.handle(m)
						}
					}()
					defer close(q)
				}
				measure.Items(b, batch, func() {
					c.left.Store(batch)
					for i := range batch {
						h := fnv.New32a()
						_, _ = h.Write([]byte(names[i%len(names)]))
						select {
						case queues[h.Sum32()%uint32(shards)] <- message{}:
						case <-ctx.Done():
							b.Fatal(ctx.Err())
						}
					}
					<-c.done
				})
			})
		})
	}
}

// BenchmarkLatency is the time from a send to an idle shard until the handler runs.
func BenchmarkLatency(b *testing.B) {
	b.Run("ours", func(b *testing.B) {
		handled := make(chan struct{}, 1)
		m := mailbox.New(func(message) { handled <- struct{}{} }, mailbox.Options{Workers: 2})
		defer func() { _ = m.Close(context.Background()) }()
		b.ReportAllocs()
		for b.Loop() {
			if err := m.Send(context.Background(), "a", message{}); err != nil {
				b.Fatal(err)
			}
			<-handled
		}
	})
	b.Run("channels", func(b *testing.B) {
		q, handled := make(chan message, capacity), make(chan struct{}, 1)
		defer close(q)
		go func() {
			for range q {
				handled <- struct{}{}
			}
		}()
		b.ReportAllocs()
		for b.Loop() {
			q <- message{}
			<-handled
		}
	})
}
