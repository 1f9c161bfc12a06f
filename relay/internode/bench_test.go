// SPDX-License-Identifier: Apache-2.0

package internode

import (
	"context"
	"errors"
	"net"
	"runtime"
	"sync"
	"testing"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
)

// loopback connects two nodes of this process over TCP.
func loopback(b *testing.B, deliverA, deliverB func(*relay.Message)) (a, c *mail) {
	left, right := newEnd("a"), newEnd("b")
	left.mail = newMail("a", 1<<20, 4096, 4<<20)
	right.mail = newMail("b", 1<<20, 4096, 4<<20)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		conn, err := listener.Accept()
		if err == nil {
			err = right.connect(ctx, conn, false, deliverB)
		}
		if err != errOver {
			b.Error(err)
		}
	})
	running.Go(func() {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err == nil {
			err = left.connect(ctx, conn, true, deliverA)
		}
		if err != errOver {
			b.Error(err)
		}
	})
	b.Cleanup(func() {
		cancel(errOver)
		listener.Close()
		running.Wait()
	})
	return left.mail, right.mail
}

func hundredBytes() *relay.Message {
	return relay.NewMessage(relay.NewPID("", "app:workers", "0x00001"), relay.NewPID("b", "app:workers", "0x00002"), "job",
		payload.Payload{Format: payload.Msgpack, Data: make([]byte, 100)})
}

// BenchmarkOneWay sends messages of 100 bytes from one node to another, both in this
// process, over TCP, and reports the time of each (ns/message).
func BenchmarkOneWay(b *testing.B) {
	const batch = 20_000
	arrived, done := 0, make(chan struct{})
	a, _ := loopback(b, nil, func(m *relay.Message) {
		m.Release()
		if arrived++; arrived%batch == 0 {
			done <- struct{}{}
		}
	})
	msg := hundredBytes()
	b.ReportAllocs()
	for b.Loop() {
		sendAll(b, a, msg, batch)
		<-done
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/message")
}

// sendAll sends a message n times and waits for room when there is none.
func sendAll(b *testing.B, m *mail, msg *relay.Message, n int) {
	for n > 0 {
		switch err := m.send(msg); {
		case err == nil:
			n--
		case errors.Is(err, ErrQueueFull):
			runtime.Gosched()
		default:
			b.Fatal(err)
		}
	}
}

// BenchmarkRoundTrip is the time of a message there and of one back.
func BenchmarkRoundTrip(b *testing.B) {
	back := make(chan struct{}, 1)
	var there *mail
	msg := hundredBytes()
	a, c := loopback(b, func(m *relay.Message) { m.Release(); back <- struct{}{} }, func(m *relay.Message) {
		m.Release()
		if err := there.send(msg); err != nil {
			b.Error(err)
		}
	})
	there = c
	b.ReportAllocs()
	for b.Loop() {
		if err := a.send(msg); err != nil {
			b.Fatal(err)
		}
		<-back
	}
}
