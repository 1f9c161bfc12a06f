package eventbus_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wippyrun/kit/eventbus"
)

var benchEvent = eventbus.Event{System: "process", Kind: "process.started", Path: "app:worker", Data: 1}

// counter lets a benchmark wait until the subscribers together have handled a
// number of events.
type counter struct {
	left atomic.Int64
	done chan struct{}
}

func newCounter(n int) *counter {
	c := &counter{done: make(chan struct{})}
	c.left.Store(int64(n))
	return c
}

func (c *counter) add(n int64) {
	if c.left.Add(-n) == 0 {
		close(c.done)
	}
}

// runPublish publishes b.N events to `matching` subscribers and waits until all
// have handled all. Each counts for itself, so that counting costs next to nothing.
func runPublish(b *testing.B, bus *eventbus.Bus, matching int, opts ...eventbus.SubscribeOption) {
	b.Helper()
	n := b.N
	all := newCounter(matching)
	for range matching {
		seen := 0
		_, err := bus.Subscribe(context.Background(), eventbus.Pattern{System: "process", Kind: "process.*"}, func(eventbus.Event) {
			if seen++; seen == n {
				all.add(1)
			}
		}, opts...)
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	for range n {
		bus.Publish(benchEvent)
	}
	<-all.done
	b.StopTimer()
}

func newBus(b testing.TB, opts ...eventbus.Option) *eventbus.Bus {
	b.Helper()
	bus := eventbus.New(opts...)
	b.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // benchmarks do not wait for what is left
		_ = bus.Stop(ctx)
	})
	return bus
}

func BenchmarkPublishDelivered(b *testing.B) { runPublish(b, newBus(b), 1) }

func BenchmarkPublishDeliveredAmong10000(b *testing.B) {
	bus := newBus(b)
	for i := range 10_000 {
		p := eventbus.Pattern{System: "(process|registry)", Kind: fmt.Sprintf("other.%d.**", i)}
		if _, err := bus.Subscribe(context.Background(), p, func(eventbus.Event) {}); err != nil {
			b.Fatal(err)
		}
	}
	runPublish(b, bus, 1)
}

func BenchmarkFanOut1000(b *testing.B) {
	runPublish(b, newBus(b), 1000)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/delivery")
}

// BenchmarkFanOut1000OneByOne publishes an event only when all have handled the
// one before: the cost of waking a thousand idle subscribers.
func BenchmarkFanOut1000OneByOne(b *testing.B) {
	bus := newBus(b)
	var wg sync.WaitGroup
	for range 1000 {
		if _, err := bus.Subscribe(context.Background(), eventbus.Pattern{}, func(eventbus.Event) { wg.Done() }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		wg.Add(1000)
		bus.Publish(benchEvent)
		wg.Wait()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/delivery")
}

func BenchmarkLatency(b *testing.B) {
	bus := newBus(b)
	arrived := make(chan struct{}, 1)
	if _, err := bus.Subscribe(context.Background(), eventbus.Pattern{}, func(eventbus.Event) { arrived <- struct{}{} }); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		bus.Publish(benchEvent)
		<-arrived
	}
}

// BenchmarkIdleLatency is the time one way, from before Publish to inside the callback,
// when nothing has happened for half a millisecond: goroutines are parked, the processor
// is asleep and its caches have gone cold. The bus is that of BenchmarkPublishDelivered.
func BenchmarkIdleLatency(b *testing.B) {
	bus := newBus(b)
	took := make(chan time.Duration, 1)
	var begun time.Time
	if _, err := bus.Subscribe(context.Background(), eventbus.Pattern{System: "process", Kind: "process.*"}, func(eventbus.Event) { took <- time.Since(begun) }); err != nil {
		b.Fatal(err)
	}
	all := make([]time.Duration, 0, 4096)
	tick := time.NewTicker(500 * time.Microsecond)
	defer tick.Stop()
	for b.Loop() {
		<-tick.C
		begun = time.Now()
		bus.Publish(benchEvent)
		all = append(all, <-took)
	}
	slices.Sort(all)
	b.ReportMetric(0, "ns/op") // mostly waiting
	b.ReportMetric(float64(all[len(all)/2]), "p50-ns")
	b.ReportMetric(float64(all[len(all)*99/100]), "p99-ns")
}

// BenchmarkTopics publishes a number of topics in turn, past 1000 wildcard patterns of
// which two match.
func BenchmarkTopics(b *testing.B) {
	for _, topics := range []int{1, 10, 100, 1000, 10_000, 100_000} {
		b.Run(fmt.Sprint(topics), func(b *testing.B) { runTopics(b, topics, 0, eventbus.Pattern{}) })
	}
}

// BenchmarkTopicsUnderChurn is the same with a subscription that comes and goes for
// every so many events.
func BenchmarkTopicsUnderChurn(b *testing.B) {
	for _, tc := range []struct {
		name    string
		pattern eventbus.Pattern
	}{
		{"exact", eventbus.Pattern{System: "other", Kind: "x"}},
		{"wildcard", eventbus.Pattern{System: "(process|other)", Kind: "*.x"}},
		{"known", eventbus.Pattern{System: "process", Kind: "process.*"}},
	} {
		for _, every := range []int{10, 100} {
			b.Run(fmt.Sprintf("%s/every=%d", tc.name, every), func(b *testing.B) { runTopics(b, 100, every, tc.pattern) })
		}
	}
}

func runTopics(b *testing.B, topics, churn int, passing eventbus.Pattern) {
	bus := newBus(b)
	subscribe := func(p eventbus.Pattern, handler func(eventbus.Event)) *eventbus.Subscription {
		s, err := bus.Subscribe(context.Background(), p, handler)
		if err != nil {
			b.Fatal(err)
		}
		return s
	}
	for i := range 1000 {
		subscribe(eventbus.Pattern{System: "(process|registry)", Kind: fmt.Sprintf("*.%d.**", -1-i)}, func(eventbus.Event) {})
	}
	n := b.N
	all := newCounter(2)
	for _, p := range []eventbus.Pattern{{System: "process", Kind: "process.*"}, {System: "process"}} {
		seen := 0
		subscribe(p, func(eventbus.Event) {
			if seen++; seen == n {
				all.add(1)
			}
		})
	}
	events := make([]eventbus.Event, topics)
	for i := range events {
		events[i] = eventbus.Event{System: "process", Kind: fmt.Sprintf("process.%d", i)}
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range n {
		if churn > 0 && i%churn == 0 {
			subscribe(passing, func(eventbus.Event) {}).Close()
		}
		bus.Publish(events[i%topics])
	}
	<-all.done
}

// BenchmarkMetrics is BenchmarkPublishDelivered with an adapter that counts by topic.
func BenchmarkMetrics(b *testing.B) {
	c := &counters{byTopic: make(map[[2]string]*atomic.Int64)}
	runPublish(b, newBus(b, eventbus.WithMetrics(c)), 1)
}

func BenchmarkStuckSubscriber(b *testing.B) {
	for _, tc := range []struct {
		name string
		opts []eventbus.SubscribeOption
	}{
		{"none", nil},
		{"drop-oldest", []eventbus.SubscribeOption{eventbus.Bounded(1024, eventbus.DropOldest)}},
		{"drop-newest", []eventbus.SubscribeOption{eventbus.Bounded(1024, eventbus.DropNewest)}},
		{"unbounded", []eventbus.SubscribeOption{eventbus.Bounded(1, eventbus.Unbounded)}},
	} {
		b.Run(tc.name, func(b *testing.B) {
			bus := newBus(b)
			release := make(chan struct{})
			defer close(release)
			if tc.opts != nil {
				if _, err := bus.Subscribe(context.Background(), eventbus.Pattern{}, func(eventbus.Event) { <-release }, tc.opts...); err != nil {
					b.Fatal(err)
				}
			}
			runPublish(b, bus, 4)
		})
	}
}

func BenchmarkSubscribeClose(b *testing.B) {
	bus := newBus(b)
	b.ReportAllocs()
	for b.Loop() {
		s, err := bus.Subscribe(context.Background(), eventbus.Pattern{System: "a", Kind: "b.*"}, func(eventbus.Event) {})
		if err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}

// BenchmarkBufferedChannel is the rival of BenchmarkPublishDelivered: one goroutine
// receiving from one buffered channel, without patterns, without isolation.
func BenchmarkBufferedChannel(b *testing.B) {
	ch := make(chan eventbus.Event, 1024)
	done := make(chan struct{})
	n := b.N
	go func() {
		defer close(done)
		for range n {
			<-ch
		}
	}()
	b.ReportAllocs()
	b.ResetTimer()
	for range n {
		ch <- benchEvent
	}
	<-done
}
