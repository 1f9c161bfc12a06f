package eventbus_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/wippyrun/kit/eventbus"
)

func TestPublishDoesNotAllocate(t *testing.T) {
	bus := startBus(t)
	handled := make(chan struct{}, 1)
	subscribe(t, bus, "process", "process.*", func(eventbus.Event) { handled <- struct{}{} })
	for name, ev := range map[string]eventbus.Event{"matching": benchEvent} {
		n := testing.AllocsPerRun(1000, func() {
			bus.Publish(ev)
			<-handled
		})
		if n != 0 {
			t.Errorf("%s: %v allocations per event", name, n)
		}
	}
}

// blob counts how many of its kind the collector has found dead.
type blob [1 << 10]byte

func newBlob(dead *atomic.Int64) *blob {
	b := new(blob)
	runtime.AddCleanup(b, func(n *atomic.Int64) { n.Add(1) }, dead)
	return b
}

// collect runs the collector until ok or until it is clear that it will not be.
func collect(ok func() bool) bool {
	for range 100 {
		if ok() {
			return true
		}
		runtime.GC()
		runtime.Gosched()
	}
	return ok()
}

func TestQuietBusKeepsNoEventAlive(t *testing.T) {
	bus := startBus(t)
	var dead, seen atomic.Int64
	done := make(chan struct{})
	const n = 1000
	subscribe(t, bus, "", "", func(eventbus.Event) {
		if seen.Add(1) == n {
			close(done)
		}
	})
	subscribe(t, bus, "", "", func(eventbus.Event) {})
	closed := subscribe(t, bus, "", "", func(eventbus.Event) { <-done })
	for range n {
		bus.Publish(eventbus.Event{System: "s", Kind: "k", Data: newBlob(&dead)})
	}
	<-done
	closed.Close()
	if !collect(func() bool { return dead.Load() == n }) {
		t.Errorf("%d of %d events are still alive", n-dead.Load(), n)
	}
}

// TestStuckSubscriberKeepsBoundedMemory publishes to a subscriber that never returns
// and wants one event in a hundred. Neither the events it waits for, beyond its
// capacity, nor the others stay alive.
func TestStuckSubscriberKeepsBoundedMemory(t *testing.T) {
	for _, policy := range []eventbus.Policy{eventbus.DropOldest, eventbus.DropNewest, eventbus.CancelOnOverflow} {
		t.Run(policy.String(), func(t *testing.T) {
			const capacity, n, every = 64, 20_000, 100
			bus := startBus(t)
			release := make(chan struct{})
			defer close(release)
			subscribe(t, bus, "rare", "", func(eventbus.Event) { <-release }, eventbus.Bounded(capacity, policy))
			var dead atomic.Int64
			for i := range n {
				ev := eventbus.Event{System: "common", Kind: "k", Data: newBlob(&dead)}
				if i%every == 0 {
					ev.System = "rare"
				}
				bus.Publish(ev)
			}
			settle(t, bus)
			// Chunks of 128: up to nine of a sparse queue, one with the callback, one with
			// the dispatcher and the one being filled.
			const allowed = (9 + 1 + 1 + 1) * 128
			if !collect(func() bool { return n-dead.Load() <= allowed }) {
				t.Errorf("%d events are alive, want at most %d", n-dead.Load(), allowed)
			}
		})
	}
}

func TestIdleSubscriptionCostsLittle(t *testing.T) {
	const n = 10_000
	bus := startBus(t)
	before := heap()
	goroutines := runtime.NumGoroutine()
	subs := make([]*eventbus.Subscription, n)
	for i := range subs {
		s, err := bus.Subscribe(context.Background(), eventbus.Pattern{System: "s", Kind: "k"}, func(eventbus.Event) {})
		if err != nil {
			t.Fatal(err)
		}
		subs[i] = s
	}
	settle(t, bus)
	if got := runtime.NumGoroutine() - goroutines; got > 2 {
		t.Errorf("%d goroutines for %d idle subscriptions", got, n)
	}
	if each := (heap() - before) / n; each > 600 {
		t.Errorf("%d bytes per idle subscription", each)
	}
	runtime.KeepAlive(subs)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
