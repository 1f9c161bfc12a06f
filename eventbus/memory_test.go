package eventbus_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wippyrun/kit/eventbus"
)

func TestPublishDoesNotAllocate(t *testing.T) {
	bus := startBus(t)
	handled := make(chan struct{}, 1)
	subscribe(t, bus, "process", "process.*", func(eventbus.Event) { handled <- struct{}{} })
	if n := testing.AllocsPerRun(1000, func() {
		bus.Publish(benchEvent)
		<-handled
	}); n != 0 {
		t.Errorf("%v allocations per event", n)
	}
}

// blob counts how many of its kind the collector has found dead.
type blob [1 << 10]byte

func newBlob(dead *atomic.Int64) *blob {
	b := new(blob)
	runtime.AddCleanup(b, func(n *atomic.Int64) { n.Add(1) }, dead)
	return b
}

// collect runs the collector until ok or until it is clear that it will not be. Cleanups are
// called by a goroutine that a busy machine may hold up for longer than many collections take.
func collect(ok func() bool) bool {
	for start := time.Now(); time.Since(start) < time.Minute; {
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
			step, stepped := make(chan struct{}), make(chan struct{}, n)
			defer close(step)
			subscribe(t, bus, "rare", "", func(eventbus.Event) {
				stepped <- struct{}{}
				<-step
			}, eventbus.Bounded(capacity, policy))
			var dead atomic.Int64
			for i := range n {
				ev := eventbus.Event{System: "common", Kind: "k", Data: newBlob(&dead)}
				if i%every == 0 {
					ev.System = "rare"
				}
				bus.Publish(ev)
				if i == 7*every {
					// Let it go on to what has come meanwhile, in several chunks, and get
					// stuck again.
					settle(t, bus)
					<-stepped
					step <- struct{}{}
					<-stepped
				}
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

// TestSubscriberStuckForEverKeepsWhatItsPolicySays lets a million events pass a
// subscriber that never returns. What they refer to stays alive as far as the policy says,
// and the others see them all.
func TestSubscriberStuckForEverKeepsWhatItsPolicySays(t *testing.T) {
	const n, capacity = 1_000_000, 1024
	// What is published is dispatched from time to time, as publishing is faster and the
	// queue in front of the dispatcher is not what this is about.
	const between = 1 << 14
	type payload [6]uint64
	const size = 48 + 128 // of a payload, and what an event takes up in a queue, with some room
	const some = 4 << 20  // queues, pools, the collector's own
	for _, tc := range []struct {
		policy  eventbus.Policy
		kept    int64 // bytes
		dropped uint64
	}{
		{eventbus.DropOldest, capacity * size, n - capacity - capacity/8},
		{eventbus.DropNewest, capacity * size, n - capacity - capacity/8},
		{eventbus.CancelOnOverflow, 0, capacity},
		{eventbus.Unbounded, n * size, 0},
	} {
		t.Run(tc.policy.String(), func(t *testing.T) {
			bus := startBus(t)
			release, entered := make(chan struct{}), make(chan struct{})
			var once sync.Once
			defer close(release)
			stuck := subscribe(t, bus, "", "", func(eventbus.Event) {
				once.Do(func() { close(entered) })
				<-release
			}, eventbus.Bounded(capacity, tc.policy))
			all := newCounter(n + 1)
			subscribe(t, bus, "s", "", func(eventbus.Event) { all.add(1) })
			bus.Publish(event("s", "k", ""))
			<-entered

			before := heap()
			for i := range n {
				bus.Publish(eventbus.Event{System: "s", Kind: "k", Data: new(payload)})
				if i%between == 0 {
					settle(t, bus)
				}
			}
			settle(t, bus)
			bus.Publish(event("last", "k", ""))
			<-all.done // what waits for the other subscriber is not what this is about
			if kept := heap() - before; kept > tc.kept+some {
				t.Errorf("%d bytes are alive, want at most %d", kept, tc.kept+some)
			}
			if got := stuck.Dropped(); got < tc.dropped || got > n || tc.dropped == 0 && got > 0 {
				t.Errorf("%d dropped, want at least %d", got, tc.dropped)
			}
		})
	}
}

// TestIdleSubscriptionsKeepNoChunkAlive delivers one event to each of many
// subscriptions, among many others. What the events were stored in must not be kept.
func TestIdleSubscriptionsKeepNoChunkAlive(t *testing.T) {
	const n = 100
	bus := startBus(t)
	handled := make(chan struct{}, 1)
	kinds := numbered(n)
	for _, kind := range kinds {
		for range 2 {
			subscribe(t, bus, "s", kind, func(ev eventbus.Event) {
				if ev.Path == "last" {
					handled <- struct{}{}
				}
			})
		}
	}
	before := heap()
	for _, kind := range kinds {
		for range 130 { // more than a chunk, and in turns, so that slices grow
			bus.Publish(event("s", kind, ""))
			bus.Publish(event("s", "nobody", ""))
		}
		bus.Publish(event("s", kind, "last"))
		<-handled
		<-handled
		heap() // nothing is left in pools, so that each subscription sees other chunks
	}
	if kept := (heap() - before) / n; kept > 3<<10 {
		t.Errorf("%d bytes per kind are alive, of which two subscriptions should have next to nothing", kept)
	}
}

// TestBurstLeavesNothingBehind changes subscriptions, each of a new pattern, and publishes
// faster than the dispatcher can follow: neither its backlog nor patterns stay.
func TestBurstLeavesNothingBehind(t *testing.T) {
	const n = 50_000
	bus := startBus(t)
	subscribe(t, bus, "(a|y)", "", func(eventbus.Event) {})
	settle(t, bus)
	before := heap()
	for i := range n {
		s := subscribe(t, bus, fmt.Sprintf("(a|x%d)", i), fmt.Sprint(i), func(eventbus.Event) {})
		s.Close()
		bus.Publish(event("s", "k", ""))
	}
	settle(t, bus)
	if kept := heap() - before; kept > 1<<20 {
		t.Errorf("%d bytes are alive after a burst", kept)
	}
}

// TestFloodOfTopicsDoesNotGrowMemory publishes topics of which there is no end, in parts
// of large strings.
func TestFloodOfTopicsDoesNotGrowMemory(t *testing.T) {
	bus := startBus(t)
	const first, rest = 20_000, 60_000
	every, some := 0, 0
	ended := make(chan struct{}, 2)
	counting := func(n *int) func(eventbus.Event) {
		return func(ev eventbus.Event) {
			if ev.Path == "end" {
				ended <- struct{}{}
				return
			}
			*n++
		}
	}
	subscribe(t, bus, "s", "", counting(&every))
	subscribe(t, bus, "s", "*.7", counting(&some))
	published := 0
	flood := func(n int) {
		for range n {
			text := strings.Repeat("x", 4000) + fmt.Sprintf("%d.%d", published, published%10)
			bus.Publish(event("s", text[4000:], ""))
			published++
		}
		bus.Publish(event("s", "end.7", "end")) // no settle: a new pattern empties the cache
		<-ended                                 // and nothing waits any more
		<-ended
	}
	before := heap()
	flood(first) // fills whatever has a bound
	filled := heap()
	flood(rest)
	after := heap()
	if after-before > 3<<20 || after-filled > 1<<20 {
		t.Errorf("%d bytes after the first topics, %d more after three times as many", filled-before, after-filled)
	}
	if every != published || some != published/10 {
		t.Errorf("%d and %d events seen of %d and %d", every, some, published, published/10)
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

// heap returns the bytes in live objects. Pools are empty afterwards: what is in them
// survives one collection.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
