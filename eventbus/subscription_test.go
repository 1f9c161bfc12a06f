package eventbus_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/wippyrun/kit/eventbus"
)

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
	if n := bus.Stats().Rejected; n != 2 {
		t.Errorf("%d rejected, want those of a full and of a stopped bus", n)
	}
	if n := bus.Stats().Subscriptions; n != 0 {
		t.Errorf("%d subscriptions on a stopped bus", n)
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
	synctest.Test(t, func(t *testing.T) {
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
		synctest.Wait() // a hundred are left, nobody receives, and the first is being sent
		s.Close()
		<-s.Done()
		stop(t, bus)
	})
}

func TestIdsAreUniqueAndReadable(t *testing.T) {
	bus := startBus(t)
	a := subscribe(t, bus, "x", "", func(eventbus.Event) {})
	b := subscribe(t, bus, "x", "", func(eventbus.Event) {})
	if a.ID() != "sub.1" || b.ID() != "sub.2" || a.Pattern().System != "x" {
		t.Errorf("ids %s and %s", a.ID(), b.ID())
	}
}
