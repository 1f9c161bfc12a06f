package eventbus_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

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

func TestSubscribeTakesEffectAtOnce(t *testing.T) {
	bus := eventbus.New()
	var early, late sink
	subscribe(t, bus, "", "", early.add)
	bus.Publish(event("s", "k", "before"))
	subscribe(t, bus, "", "", late.add)
	bus.Publish(event("s", "k", "after"))
	stop(t, bus)
	if got := early.paths(); !slices.Equal(got, []string{"before", "after"}) {
		t.Errorf("early subscriber got %v", got)
	}
	if got := late.paths(); !slices.Equal(got, []string{"after"}) {
		t.Errorf("late subscriber got %v", got)
	}
}

func TestSubscribeRefusals(t *testing.T) {
	canceled, cancel := context.WithCancelCause(context.Background())
	cause := errors.New("because")
	cancel(cause)
	all := eventbus.Pattern{}
	handler := func(eventbus.Event) {}
	bus := eventbus.New(eventbus.WithMaxSubscriptions(2))

	expect := func(what string, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", what, err, want)
		}
	}
	_, err := bus.Subscribe(canceled, all, handler)
	expect("ended context", err, cause)
	_, err = bus.Subscribe(t.Context(), all, nil)
	expect("nil handler", err, eventbus.ErrNilHandler)
	_, err = bus.SubscribeChan(t.Context(), all, nil)
	expect("nil channel", err, eventbus.ErrNilChannel)
	if err.Error() != "nil channel provided" {
		t.Errorf("text %q", err)
	}

	first := subscribe(t, bus, "", "", handler)
	subscribe(t, bus, "", "", handler)
	_, err = bus.Subscribe(t.Context(), all, handler)
	expect("one too many", err, eventbus.ErrTooMany)
	first.Close()
	subscribe(t, bus, "", "", handler) // room again
	if n := bus.Stats().Subscriptions; n != 2 {
		t.Errorf("%d subscriptions, want 2", n)
	}

	stop(t, bus)
	_, err = bus.Subscribe(t.Context(), all, handler)
	expect("stopped bus", err, eventbus.ErrClosed)
	if err.Error() != "bus is closed" {
		t.Errorf("text %q", err)
	}
	if n := bus.Stats().Subscriptions; n != 0 {
		t.Errorf("%d subscriptions on a stopped bus", n)
	}
}

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

func TestBoundedPolicies(t *testing.T) {
	const capacity, published = 4, 10
	for _, tc := range []struct {
		policy  eventbus.Policy
		want    []string
		dropped uint64
		err     error
	}{
		{eventbus.DropOldest, []string{"first", "6", "7", "8", "9"}, 6, eventbus.ErrClosed},
		{eventbus.DropNewest, []string{"first", "0", "1", "2", "3"}, 6, eventbus.ErrClosed},
		{eventbus.CancelOnOverflow, []string{"first"}, 5, eventbus.ErrOverflow},
		{eventbus.Unbounded, append([]string{"first"}, numbered(published)...), 0, eventbus.ErrClosed},
	} {
		t.Run(tc.policy.String(), func(t *testing.T) {
			bus := eventbus.New()
			var got sink
			entered, release := make(chan struct{}), make(chan struct{})
			s := subscribe(t, bus, "", "", func(ev eventbus.Event) {
				got.add(ev)
				if ev.Path == "first" {
					close(entered)
					<-release
				}
			}, eventbus.Bounded(capacity, tc.policy))
			var seen int
			handled := make(chan struct{}, 1)
			subscribe(t, bus, "", "", func(eventbus.Event) { seen++; handled <- struct{}{} })

			bus.Publish(event("s", "k", "first"))
			<-handled
			<-entered // the callback is busy; from here on the queue fills
			for _, path := range numbered(published) {
				bus.Publish(event("s", "k", path))
				<-handled // one by one: dispatched before the next is published
			}
			if tc.policy == eventbus.CancelOnOverflow && s.Err() == nil {
				t.Error("not canceled")
			}
			if n, want := s.Pending(), len(tc.want)-1; n != want {
				t.Errorf("%d pending, want %d", n, want)
			}
			close(release)
			stop(t, bus)
			<-s.Done()
			if paths := got.paths(); !slices.Equal(paths, tc.want) {
				t.Errorf("got %v, want %v", paths, tc.want)
			}
			if s.Dropped() != tc.dropped || !errors.Is(s.Err(), tc.err) {
				t.Errorf("dropped %d, error %v; want %d, %v", s.Dropped(), s.Err(), tc.dropped, tc.err)
			}
		})
	}
}

func TestSubscriptionEndsWithItsContext(t *testing.T) {
	bus := startBus(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	var got sink
	s, err := bus.Subscribe(ctx, eventbus.Pattern{}, got.add)
	if err != nil {
		t.Fatal(err)
	}
	cause := errors.New("enough")
	cancel(cause)
	<-s.Done()
	bus.Publish(event("s", "k", "late"))
	if !errors.Is(s.Err(), cause) || len(got.paths()) != 0 {
		t.Errorf("error %v, events %v", s.Err(), got.paths())
	}
}

func TestCloseFromCallback(t *testing.T) {
	bus := eventbus.New()
	var got sink
	var s *eventbus.Subscription
	ready := make(chan struct{})
	s = subscribe(t, bus, "", "", func(ev eventbus.Event) {
		<-ready
		got.add(ev)
		s.Close()
		s.Close()
	})
	close(ready)
	for _, path := range numbered(500) {
		bus.Publish(event("s", "k", path))
	}
	<-s.Done()
	<-s.Done()
	if paths := got.paths(); !slices.Equal(paths, []string{"0"}) || !errors.Is(s.Err(), eventbus.ErrUnsubscribed) {
		t.Errorf("got %v, error %v", paths, s.Err())
	}
	stop(t, bus)
}

func TestBusMayBeUsedFromCallbacks(t *testing.T) {
	bus := eventbus.New()
	done := make(chan struct{})
	subscribe(t, bus, "a", "", func(ev eventbus.Event) {
		s := subscribe(t, bus, "b", "", func(eventbus.Event) { close(done) })
		bus.Publish(event("b", "k", ""))
		_ = s.ID()
	})
	bus.Publish(event("a", "k", ""))
	<-done
	stop(t, bus)
}

func TestSubscribeChanDeliversInOrderAndFreesABlockedSend(t *testing.T) {
	bus := eventbus.New()
	ch := make(chan eventbus.Event) // no buffer
	s, err := bus.SubscribeChan(t.Context(), eventbus.Pattern{}, ch)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range numbered(300) {
		bus.Publish(event("s", "k", path))
	}
	for _, path := range numbered(200) {
		if ev := <-ch; ev.Path != path {
			t.Fatalf("got %s, want %s", ev.Path, path)
		}
	}
	s.Close() // a hundred are left and nobody receives
	<-s.Done()
	stop(t, bus)
}

func TestPanicIsContained(t *testing.T) {
	reports := make(chan eventbus.PanicReport, 10)
	bus := eventbus.New(eventbus.WithPanicHandler(func(r eventbus.PanicReport) { reports <- r }))
	var got, other sink
	s := subscribe(t, bus, "", "", func(ev eventbus.Event) {
		if ev.Path == "1" || ev.Path == "3" {
			panic("boom " + ev.Path)
		}
		got.add(ev)
	})
	subscribe(t, bus, "", "", other.add)
	for _, path := range numbered(5) {
		bus.Publish(event("s", "k", path))
	}
	stop(t, bus)
	if paths := got.paths(); !slices.Equal(paths, []string{"0", "2", "4"}) {
		t.Errorf("the subscriber that panics got %v", paths)
	}
	if paths := other.paths(); !slices.Equal(paths, numbered(5)) {
		t.Errorf("the other got %v", paths)
	}
	for _, path := range []string{"1", "3"} {
		r := <-reports
		if r.Subscription != s || r.Event.Path != path || r.Value != "boom "+path || !strings.Contains(string(r.Stack), "TestPanicIsContained") {
			t.Errorf("report %+v", r)
		}
	}
}

func TestGoexitInCallbackDoesNotEndTheSubscription(t *testing.T) {
	bus := eventbus.New()
	var got sink
	subscribe(t, bus, "", "", func(ev eventbus.Event) {
		if ev.Path == "1" {
			runtime.Goexit()
		}
		got.add(ev)
	})
	for _, path := range numbered(4) {
		bus.Publish(event("s", "k", path))
	}
	stop(t, bus)
	if paths := got.paths(); !slices.Equal(paths, []string{"0", "2", "3"}) {
		t.Errorf("got %v", paths)
	}
}

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
		if s := bus.Stats(); s.Published != 5000 || s.Subscriptions != 0 {
			t.Fatalf("stats %+v", s)
		}
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

func TestErrorsHaveKinds(t *testing.T) {
	for err, want := range map[error]struct {
		kind      string
		retryable bool
	}{
		eventbus.ErrClosed:        {"Unavailable", false},
		eventbus.ErrTooMany:       {"LimitExceeded", true},
		eventbus.ErrNilChannel:    {"Invalid", false},
		eventbus.ErrNilHandler:    {"Invalid", false},
		eventbus.ErrUnsubscribed:  {"Canceled", false},
		eventbus.ErrOverflow:      {"LimitExceeded", false},
		eventbus.ErrAwaitTimeout:  {"Timeout", true},
		eventbus.ErrRouterStarted: {"InvalidState", false},
	} {
		e := err.(interface {
			Kind() string
			Retryable() (bool, bool)
		})
		if r, known := e.Retryable(); e.Kind() != want.kind || r != want.retryable || !known {
			t.Errorf("%v: kind %s, retryable %v, %v", err, e.Kind(), r, known)
		}
	}
}

func TestIdsAreUniqueAndReadable(t *testing.T) {
	bus := startBus(t)
	a := subscribe(t, bus, "x", "", func(eventbus.Event) {})
	b := subscribe(t, bus, "x", "", func(eventbus.Event) {})
	if a.ID() != "sub.1" || b.ID() != "sub.2" || a.Pattern().System != "x" {
		t.Errorf("ids %s and %s", a.ID(), b.ID())
	}
}

func TestOptionsPrintThemselves(t *testing.T) {
	for want, o := range map[string]any{
		"WithMaxSubscriptions(7)": eventbus.WithMaxSubscriptions(7),
		"WithPanicHandler":        eventbus.WithPanicHandler(nil),
		"Bounded(1, DropOldest)":  eventbus.Bounded(0, eventbus.DropOldest),
		"Policy(9)":               eventbus.Policy(9),
	} {
		if got := fmt.Sprint(o); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
