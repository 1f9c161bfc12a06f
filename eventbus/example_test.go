package eventbus_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/wippyrun/kit/eventbus"
)

func Example() {
	ctx := context.Background()
	bus := eventbus.New()

	_, err := bus.Subscribe(ctx, eventbus.Pattern{System: "registry", Kind: "entry.*"}, func(ev eventbus.Event) {
		fmt.Println(ev.Kind, ev.Path)
	})
	if err != nil {
		fmt.Println(err)
	}
	bus.Publish(eventbus.Event{System: "registry", Kind: "entry.create", Path: "app:db"})
	bus.Publish(eventbus.Event{System: "registry", Kind: "registry.commit"}) // not selected
	bus.Publish(eventbus.Event{System: "registry", Kind: "entry.delete", Path: "app:db"})

	if err := bus.Stop(ctx); err != nil { // delivers what was published
		fmt.Println(err)
	}
	// Output:
	// entry.create app:db
	// entry.delete app:db
}

func ExampleBounded() {
	ctx := context.Background()
	bus := eventbus.New()
	screen := make(chan eventbus.Event) // a display that shows only what is current

	sub, err := bus.SubscribeChan(ctx, eventbus.Pattern{System: "metrics"}, screen, eventbus.Bounded(1, eventbus.DropOldest))
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(sub.ID(), sub.Pattern(), sub.Dropped())
	sub.Close()
	if err := bus.Stop(ctx); err != nil {
		fmt.Println(err)
	}
	// Output: sub.1 metrics.** 0
}

func ExampleRouter() {
	ctx := context.Background()
	bus := eventbus.New()
	done := make(chan string)
	r := eventbus.NewRouter(bus,
		eventbus.Handler{
			Pattern: eventbus.Pattern{System: "process", Kind: "process.started"},
			Handle:  func(ev eventbus.Event) { done <- "started " + ev.Path },
		},
		eventbus.Handler{
			Pattern: eventbus.Pattern{System: "process", Kind: "process.stopped"},
			Handle:  func(ev eventbus.Event) { done <- "stopped " + ev.Path },
		},
	)
	if err := r.Start(ctx); err != nil {
		fmt.Println(err)
	}
	bus.Publish(eventbus.Event{System: "process", Kind: "process.started", Path: "p1"})
	fmt.Println(<-done)
	bus.Publish(eventbus.Event{System: "process", Kind: "process.stopped", Path: "p1"})
	fmt.Println(<-done)
	if err := r.Stop(ctx); err != nil {
		fmt.Println(err)
	}
	if err := bus.Stop(ctx); err != nil {
		fmt.Println(err)
	}
	// Output:
	// started p1
	// stopped p1
}

func ExampleWaiter() {
	ctx := context.Background()
	bus := eventbus.New()

	// The answering side.
	_, err := bus.Subscribe(ctx, eventbus.Pattern{System: "host", Kind: "host.register"}, func(ev eventbus.Event) {
		bus.Publish(eventbus.Event{System: "host", Kind: "host.accept", Path: ev.Path})
	})
	if err != nil {
		fmt.Println(err)
	}

	// The asking side.
	w, err := bus.NewWaiter(ctx, eventbus.Pattern{System: "host", Kind: "host.(accept|reject)"})
	if err != nil {
		fmt.Println(err)
	}
	_, accepted, err := w.Await(ctx, eventbus.Event{System: "host", Kind: "host.register", Path: "app:processes"}, time.Minute)
	fmt.Println(accepted, err)

	if err := bus.Stop(ctx); err != nil {
		fmt.Println(err)
	}
	// Output: true <nil>
}

// ExampleWaiter_Prepare is for when the request is not an event, or when something else
// has to be done before waiting.
func ExampleWaiter_Prepare() {
	ctx := context.Background()
	bus := eventbus.New()
	w, err := bus.NewWaiter(ctx, eventbus.Pattern{System: "host", Kind: "host.(accept|reject)"})
	if err != nil {
		fmt.Println(err)
	}
	reply := w.Prepare("app:processes") // before anything that may cause the reply
	bus.Publish(eventbus.Event{System: "host", Kind: "host.reject", Path: "app:processes", Data: errors.New("no room")})
	_, accepted, err := reply.Wait(ctx, time.Minute)
	fmt.Println(accepted, err)

	if err := bus.Stop(ctx); err != nil {
		fmt.Println(err)
	}
	// Output: false no room
}

// byTopic counts events like a counter with labels does, of Prometheus or OpenTelemetry.
// It allocates for a new topic only.
type byTopic struct {
	mu     sync.Mutex
	events map[[2]string]int
	lost   int
}

func (c *byTopic) Dispatched(system, kind string, events, subscriptions int) {
	c.mu.Lock()
	c.events[[2]string{system, kind}] += events
	c.mu.Unlock()
}

func (c *byTopic) Overflowed(s *eventbus.Subscription, events int) {
	c.mu.Lock()
	c.lost += events
	c.mu.Unlock()
}

func ExampleWithMetrics() {
	metrics := byTopic{events: make(map[[2]string]int)}
	bus := eventbus.New(eventbus.WithMetrics(&metrics))
	bus.Publish(eventbus.Event{System: "process", Kind: "process.started"})
	bus.Publish(eventbus.Event{System: "process", Kind: "process.stopped"})
	bus.Publish(eventbus.Event{System: "process", Kind: "process.started"})
	if err := bus.Stop(context.Background()); err != nil {
		fmt.Println(err)
	}
	fmt.Println("started:", metrics.events[[2]string{"process", "process.started"}], "lost:", metrics.lost)
	fmt.Println("published:", bus.Stats().Published) // what needs no labels is there to be read
	// Output:
	// started: 2 lost: 0
	// published: 3
}

func ExampleCompilePattern() {
	m := eventbus.CompilePattern("registry.**.(create|delete)")
	for _, topic := range []string{"registry.create", "registry.entry.delete", "registry.entry.update"} {
		fmt.Println(topic, m.Match(topic))
	}
	// Output:
	// registry.create true
	// registry.entry.delete true
	// registry.entry.update false
}
