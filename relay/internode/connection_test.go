// SPDX-License-Identifier: Apache-2.0

package internode

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
)

const (
	beat     = time.Second
	patience = 4 * beat
)

// numbered is a message whose content is a number.
func numbered(n uint64) *relay.Message {
	return relay.NewMessage(relay.NewPID("", "h", "1"), relay.NewPID("there", "h", "2"), "t",
		payload.Payload{Format: payload.Bytes, Data: binary.BigEndian.AppendUint64(nil, n)})
}

func numberOf(m *relay.Message) uint64 { return binary.BigEndian.Uint64(m.Payload().Data.([]byte)) }

// end is one end of a connection in a test.
type end struct {
	mail *mail
	own  session

	mu  sync.Mutex
	got []uint64
}

func newEnd(node string) *end {
	return &end{mail: newMail(node, 1<<20, 100, 1<<20), own: session{node[0]}}
}

func (e *end) deliver(m *relay.Message) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.got = append(e.got, numberOf(m))
	m.Release()
}

func (e *end) seen() []uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.got)
}

func (e *end) waiting() int {
	e.mail.mu.Lock()
	defer e.mail.mu.Unlock()
	return e.mail.out.len()
}

// connect shakes hands over conn and carries mail until ctx ends or conn breaks.
func (e *end) connect(ctx context.Context, conn net.Conn, dial bool, deliver func(*relay.Message)) error {
	defer conn.Close()
	c := newConnection(conn, e.mail, deliver, beat, patience)
	h := side("")
	h.own.session = e.own
	h.own = e.mail.introduce(h.own)
	shake := h.accept
	if dial {
		shake = h.dial
	}
	other, err := shake(conn, c.frames)
	if err != nil {
		return err
	}
	if _, err := e.mail.meet(h.own, other); err != nil {
		return err
	}
	return c.run(ctx)
}

// pipe connects a and b in a bubble, whose clock it is, and calls during.
func pipe(t *testing.T, a, b *end, deliver func(*relay.Message), during func()) (errA, errB error) {
	t.Helper()
	return pipeOver(t, net.Pipe, a, b, deliver, during)
}

// pipeOver is pipe over a network, which it makes in the bubble.
func pipeOver(t *testing.T, network func() (net.Conn, net.Conn), a, b *end, deliver func(*relay.Message), during func()) (errA, errB error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		a.mail.wake, b.mail.wake = make(chan struct{}, 1), make(chan struct{}, 1) // of this bubble
		ctx, cancel := context.WithCancelCause(t.Context())
		left, right := network()
		var both sync.WaitGroup
		both.Go(func() { errA = a.connect(ctx, left, true, a.deliver) })
		both.Go(func() { errB = b.connect(ctx, right, false, deliver) })
		synctest.Wait()
		during()
		cancel(errOver)
		both.Wait()
		<-time.After(2 * beat) // the network notices
	})
	a.mail.wake, b.mail.wake = make(chan struct{}, 1), make(chan struct{}, 1) // of no bubble
	return errA, errB
}

var errOver = errors.New("over")

func TestConnectionCarriesMessagesBothWays(t *testing.T) {
	a, b := newEnd("a"), newEnd("b")
	var want []uint64
	errA, errB := pipe(t, a, b, b.deliver, func() {
		for n := range uint64(1000) {
			want = append(want, n)
			if err := errors.Join(a.mail.send(numbered(n)), b.mail.send(numbered(n))); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		<-time.After(2 * beat) // the bubble's clock: for the last acks
		for _, e := range []*end{a, b} {
			if !slices.Equal(e.seen(), want) {
				t.Errorf("%s saw %d messages, or in another order; want %d", e.mail.node, len(e.seen()), len(want))
			}
			if n := e.waiting(); n > 0 {
				t.Errorf("%s waits for %d acks", e.mail.node, n)
			}
		}
	})
	if errA != errOver || errB != errOver {
		t.Errorf("ended with %v and %v, want the cause of the end of the context", errA, errB)
	}
}

// What was not sent yet waits for whichever run of the other node there is next, and what
// one run got the next does not get.
func TestEitherSideMayStartAnew(t *testing.T) {
	send := func(e *end, n uint64) {
		t.Helper()
		if err := e.mail.send(numbered(n)); err != nil {
			t.Fatal(err)
		}
	}
	meet := func(a, b *end) {
		t.Helper()
		if errA, errB := pipe(t, a, b, b.deliver, synctest.Wait); errA != errOver || errB != errOver {
			t.Errorf("ended with %v and %v", errA, errB)
		}
	}
	a, b := newEnd("a"), newEnd("b")
	send(a, 1)
	meet(a, b)
	send(a, 2)
	meet(a, b)
	if got := b.seen(); !slices.Equal(got, []uint64{1, 2}) {
		t.Errorf("the first run got %v, want 1 and 2", got)
	}
	again := newEnd("b")
	again.own = session{'B'}
	send(a, 3)
	send(again, 4)
	meet(a, again)
	if got := again.seen(); !slices.Equal(got, []uint64{3}) {
		t.Errorf("the second run got %v, want 3", got)
	}
	anew := newEnd("a")
	anew.own = session{'A'}
	send(anew, 5)
	send(again, 6)
	meet(anew, again)
	if got := again.seen(); !slices.Equal(got, []uint64{3, 5}) {
		t.Errorf("from the other side's second run came %v, want 3 and 5", got)
	}
	if first, second := a.seen(), anew.seen(); !slices.Equal(first, []uint64{4}) || !slices.Equal(second, []uint64{6}) {
		t.Errorf("the other way came %v and %v, want 4 and 6", first, second)
	}
}

func TestIdleConnectionHolds(t *testing.T) {
	a, b := newEnd("a"), newEnd("b")
	errA, errB := pipe(t, a, b, b.deliver, func() { <-time.After(24 * time.Hour) })
	if errA != errOver || errB != errOver {
		t.Errorf("ended with %v and %v", errA, errB)
	}
}

func TestReceiverThatWaitsHoldsUpItsSenderOnly(t *testing.T) {
	a, b := newEnd("a"), newEnd("b")
	first := sync.OnceFunc(func() { <-time.After(time.Hour) })
	slow := func(m *relay.Message) {
		first()
		b.deliver(m)
	}
	var sent uint64
	errA, errB := pipe(t, a, b, slow, func() {
		full := false
		for range 10_000 {
			if err := a.mail.send(numbered(sent)); errors.Is(err, ErrQueueFull) {
				full = true
				break
			} else if err != nil {
				t.Fatal(err)
			}
			sent++
			synctest.Wait()
		}
		if !full {
			t.Errorf("%d messages sent and the queue is not full", sent)
		}
		if err := b.mail.send(numbered(7)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := a.seen(); !slices.Equal(got, []uint64{7}) {
			t.Errorf("the other way came %v, want 7", got)
		}
		<-time.After(2 * time.Hour)
		if got := b.seen(); uint64(len(got)) != sent {
			t.Errorf("%d messages arrived in the end, want %d", len(got), sent)
		}
	})
	if errA != errOver || errB != errOver {
		t.Errorf("ended with %v and %v", errA, errB)
	}
}

// slowNetwork carries 4 KiB, or less, in a beat.
func slowNetwork() (net.Conn, net.Conn) {
	left, in := net.Pipe()
	out, right := net.Pipe()
	carry := func(to, from net.Conn) {
		defer to.Close()
		for b := make([]byte, 4096); ; {
			n, err := from.Read(b)
			if err != nil {
				return
			}
			<-time.After(beat)
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
	}
	go carry(out, in)
	go carry(in, out)
	return left, right
}

func TestSlowNetworkIsNoLoss(t *testing.T) {
	const messages = 60
	a, b := newEnd("a"), newEnd("b")
	text := strings.Repeat("x", 2000)
	errA, errB := pipeOver(t, slowNetwork, a, b, b.deliver, func() {
		start := time.Now()
		for n := range uint64(messages) {
			m := numbered(n)
			m.Payloads = append(m.Payloads, payload.Payload{Format: payload.String, Data: text})
			if err := a.mail.send(m); err != nil {
				t.Fatal(err)
			}
		}
		for len(b.seen()) < messages && time.Since(start) < time.Hour {
			<-time.After(beat)
		}
		if took := time.Since(start); took < 5*patience || took >= time.Hour {
			t.Errorf("took %v, want much longer than a node may be silent", took)
		}
	})
	if errA != errOver || errB != errOver {
		t.Errorf("ended with %v and %v", errA, errB)
	}
	if got := b.seen(); len(got) != messages || !slices.IsSorted(got) {
		t.Errorf("got %v", got)
	}
}

// raw runs a connection whose other side is in the hands of the test, after the handshake.
func raw(t *testing.T, other func(net.Conn)) (took time.Duration, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e := newEnd("a")
		left, right := net.Pipe()
		var there sync.WaitGroup
		there.Go(func() { other(right) })
		start := time.Now()
		err = newConnection(left, e.mail, e.deliver, beat, patience).run(t.Context())
		took = time.Since(start)
		right.Close()
		there.Wait()
	})
	return took, err
}

func TestSilentConnectionIsGivenUp(t *testing.T) {
	took, err := raw(t, func(conn net.Conn) { io.Copy(io.Discard, conn) })
	if !errors.Is(err, ErrSilent) || took != patience {
		t.Errorf("%v after %v, want %v after %v", err, took, ErrSilent, patience)
	}
	took, err = raw(t, func(conn net.Conn) {
		go io.Copy(io.Discard, conn)
		drip := []byte(frameOf(1000, byte(kindMessage), strings.Repeat("x", 999)))
		for i := range drip {
			<-time.After(beat / 2)
			if _, err := conn.Write(drip[i : i+1]); err != nil {
				return
			}
		}
	})
	if !errors.Is(err, ErrSilent) || took != patience {
		t.Errorf("a frame byte by byte: %v after %v, want %v after %v", err, took, ErrSilent, patience)
	}
}

func TestMisbehaviourEndsTheConnection(t *testing.T) {
	message := func(number uint64) string {
		b, err := appendMessage(beginFrame(nil, kindMessage), number, "b", numbered(1))
		if err != nil {
			t.Fatal(err)
		}
		b, _ = endFrame(b, 0, 1<<20)
		return string(b)
	}
	for _, c := range []struct {
		name, stream string
		want         error
	}{
		{"garbage", "GET / HTTP/1.1\r\n\r\n", ErrMalformed},
		{"hello", frameOf(1, byte(kindHello), ""), ErrMalformed},
		{"proof", frameOf(1, byte(kindProof), ""), ErrMalformed},
		{"refusal", frameOf(4, byte(kindRefuse), "no!"), ErrRefused},
		{"message", frameOf(3, byte(kindMessage), "xx"), ErrMalformed},
		{"gap", message(1) + message(3), ErrMalformed},
		{"ack of nothing sent", frameOf(2, byte(kindAck), "\x01"), ErrMalformed},
		{"empty ack", frameOf(1, byte(kindAck), ""), ErrMalformed},
		{"long ack", frameOf(3, byte(kindAck), "\x00\x00"), ErrMalformed},
		{"too long", frameOf(1<<20+1, byte(kindMessage), ""), ErrFrameSize},
		{"end", message(1), io.EOF},
		{"end in a frame", message(1)[:9], io.ErrUnexpectedEOF},
	} {
		t.Run(c.name, func(t *testing.T) {
			took, err := raw(t, func(conn net.Conn) {
				go io.Copy(io.Discard, conn)
				synctest.Wait() // until the first beat is written
				io.Copy(conn, bytes.NewReader([]byte(c.stream)))
				if c.want == io.EOF || c.want == io.ErrUnexpectedEOF {
					conn.Close()
				}
			})
			if !errors.Is(err, c.want) || took != 0 {
				t.Errorf("%v after %v, want %v at once", err, took, c.want)
			}
		})
	}
}

// TestConcurrentSendersLoseNothingToBrokenConnections sends over real connections, each of
// which breaks after some bytes.
func TestConcurrentSendersLoseNothingToBrokenConnections(t *testing.T) {
	const senders, each = 4, 2000
	a, b := newEnd("a"), newEnd("b")
	all := make(chan struct{})
	count := 0
	next := make([]uint64, senders)
	deliver := func(m *relay.Message) {
		n := numberOf(m)
		if from, number := n>>32, n&(1<<32-1); next[from] != number {
			t.Errorf("sender %d: message %d, want %d", from, number, next[from])
		} else {
			next[from]++
		}
		m.Release()
		if count++; count == senders*each {
			close(all)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var sending sync.WaitGroup
	for s := range uint64(senders) {
		sending.Go(func() {
			for n := uint64(0); n < each; {
				switch err := a.mail.send(numbered(s<<32 | n)); {
				case err == nil:
					n++
				case errors.Is(err, ErrQueueFull):
					<-time.After(10 * time.Microsecond)
				default:
					t.Error(err)
					return
				}
			}
		})
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	connections := 0
	for done := false; !done; connections++ {
		left, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		right, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		var both sync.WaitGroup
		both.Go(func() { a.connect(ctx, &fragile{Conn: left, left: 2000 + 1237*connections}, true, a.deliver) })
		both.Go(func() { b.connect(ctx, right, false, deliver) })
		ended := make(chan struct{})
		go func() { both.Wait(); close(ended) }()
		select {
		case <-ended:
		case <-all:
			done = true
			cancel(errOver)
			<-ended
		}
	}
	sending.Wait()
	if connections < 10 {
		t.Errorf("only %d connections broke", connections)
	}
}

// fragile breaks after some bytes were written to it, in the middle of a write.
type fragile struct {
	net.Conn
	left int
}

func (f *fragile) Write(b []byte) (int, error) {
	n, err := f.Conn.Write(b[:min(len(b), f.left)])
	if f.left -= n; f.left == 0 && err == nil {
		f.Conn.Close()
		return n, fmt.Errorf("broken after %d bytes", n)
	}
	return n, err
}
