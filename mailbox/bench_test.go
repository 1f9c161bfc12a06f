package mailbox_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/wippyrun/kit/mailbox"
)

// message has the size of a small struct with a pointer, as a relay would send.
type message struct {
	_ *int
	_ [2]uint64
}

// senders returns names that spread over both shards of a mailbox with two.
func senders(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("0x%05x", i)
	}
	return names
}

// tally counts handled messages on the workers and reports when all are.
type tally struct {
	left atomic.Int64
	done chan struct{}
}

func newTally(n int) *tally {
	t := &tally{done: make(chan struct{})}
	t.left.Store(int64(n))
	return t
}

func (t *tally) one(message) {
	if t.left.Add(-1) == 0 {
		close(t.done)
	}
}

func closeNow(m *mailbox.Mailbox[message]) {
	_ = m.Close(context.Background())
}

func BenchmarkSendHandled(b *testing.B) {
	for _, workers := range []int{1, 2, 16} {
		b.Run(fmt.Sprintf("shards=%d", workers), func(b *testing.B) {
			t := newTally(b.N)
			m := mailbox.New(t.one, mailbox.Options{Workers: workers})
			defer closeNow(m)
			ctx, names := context.Background(), senders(64)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				if err := m.Send(ctx, names[i%len(names)], message{}); err != nil {
					b.Fatal(err)
				}
			}
			<-t.done
		})
	}
}

// BenchmarkChannelPerShard is the rival: a buffered channel and a goroutine per
// shard, chosen by the same hash.
func BenchmarkChannelPerShard(b *testing.B) {
	for _, workers := range []int{1, 2, 16} {
		b.Run(fmt.Sprintf("shards=%d", workers), func(b *testing.B) {
			t := newTally(b.N)
			shards := make([]chan message, workers)
			for i := range shards {
				ch := make(chan message, mailbox.DefaultCapacity)
				shards[i] = ch
				go func() {
					for msg := range ch {
						t.one(msg)
					}
				}()
				defer close(ch)
			}
			ctx, names := context.Background(), senders(64)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				select {
				case shards[mailbox.Hash(names[i%len(names)])%uint32(workers)] <- message{}:
				case <-ctx.Done():
					b.Fatal(ctx.Err())
				}
			}
			<-t.done
		})
	}
}

func BenchmarkSendHandledParallel(b *testing.B) {
	t := newTally(b.N)
	m := mailbox.New(t.one, mailbox.Options{Workers: 2})
	defer closeNow(m)
	ctx, names := context.Background(), senders(64)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if err := m.Send(ctx, names[i%len(names)], message{}); err != nil {
				b.Error(err)
			}
		}
	})
	<-t.done
}

// BenchmarkLatency is the time from a send to an idle mailbox until it is handled.
func BenchmarkLatency(b *testing.B) {
	handled := make(chan struct{}, 1)
	m := mailbox.New(func(message) { handled <- struct{}{} }, mailbox.Options{Workers: 2})
	defer closeNow(m)
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Send(ctx, "a", message{}); err != nil {
			b.Fatal(err)
		}
		<-handled
	}
}

// BenchmarkFullQueue sends to a mailbox that is always full, so that every send
// waits for room.
func BenchmarkFullQueue(b *testing.B) {
	t := newTally(b.N)
	m := mailbox.New(t.one, mailbox.Options{Workers: 1, Capacity: 1})
	defer closeNow(m)
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Send(ctx, "a", message{}); err != nil {
			b.Fatal(err)
		}
	}
}
