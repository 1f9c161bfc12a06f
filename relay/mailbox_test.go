// SPDX-License-Identifier: Apache-2.0

package relay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
)

func mail(from, dest string, data any) *relay.Message {
	return relay.NewMessage(relay.NewPID("", "h", from), relay.NewPID("", "node:control", dest), "t", payload.New(data))
}

func closeHost(t *testing.T, h *relay.MailboxHost) {
	t.Helper()
	if err := h.Close(context.Background()); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func TestMailboxHostDeliversToTheAttachedReceiver(t *testing.T) {
	h := relay.NewMailboxHost()
	node := relay.NewNode("me")
	if err := node.Register("node:control", h); err != nil {
		t.Fatal(err)
	}
	got := make(chan *relay.Message, 1)
	pid := relay.NewPID("me", "node:control", "a")
	if err := h.AttachChan(pid, got); err != nil {
		t.Fatal(err)
	}
	m := mail("s", "a", 1)
	if err := node.Send(m); err != nil {
		t.Fatal(err)
	}
	if r := <-got; r != m || r.Payload().Data != 1 {
		t.Errorf("got %v", r)
	}
	closeHost(t, h)
}

func TestMailboxHostTakesOneReceiverPerPID(t *testing.T) {
	h := relay.NewMailboxHost(relay.WithMailboxWorkers(0), relay.WithMailboxBuffer(-1), relay.WithMailboxLogger(nil))
	defer closeHost(t, h)
	pid := relay.NewPID("", "node:control", "a")
	if err := h.Attach(pid, (*relay.Message).Release); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{h.Attach(pid, (*relay.Message).Release), h.AttachChan(pid, make(chan *relay.Message))} {
		if !errors.Is(err, relay.ErrAttached) || err.Error() != "receiver already attached" || kindOf(err) != "AlreadyExists" {
			t.Errorf("second receiver: %v (%s)", err, kindOf(err))
		}
	}
	for _, err := range []error{h.Attach(pid, nil), h.AttachChan(pid, nil)} {
		if !errors.Is(err, relay.ErrNilReceiver) || kindOf(err) != "Invalid" {
			t.Errorf("nil receiver: %v", err)
		}
	}
	if !h.Detach(pid) || h.Detach(pid) {
		t.Error("Detach does not tell whether there was a receiver")
	}
	if err := h.Attach(pid, (*relay.Message).Release); err != nil {
		t.Errorf("attach again: %v", err)
	}
	if err := h.Receive(nil); !errors.Is(err, relay.ErrNilMessage) {
		t.Errorf("nil message: %v", err)
	}
}

func TestMailboxHostDropsWhatNobodyReceives(t *testing.T) {
	var buf bytes.Buffer
	log := slog.New(slog.NewTextHandler(&buf, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h := relay.NewMailboxHost(relay.WithMailboxWorkers(1), relay.WithMailboxLogger(log))
	if err := h.Receive(mail("s", "nobody", 1)); err != nil {
		t.Fatal(err)
	}
	closeHost(t, h)
	if s := buf.String(); !strings.Contains(s, "level=DEBUG") || !strings.Contains(s, "message dropped") || !strings.Contains(s, "node:control|nobody") {
		t.Errorf("log: %s", s)
	}
}

func TestMailboxHostContainsPanicsOfReceivers(t *testing.T) {
	var buf bytes.Buffer
	h := relay.NewMailboxHost(relay.WithMailboxWorkers(1), relay.WithMailboxLogger(slog.New(slog.NewTextHandler(&buf, nil))))
	got := make(chan any, 1)
	err := h.Attach(relay.NewPID("", "node:control", "a"), func(m *relay.Message) {
		if m.Payload().Data == "bad" {
			panic("boom")
		}
		got <- m.Payload().Data
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(h.Receive(mail("s", "a", "bad")), h.Receive(mail("s", "a", "good"))); err != nil {
		t.Fatal(err)
	}
	if v := <-got; v != "good" {
		t.Errorf("got %v", v)
	}
	closeHost(t, h)
	if s := buf.String(); !strings.Contains(s, "relay: receiver panicked") || !strings.Contains(s, "boom") {
		t.Errorf("log: %s", s)
	}
}

func TestMailboxHostMakesSendersWaitWhenFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := relay.NewMailboxHost(relay.WithMailboxWorkers(1), relay.WithMailboxBuffer(2))
		ch := make(chan *relay.Message)
		if err := h.AttachChan(relay.NewPID("", "node:control", "a"), ch); err != nil {
			t.Fatal(err)
		}
		const total = 100
		sent := 0
		go func() {
			for i := range total {
				if err := h.Receive(mail("s", "a", i)); err != nil {
					t.Error(err)
				}
				sent++
			}
		}()
		synctest.Wait()
		if sent == 0 || sent == total {
			t.Errorf("%d of %d sent into a full queue", sent, total)
		}
		for i := range total {
			if m := <-ch; m.Payload().Data != i {
				t.Errorf("message %d is %v", i, m.Payload().Data)
			}
		}
		synctest.Wait()
		if sent != total {
			t.Errorf("%d of %d sent after all were received", sent, total)
		}
		closeHost(t, h)
	})
}

func TestMailboxHostCloseReleasesSendersAndReceivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := relay.NewMailboxHost(relay.WithMailboxWorkers(1), relay.WithMailboxBuffer(1))
		stuck := make(chan *relay.Message) // never received from
		if err := h.AttachChan(relay.NewPID("", "node:control", "a"), stuck); err != nil {
			t.Fatal(err)
		}
		var errs []error
		go func() {
			for range 100 {
				m := mail("s", "a", 1)
				if err := h.Receive(m); err != nil {
					m.Release() // refused, so it is ours
					errs = append(errs, err)
					return
				}
			}
		}()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		closed := make(chan error)
		go func() { closed <- h.Close(ctx) }()
		synctest.Wait()
		if len(errs) != 1 || !errors.Is(errs[0], relay.ErrStopped) || kindOf(errs[0]) != "Unavailable" {
			t.Errorf("waiting sender got %v", errs)
		}
		cancel()
		if err := <-closed; !errors.Is(err, context.Canceled) {
			t.Errorf("Close = %v", err)
		}
		synctest.Wait() // and the worker ends, or synctest reports a deadlock
		m := mail("s", "a", 1)
		if err := h.Receive(m); !errors.Is(err, relay.ErrStopped) {
			t.Errorf("after Close: %v", err)
		}
	})
}

func TestMailboxHostDetachFreesABlockedWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := relay.NewMailboxHost(relay.WithMailboxWorkers(1))
		a, b := relay.NewPID("", "node:control", "a"), relay.NewPID("", "node:control", "b")
		got := make(chan *relay.Message, 1)
		if err := errors.Join(h.AttachChan(a, make(chan *relay.Message)), h.AttachChan(b, got)); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(h.Receive(mail("s", "a", 1)), h.Receive(mail("s", "b", 2))); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if len(got) != 0 {
			t.Error("order was not kept")
		}
		h.Detach(a)
		if m := <-got; m.Payload().Data != 2 {
			t.Errorf("got %v", m.Payload().Data)
		}
		closeHost(t, h)
	})
}

// TestMailboxHostKeepsOrderPerSenderProperty lets several senders send to several
// receivers and checks that each sender's messages arrive once, in order, and one
// at a time.
func TestMailboxHostKeepsOrderPerSenderProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		workers := rapid.IntRange(1, 4).Draw(t, "workers")
		buffer := rapid.IntRange(1, 8).Draw(t, "buffer")
		senders := rapid.IntRange(1, 5).Draw(t, "senders")
		count := rapid.IntRange(0, 60).Draw(t, "count")
		h := relay.NewMailboxHost(relay.WithMailboxWorkers(workers), relay.WithMailboxBuffer(buffer))
		type record struct {
			sync.Mutex // TryLock proves that nobody else is handling this sender
			next       int
		}
		seen := make(map[string]*record)
		for s := range senders {
			seen[fmt.Sprint("s", s)] = new(record)
		}
		for r := range 3 {
			err := h.Attach(relay.NewPID("", "node:control", fmt.Sprint("r", r)), func(m *relay.Message) {
				rec := seen[m.From.Uniq()]
				if !rec.TryLock() {
					t.Errorf("two messages of %s at a time", m.From)
					return
				}
				defer rec.Unlock()
				if m.Payload().Data != rec.next {
					t.Errorf("%s: message %v, want %d", m.From, m.Payload().Data, rec.next)
				}
				rec.next++
				m.Release()
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		for s := range senders {
			wg.Go(func() {
				for i := range count {
					if err := h.Receive(mail(fmt.Sprint("s", s), fmt.Sprint("r", i%3), i)); err != nil {
						t.Errorf("Receive: %v", err)
					}
				}
			})
		}
		wg.Wait()
		if err := h.Close(context.Background()); err != nil {
			t.Fatalf("Close: %v", err)
		}
		for s, rec := range seen {
			if rec.next != count {
				t.Errorf("%s: %d of %d arrived", s, rec.next, count)
			}
		}
	})
}

func TestMailboxHostDefaultsAndStats(t *testing.T) {
	h := relay.NewMailboxHost(relay.WithMailboxWorkers(0), relay.WithMailboxBuffer(-1))
	release := make(chan struct{})
	var wg sync.WaitGroup
	wg.Add(relay.DefaultMailboxBuffer)
	if err := h.Attach(relay.NewPID("", "node:control", "b"), func(m *relay.Message) { <-release; m.Release(); wg.Done() }); err != nil {
		t.Fatal(err)
	}
	for range relay.DefaultMailboxBuffer { // all of one sender have room without waiting
		if err := h.Receive(mail("a", "b", 1)); err != nil {
			t.Fatal(err)
		}
	}
	s := h.Stats()
	if len(s.Shards) != relay.DefaultMailboxWorkers || s.HighWater != relay.DefaultMailboxBuffer {
		t.Errorf("%d workers, at most %d messages", len(s.Shards), s.HighWater)
	}
	close(release)
	wg.Wait()
	closeHost(t, h)
}
