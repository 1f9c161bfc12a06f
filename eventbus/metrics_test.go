package eventbus_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/wippyrun/kit/eventbus"
)

// recorder is a Metrics that writes down what it is told, and then does what it is asked
// to. Its methods are called one at a time.
type recorder struct {
	told []string
	then func()
}

func (r *recorder) Dispatched(system, kind string, events, subscriptions int) {
	r.told = append(r.told, fmt.Sprintf("%s.%s %d to %d", system, kind, events, subscriptions))
	if r.then != nil {
		r.then()
	}
}

func (r *recorder) Overflowed(s *eventbus.Subscription, events int) {
	r.told = append(r.told, fmt.Sprintf("%s lost %d", s.ID(), events))
}

func TestMetricsAreToldWhatIsDispatchedAndDropped(t *testing.T) {
	var told recorder
	bus := eventbus.New(eventbus.WithMetrics(&told))
	release, entered := make(chan struct{}), make(chan struct{})
	subscribe(t, bus, "a", "", func(ev eventbus.Event) {
		if ev.Path == "first" {
			close(entered)
			<-release
		}
	}, eventbus.Bounded(2, eventbus.DropOldest))
	subscribe(t, bus, "", "k", func(eventbus.Event) {})

	bus.Publish(event("a", "k", "first"))
	<-entered
	for range 3 {
		bus.Publish(event("a", "k", ""))
		settle(t, bus)
	}
	bus.Publish(event("nobody", "x", ""))
	close(release)
	stop(t, bus)
	told.told = slices.DeleteFunc(told.told, func(s string) bool { return strings.HasPrefix(s, "settle.") })
	want := []string{"a.k 1 to 2", "a.k 1 to 2", "a.k 1 to 2", "a.k 1 to 2", "sub.1 lost 1", "nobody.x 1 to 0"}
	if !slices.Equal(told.told, want) {
		t.Errorf("got %q, want %q", told.told, want)
	}
}

func TestStatsAddUp(t *testing.T) {
	bus := eventbus.New()
	var called atomic.Uint64
	release := make(chan struct{})
	wait := func(eventbus.Event) { called.Add(1); <-release }
	closed := subscribe(t, bus, "", "", wait)
	subscribe(t, bus, "", "", wait, eventbus.Bounded(3, eventbus.DropOldest))
	subscribe(t, bus, "", "", wait, eventbus.Bounded(20, eventbus.DropNewest))
	canceled := subscribe(t, bus, "", "", wait, eventbus.Bounded(5, eventbus.CancelOnOverflow))
	subscribe(t, bus, "", "", func(eventbus.Event) { called.Add(1) })
	subscribe(t, bus, "other", "", func(eventbus.Event) { called.Add(1) })
	for range 500 {
		bus.Publish(event("s", "k", ""))
	}
	settle(t, bus)
	if canceled.Err() == nil {
		t.Fatal("not canceled; the test does not reach what it is for")
	}
	closed.Close()
	close(release)
	stop(t, bus)
	bus.Publish(event("s", "k", "late"))

	s := bus.Stats()
	if s.Published != 501 || s.Dropped != 1 || s.Subscriptions != 0 || s.Panics != 0 {
		t.Errorf("got %+v", s)
	}
	if s.Overflowed < 400 || s.Discarded < 400 {
		t.Errorf("got %+v; a policy and a Close each lost more than 400", s)
	}
	settled := uint64(6) // by the five that match everything, and by the one of settle itself
	if got, want := s.Queued-s.Overflowed-s.Discarded, called.Load()+1; got != want || s.Queued < 4*500+settled-1 {
		t.Errorf("callbacks were called %d times; %+v says %d", want, s, got)
	}
}

func TestPanicInMetricsIsContained(t *testing.T) {
	reports := make(chan eventbus.PanicReport, 1)
	told := recorder{then: func() { panic("boom") }}
	bus := eventbus.New(eventbus.WithMetrics(&told), eventbus.WithPanicHandler(func(r eventbus.PanicReport) {
		select {
		case reports <- r:
		default:
		}
	}))
	var got sink
	subscribe(t, bus, "", "", got.add)
	for _, path := range numbered(300) {
		bus.Publish(event("s", "k", path))
	}
	stop(t, bus)
	if paths := got.paths(); !slices.Equal(paths, numbered(300)) {
		t.Errorf("got %v", paths)
	}
	if r := <-reports; r.Subscription != nil || r.Value != "boom" || !strings.Contains(string(r.Stack), "Dispatched") {
		t.Errorf("report %+v", r)
	}
	if bus.Stats().Panics == 0 {
		t.Error("the panic was not counted")
	}
}

func TestGoexitInMetricsDoesNotEndTheBus(t *testing.T) {
	told := recorder{then: runtime.Goexit}
	bus := eventbus.New(eventbus.WithMetrics(&told))
	var got, late sink
	subscribe(t, bus, "", "", got.add)
	for _, path := range numbered(300) {
		bus.Publish(event("s", "k", path))
	}
	subscribe(t, bus, "", "", late.add)
	bus.Publish(event("s", "k", "last"))
	stop(t, bus)
	if paths := got.paths(); !slices.Equal(paths, append(numbered(300), "last")) {
		t.Errorf("got %v", paths)
	}
	if paths := late.paths(); !slices.Equal(paths, []string{"last"}) {
		t.Errorf("the late subscriber got %v", paths)
	}
}

// counters is a Metrics as an adapter to Prometheus or OpenTelemetry would be: labels
// are resolved once, and then only numbers move.
type counters struct {
	byTopic    map[[2]string]*atomic.Int64
	overflowed atomic.Int64
}

func (c *counters) Dispatched(system, kind string, events, _ int) {
	n := c.byTopic[[2]string{system, kind}]
	if n == nil {
		n = new(atomic.Int64)
		c.byTopic[[2]string{system, kind}] = n
	}
	n.Add(int64(events))
}

func (c *counters) Overflowed(_ *eventbus.Subscription, events int) { c.overflowed.Add(int64(events)) }

func TestMetricsDoNotAllocate(t *testing.T) {
	c := &counters{byTopic: make(map[[2]string]*atomic.Int64)}
	bus := startBus(t, eventbus.WithMetrics(c))
	handled := make(chan struct{}, 1)
	release := make(chan struct{})
	defer close(release)
	subscribe(t, bus, "", "", func(eventbus.Event) { handled <- struct{}{} })
	subscribe(t, bus, "", "", func(eventbus.Event) { <-release }, eventbus.Bounded(1, eventbus.DropOldest))
	var stats eventbus.Stats
	if n := testing.AllocsPerRun(1000, func() {
		bus.Publish(benchEvent)
		<-handled
		stats = bus.Stats()
	}); n != 0 {
		t.Errorf("%v allocations per event", n)
	}
	if stats.Published < 1000 || c.overflowed.Load() == 0 {
		t.Errorf("stats %+v, %d dropped", stats, c.overflowed.Load())
	}
}

func TestMetricsMayPublish(t *testing.T) {
	told := recorder{}
	bus := eventbus.New(eventbus.WithMetrics(&told))
	told.then = func() {
		if len(told.told) == 1 {
			bus.Publish(event("metrics", "told", ""))
		}
	}
	got := make(chan string, 2)
	subscribe(t, bus, "", "", func(ev eventbus.Event) { got <- ev.System })
	bus.Publish(event("s", "k", ""))
	if a, b := <-got, <-got; a != "s" || b != "metrics" {
		t.Errorf("got %s and %s", a, b)
	}
	if err := bus.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
}
