package eventbus_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/wippyrun/kit/eventbus"
)

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

// TestBoundedSubscriberIsHandedAnEighthAtATime looks at the queue of a subscriber that got
// stuck again after it had more to do.
func TestBoundedSubscriberIsHandedAnEighthAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const capacity = 64
		bus := eventbus.New()
		step := make(chan struct{})
		s := subscribe(t, bus, "", "", func(eventbus.Event) { <-step }, eventbus.Bounded(capacity, eventbus.DropNewest))
		bus.Publish(event("s", "k", ""))
		synctest.Wait()
		for range capacity {
			bus.Publish(event("s", "k", ""))
		}
		synctest.Wait()
		if n := s.Pending(); n != capacity {
			t.Errorf("%d pending, want %d", n, capacity)
		}
		step <- struct{}{}
		synctest.Wait()
		if n := s.Pending(); n != capacity-capacity/8 {
			t.Errorf("%d pending, want %d", n, capacity-capacity/8)
		}
		close(step)
		stop(t, bus)
	})
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
