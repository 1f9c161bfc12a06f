package eventbus_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/wippyrun/kit/eventbus"
)

// sink collects events.
type sink struct {
	mu     sync.Mutex
	events []eventbus.Event
}

func (s *sink) add(ev eventbus.Event) {
	s.mu.Lock()
	s.events = append(s.events, ev)
	s.mu.Unlock()
}

func (s *sink) paths() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	paths := make([]string, len(s.events))
	for i, ev := range s.events {
		paths[i] = ev.Path
	}
	return paths
}

func subscribe(t testing.TB, bus *eventbus.Bus, system, kind string, handler func(eventbus.Event), opts ...eventbus.SubscribeOption) *eventbus.Subscription {
	t.Helper()
	s, err := bus.Subscribe(t.Context(), eventbus.Pattern{System: system, Kind: kind}, handler, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// stop stops the bus and waits for everything published to be delivered.
func stop(t testing.TB, bus *eventbus.Bus) {
	t.Helper()
	if err := bus.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// startBus returns a bus that is stopped after the test.
func startBus(t testing.TB, opts ...eventbus.Option) *eventbus.Bus {
	t.Helper()
	bus := eventbus.New(opts...)
	t.Cleanup(func() { stop(t, bus) })
	return bus
}

func event(system, kind, path string) eventbus.Event {
	return eventbus.Event{System: system, Kind: kind, Path: path}
}

func numbered(n int) []string {
	paths := make([]string, n)
	for i := range paths {
		paths[i] = fmt.Sprint(i)
	}
	return paths
}

func TestEventsReachMatchingSubscribers(t *testing.T) {
	topics := [][2]string{
		{"registry", "entry.create"}, {"registry", "registry.begin"}, {"registry", "entry"},
		{"process", "process.started"}, {"a.b", "c"}, {"", ""},
	}
	for _, tc := range []struct {
		system, kind string
		want         []int // indexes of topics
	}{
		{"", "", []int{0, 1, 2, 3, 4, 5}},
		{"**", "**", []int{0, 1, 2, 3, 4, 5}},
		{"*", "", []int{0, 1, 2, 3}},
		{"registry", "", []int{0, 1, 2}},
		{"registry", "registry.*", []int{1}},
		{"registry", "(entry|registry).*", []int{0, 1}},
		{"registry", "entry.**", []int{0, 2}},
		{"(registry|process)", "*.*", []int{0, 1, 3}},
		{"", "*", []int{2, 4}},
		{"a.*", "c", []int{4}},
		{"registry.entry", "create", nil},
		{"nobody", "", nil},
	} {
		t.Run(tc.system+"/"+tc.kind, func(t *testing.T) {
			bus := eventbus.New()
			var got sink
			subscribe(t, bus, tc.system, tc.kind, got.add)
			for i, topic := range topics {
				bus.Publish(event(topic[0], topic[1], fmt.Sprint(i)))
			}
			stop(t, bus)
			var want []string
			for _, i := range tc.want {
				want = append(want, fmt.Sprint(i))
			}
			if paths := got.paths(); !slices.Equal(paths, want) {
				t.Errorf("got %v, want %v", paths, want)
			}
		})
	}
}

func TestSubscriberSeesPublishOrder(t *testing.T) {
	const publishers, each = 4, 2000
	bus := eventbus.New()
	var all, second, some sink
	subscribe(t, bus, "", "", all.add)
	subscribe(t, bus, "*", "**", second.add)
	subscribe(t, bus, "s", "(k1|k3)", some.add)
	var wg sync.WaitGroup
	for p := range publishers {
		wg.Go(func() {
			for i := range each {
				bus.Publish(eventbus.Event{System: "s", Kind: fmt.Sprintf("k%d", p), Path: fmt.Sprintf("%d/%d", p, i), Data: i})
			}
		})
	}
	wg.Wait()
	stop(t, bus)
	if len(all.events) != publishers*each || len(some.events) != 2*each {
		t.Fatalf("delivered %d and %d events, want %d and %d", len(all.events), len(some.events), publishers*each, 2*each)
	}
	next := map[string]int{}
	for _, ev := range all.events {
		if ev.Data != next[ev.Kind] {
			t.Fatalf("event %v of %s, want %d", ev.Data, ev.Kind, next[ev.Kind])
		}
		next[ev.Kind]++
	}
	if !slices.Equal(all.events, second.events) {
		t.Error("two subscribers see different orders")
	}
	only := slices.DeleteFunc(slices.Clone(all.events), func(ev eventbus.Event) bool { return ev.Kind == "k0" || ev.Kind == "k2" })
	if !slices.Equal(only, some.events) {
		t.Error("a subscriber of some topics sees another order")
	}
}

// TestManyTopics uses far more topics than are remembered at a time.
func TestManyTopics(t *testing.T) {
	const n = 40_000
	bus := eventbus.New()
	var every, some atomic.Int64
	subscribe(t, bus, "", "", func(eventbus.Event) { every.Add(1) })
	subscribe(t, bus, "s", "*.7", func(eventbus.Event) { some.Add(1) })
	for i := range n {
		bus.Publish(event("s", fmt.Sprintf("%d.%d", i/10, i%10), ""))
	}
	stop(t, bus)
	if every.Load() != n || some.Load() != n/10 {
		t.Errorf("delivered %d and %d, want %d and %d", every.Load(), some.Load(), n, n/10)
	}
}
