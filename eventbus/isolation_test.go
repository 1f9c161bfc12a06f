package eventbus_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/wippyrun/kit/eventbus"
)

func TestStuckSubscriberDelaysNobody(t *testing.T) {
	bus := eventbus.New()
	release := make(chan struct{})
	stuck := subscribe(t, bus, "", "", func(eventbus.Event) { <-release })
	got := make(chan string, 1)
	subscribe(t, bus, "", "", func(ev eventbus.Event) { got <- ev.Path })
	for _, path := range numbered(1000) {
		bus.Publish(event("s", "k", path))
		if p := <-got; p != path {
			t.Fatalf("got %s, want %s", p, path)
		}
	}
	stuck.Close()
	select {
	case <-stuck.Done():
		t.Error("Done although the callback has not returned")
	default:
	}
	close(release)
	<-stuck.Done()
	stop(t, bus)
}

// TestCallbacksMayWaitForEachOther passes only when all callbacks of an event run at
// the same time: each waits until the last one has begun.
func TestCallbacksMayWaitForEachOther(t *testing.T) {
	const n = 200
	bus := eventbus.New()
	for range n {
		subscribe(t, bus, "", "", func(ev eventbus.Event) {
			begun := ev.Data.(*sync.WaitGroup)
			begun.Done()
			begun.Wait()
		})
	}
	for range 3 {
		var begun sync.WaitGroup
		begun.Add(n)
		bus.Publish(eventbus.Event{System: "s", Kind: "k", Data: &begun})
		begun.Wait()
	}
	stop(t, bus)
}

// TestManyStuckSubscribersDelayNobody has more callbacks stuck than processors, and
// checks in a bubble, where nothing can be owed to a time-out, that the rest still
// get everything.
func TestManyStuckSubscribersDelayNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := eventbus.New()
		release := make(chan struct{})
		var free [10]sink
		for i := range 100 {
			if i%10 == 5 {
				subscribe(t, bus, "", "", free[i/10].add)
			} else {
				subscribe(t, bus, "", "", func(eventbus.Event) { <-release })
			}
		}
		for _, path := range numbered(5) {
			bus.Publish(event("s", "k", path))
			synctest.Wait()
		}
		for i := range free {
			if got := free[i].paths(); !slices.Equal(got, numbered(5)) {
				t.Errorf("subscriber %d got %v", i, got)
			}
		}
		close(release)
		stop(t, bus)
	})
}

// TestReadySubscriptionsComeAndGo keeps the list of ready subscriptions moving while
// some callbacks are busy.
func TestReadySubscriptionsComeAndGo(t *testing.T) {
	const subs, rounds = 150, 20
	bus := eventbus.New()
	var n atomic.Int64
	step := make(chan struct{}, subs*rounds)
	for i := range subs {
		subscribe(t, bus, fmt.Sprintf("s%d", i%3), "", func(eventbus.Event) {
			if n.Add(1)%7 == 0 {
				<-step
			}
		})
	}
	for i := range 3 * rounds {
		bus.Publish(event(fmt.Sprintf("s%d", i%3), "k", ""))
		step <- struct{}{}
	}
	close(step)
	stop(t, bus)
	if n.Load() != subs*rounds {
		t.Errorf("delivered %d, want %d", n.Load(), subs*rounds)
	}
}
