package eventbus_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wippyrun/kit/eventbus"
)

func TestStopDeliversWhatWasPublished(t *testing.T) {
	bus := eventbus.New()
	var n atomic.Int64
	subscribe(t, bus, "", "", func(eventbus.Event) { n.Add(1) })
	for range 10_000 {
		bus.Publish(event("s", "k", ""))
	}
	stop(t, bus)
	if n.Load() != 10_000 {
		t.Errorf("delivered %d", n.Load())
	}
	bus.Publish(event("s", "k", "late"))
	bus.Publish(event("s", "k", "later"))
	if s := bus.Stats(); s.Published != 10_000 || s.Dropped != 2 {
		t.Errorf("stats %+v", s)
	}
	stop(t, bus) // again
}

func TestStopGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := eventbus.New()
		release := make(chan struct{})
		var got sink
		s := subscribe(t, bus, "", "", func(ev eventbus.Event) { got.add(ev); <-release })
		for _, path := range numbered(5) {
			bus.Publish(event("s", "k", path))
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := bus.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if !errors.Is(s.Err(), eventbus.ErrClosed) {
			t.Errorf("subscription error %v", s.Err())
		}
		close(release)
		stop(t, bus)
		if paths := got.paths(); !slices.Equal(paths, []string{"0"}) {
			t.Errorf("got %v after the bus gave up", paths)
		}
	})
}

func TestStopWithAnEndedContextEndsEverything(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for range 50 {
		bus := eventbus.New()
		var subs []*eventbus.Subscription
		for range 4 {
			subs = append(subs, subscribe(t, bus, "", "", func(eventbus.Event) {}))
		}
		for range 5000 {
			bus.Publish(event("s", "k", ""))
		}
		if err := bus.Stop(ended); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		for _, s := range subs {
			<-s.Done()
			if !errors.Is(s.Err(), eventbus.ErrClosed) {
				t.Fatalf("subscription error %v", s.Err())
			}
		}
		s := bus.Stats()
		if s.Published != 5000 || s.Subscriptions != 0 || s.Queued != uint64(len(subs))*(s.Published-s.Dropped) {
			t.Fatalf("stats %+v", s)
		}
	}
}

// TestStopThatGivesUpDropsWhatIsQueued holds up the dispatcher, so that events are in
// front of it when Stop gives up.
func TestStopThatGivesUpDropsWhatIsQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		told := recorder{then: func() { <-release }}
		bus := eventbus.New(eventbus.WithMetrics(&told))
		var got sink
		subscribe(t, bus, "", "", got.add)
		bus.Publish(event("s", "k", "dispatched"))
		synctest.Wait()
		for range 1000 {
			bus.Publish(event("s", "k", "queued"))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go func() {
			<-ctx.Done()
			synctest.Wait() // until Stop has given up
			close(release)
		}()
		if err := bus.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if paths := got.paths(); !slices.Equal(paths, []string{"dispatched"}) || bus.Stats().Dropped != 1000 {
			t.Errorf("delivered %d, stats %+v", len(paths), bus.Stats())
		}
		stop(t, bus)
	})
}

// TestStopWaitsForCallbacksOfClosedSubscriptions has a callback that outlives its
// subscription.
func TestStopWaitsForCallbacksOfClosedSubscriptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := eventbus.New()
		release := make(chan struct{})
		s := subscribe(t, bus, "", "", func(eventbus.Event) { <-release })
		bus.Publish(event("s", "k", ""))
		synctest.Wait()
		s.Close()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := bus.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v while a callback is running", err)
		}
		close(release)
		stop(t, bus)
	})
}

// TestStopLeavesNoGoroutine counts in a bubble, where nobody else starts any: the test
// would hang if one were left.
func TestStopLeavesNoGoroutine(t *testing.T) {
	for _, events := range []int{0, 1, 1000} {
		t.Run(fmt.Sprint(events), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bus := eventbus.New()
				for range 10 {
					subscribe(t, bus, "", "", func(eventbus.Event) {})
				}
				for range events {
					bus.Publish(event("s", "k", ""))
				}
				stop(t, bus)
			})
		})
	}
}

func TestUnusedBusHasNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	buses := make([]*eventbus.Bus, 100)
	for i := range buses {
		buses[i] = eventbus.New()
	}
	if n := runtime.NumGoroutine() - before; n >= len(buses) {
		t.Errorf("%d goroutines for %d buses", n, len(buses))
	}
	for _, bus := range buses {
		stop(t, bus)
	}
}

// TestConcurrentStopsAllReturn stops one bus from many goroutines, while events and
// subscriptions still come in.
func TestConcurrentStopsAllReturn(t *testing.T) {
	for range 50 {
		bus := eventbus.New()
		var delivered atomic.Uint64
		subscribe(t, bus, "", "", func(eventbus.Event) { delivered.Add(1) })
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				for range 200 {
					bus.Publish(event("s", "k", ""))
				}
			})
			wg.Go(func() {
				for {
					s, err := bus.Subscribe(context.Background(), eventbus.Pattern{System: fmt.Sprint(i)}, func(eventbus.Event) {})
					if err != nil {
						if !errors.Is(err, eventbus.ErrClosed) {
							t.Error(err)
						}
						return
					}
					s.Close()
				}
			})
			wg.Go(func() { stop(t, bus) })
		}
		wg.Wait()
		s := bus.Stats()
		if s.Published+s.Dropped != 800 || delivered.Load() != s.Published || s.Subscriptions != 0 {
			t.Fatalf("delivered %d; stats %+v", delivered.Load(), s)
		}
	}
}
