package eventbus_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wippyrun/kit/eventbus"
)

func TestRouterGivesHandlersOneLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := eventbus.New()
		var entries, begins sink
		r := eventbus.NewRouter(bus,
			eventbus.Handler{Pattern: eventbus.Pattern{System: "registry", Kind: "entry.*"}, Handle: entries.add},
			eventbus.Handler{Pattern: eventbus.Pattern{System: "registry", Kind: "*.begin"}, Handle: begins.add},
		)
		publish := func(path string) {
			bus.Publish(event("registry", "entry.create", path))
			bus.Publish(event("registry", "registry.begin", path))
			synctest.Wait()
		}
		publish("too early")
		if err := r.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := r.Start(t.Context()); !errors.Is(err, eventbus.ErrRouterStarted) {
			t.Errorf("second Start: %v", err)
		}
		publish("1")
		for range 2 {
			if err := r.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		publish("too late")
		if err := r.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		publish("2")
		if err := r.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, s := range []*sink{&entries, &begins} {
			if got := s.paths(); !slices.Equal(got, []string{"1", "2"}) {
				t.Errorf("got %v", got)
			}
		}
		if n := bus.Stats().Subscriptions; n != 0 {
			t.Errorf("%d subscriptions left", n)
		}
		stop(t, bus)
	})
}

func TestRouterStartIsAllOrNothing(t *testing.T) {
	bus := startBus(t)
	r := eventbus.NewRouter(bus,
		eventbus.Handler{Pattern: eventbus.Pattern{System: "a"}, Handle: func(eventbus.Event) {}},
		eventbus.Handler{Pattern: eventbus.Pattern{System: "b"}},
	)
	err := r.Start(t.Context())
	if !errors.Is(err, eventbus.ErrNilHandler) || !strings.Contains(err.Error(), "b.**") {
		t.Errorf("got %v", err)
	}
	if n := bus.Stats().Subscriptions; n != 0 {
		t.Errorf("%d subscriptions left", n)
	}
}

func TestRouterStopWaitsForHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := eventbus.New()
		release := make(chan struct{})
		r := eventbus.NewRouter(bus, eventbus.Handler{Handle: func(eventbus.Event) { <-release }})
		if err := r.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		bus.Publish(event("s", "k", ""))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		close(release)
		stop(t, bus)
	})
}

func TestRouterSubscribesWithTheOptionsOfTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := eventbus.New()
		var got sink
		release := make(chan struct{})
		r := eventbus.NewRouter(bus, eventbus.Handler{
			Handle:  func(e eventbus.Event) { <-release; got.add(e) },
			Options: []eventbus.SubscribeOption{eventbus.Bounded(1, eventbus.DropNewest)},
		})
		if err := r.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"handled", "waits", "dropped"} {
			bus.Publish(event("s", "k", path))
			synctest.Wait()
		}
		close(release)
		synctest.Wait()
		if paths := got.paths(); !slices.Equal(paths, []string{"handled", "waits"}) || bus.Stats().Overflowed != 1 {
			t.Errorf("got %v, %d overflowed", paths, bus.Stats().Overflowed)
		}
		if err := r.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		stop(t, bus)
	})
}
