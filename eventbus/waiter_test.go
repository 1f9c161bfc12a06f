package eventbus_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wippyrun/kit/eventbus"
)

func newWaiter(t *testing.T, bus *eventbus.Bus) *eventbus.Waiter {
	t.Helper()
	w, err := bus.NewWaiter(t.Context(), eventbus.Pattern{System: "registry", Kind: "**"})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWaitJudgesTheReply(t *testing.T) {
	refused := errors.New("refused")
	for _, tc := range []struct {
		kind     string
		data     any
		accepted bool
		err      error
	}{
		{"accept", nil, true, nil},
		{"entry.accept", 7, true, nil},
		{"entry.accepted", refused, true, nil},
		{"entry.reject", refused, false, refused},
		{"entry.reject", "not an error", false, nil},
		{"accepted", nil, false, nil},
		{"reaccept", nil, false, nil},
	} {
		t.Run(tc.kind, func(t *testing.T) {
			bus := startBus(t)
			w := newWaiter(t, bus)
			defer w.Close()
			r := w.Prepare("app:x")
			bus.Publish(eventbus.Event{System: "registry", Kind: tc.kind, Path: "app:y"}) // somebody else's
			bus.Publish(eventbus.Event{System: "registry", Kind: tc.kind, Path: "app:x", Data: tc.data})
			ev, accepted, err := r.Wait(t.Context(), 0)
			if ev.Kind != tc.kind || ev.Path != "app:x" || ev.Data != tc.data || accepted != tc.accepted || err != tc.err {
				t.Errorf("got %+v, %v, %v", ev, accepted, err)
			}
		})
	}
}

func TestWaitReturnsAReplyThatCameBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := eventbus.New()
		w := newWaiter(t, bus)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for range 50 { // which of two things that have happened is noticed first is chance
			r := w.Prepare("p")
			bus.Publish(event("registry", "entry.accept", "p"))
			synctest.Wait()
			if _, accepted, err := r.Wait(ctx, time.Second); !accepted || err != nil {
				t.Errorf("got %v, %v", accepted, err)
			}
		}
		stop(t, bus)
	})
}

func TestFurtherRepliesAreIgnored(t *testing.T) {
	bus := eventbus.New()
	w := newWaiter(t, bus)
	r := w.Prepare("p")
	for range 3 {
		bus.Publish(event("registry", "entry.accept", "p"))
	}
	stop(t, bus) // would wait for a callback that is stuck
	if _, accepted, err := r.Wait(t.Context(), time.Second); !accepted || err != nil {
		t.Errorf("got %v, %v", accepted, err)
	}
}

func TestWaitEndsWithoutAReply(t *testing.T) {
	cause := errors.New("because")
	for name, tc := range map[string]struct {
		timeout, took time.Duration
		end           func(cancel context.CancelCauseFunc, w *eventbus.Waiter, bus *eventbus.Bus)
		want          error
	}{
		"default time-out": {0, eventbus.DefaultAwaitTimeout, nil, eventbus.ErrAwaitTimeout},
		"time-out":         {time.Second, time.Second, nil, eventbus.ErrAwaitTimeout},
		"context": {time.Minute, time.Millisecond, func(cancel context.CancelCauseFunc, _ *eventbus.Waiter, _ *eventbus.Bus) {
			cancel(cause)
		}, cause},
		"closed waiter": {time.Minute, time.Millisecond, func(_ context.CancelCauseFunc, w *eventbus.Waiter, _ *eventbus.Bus) {
			w.Close()
		}, eventbus.ErrUnsubscribed},
		"stopped bus": {time.Minute, time.Millisecond, func(_ context.CancelCauseFunc, _ *eventbus.Waiter, bus *eventbus.Bus) {
			_ = bus.Stop(context.Background())
		}, eventbus.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bus := eventbus.New()
				w := newWaiter(t, bus)
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				if tc.end != nil {
					time.AfterFunc(time.Millisecond, func() { tc.end(cancel, w, bus) })
				}
				begun := time.Now()
				ev, accepted, err := w.Prepare("p").Wait(ctx, tc.timeout)
				if ev != (eventbus.Event{}) || accepted || !errors.Is(err, tc.want) || time.Since(begun) != tc.took {
					t.Errorf("got %+v, %v, %v after %v", ev, accepted, err, time.Since(begun))
				}
				stop(t, bus)
			})
		})
	}
	if got := eventbus.ErrAwaitTimeout.Error(); got != "await timeout waiting for event" {
		t.Errorf("text %q", got)
	}
}

func TestNewerWaiterReplacesOlder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := eventbus.New()
		w := newWaiter(t, bus)
		older, newer := w.Prepare("p"), w.Prepare("p")
		older.Cancel() // must not take the place of the newer one
		bus.Publish(event("registry", "entry.accept", "p"))
		if _, accepted, err := newer.Wait(t.Context(), time.Second); !accepted || err != nil {
			t.Errorf("newer: %v, %v", accepted, err)
		}
		if _, _, err := older.Wait(t.Context(), time.Second); !errors.Is(err, eventbus.ErrAwaitTimeout) {
			t.Errorf("older: %v", err)
		}
		stop(t, bus)
	})
}

func TestNewWaiterFailsLikeSubscribe(t *testing.T) {
	bus := eventbus.New()
	stop(t, bus)
	if _, err := bus.NewWaiter(t.Context(), eventbus.Pattern{}); !errors.Is(err, eventbus.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestAwaitPublishesTheRequestAndReturnsTheReply(t *testing.T) {
	bus := startBus(t)
	w, err := bus.NewWaiter(t.Context(), eventbus.Pattern{System: "host", Kind: "host.(accept|reject)"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	refused := errors.New("refused")
	subscribe(t, bus, "host", "host.register", func(ev eventbus.Event) {
		if ev.Path == "good" {
			bus.Publish(event("host", "host.accept", ev.Path))
		} else {
			bus.Publish(eventbus.Event{System: "host", Kind: "host.reject", Path: ev.Path, Data: refused})
		}
	})
	if ev, accepted, err := w.Await(t.Context(), event("host", "host.register", "good"), 0); !accepted || err != nil || ev.Kind != "host.accept" {
		t.Errorf("good: got %+v, %v, %v", ev, accepted, err)
	}
	if _, accepted, err := w.Await(t.Context(), event("host", "host.register", "bad"), 0); accepted || !errors.Is(err, refused) {
		t.Errorf("bad: got %v, %v", accepted, err)
	}
}

// TestConcurrentAwaitsGetTheirOwnReplies asks from many goroutines at once, some of which
// give up while the reply may be on its way.
func TestConcurrentAwaitsGetTheirOwnReplies(t *testing.T) {
	bus := startBus(t)
	w, err := bus.NewWaiter(t.Context(), eventbus.Pattern{System: "s", Kind: "accept"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	subscribe(t, bus, "s", "ask", func(ev eventbus.Event) {
		bus.Publish(eventbus.Event{System: "s", Kind: "accept", Path: ev.Path, Data: ev.Data})
	})
	enough := errors.New("enough")
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				request := eventbus.Event{System: "s", Kind: "ask", Path: fmt.Sprintf("%d/%d", g, i), Data: i}
				ctx, cancel := context.WithCancelCause(context.Background())
				if i%4 == 0 {
					go cancel(enough)
				}
				ev, accepted, err := w.Await(ctx, request, 0)
				cancel(nil)
				switch {
				case errors.Is(err, enough) && i%4 == 0:
				case err != nil || !accepted || ev.Path != request.Path || ev.Data != i:
					t.Errorf("%s: got %+v, %v, %v", request.Path, ev, accepted, err)
				}
			}
		})
	}
	wg.Wait()
}

// TestConcurrentAwaitsAllEndWithTheBus stops the bus, or closes the waiter, while
// goroutines prepare, wait, cancel and are replied to. The bubble would notice if one
// were left waiting for its time-out.
func TestConcurrentAwaitsAllEndWithTheBus(t *testing.T) {
	for name, end := range map[string]func(*eventbus.Bus, *eventbus.Waiter){
		"closed waiter": func(_ *eventbus.Bus, w *eventbus.Waiter) { w.Close() },
		"stopped bus":   func(bus *eventbus.Bus, _ *eventbus.Waiter) { _ = bus.Stop(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bus := eventbus.New()
				w := newWaiter(t, bus)
				begun := time.Now()
				var wg sync.WaitGroup
				for g := range 4 {
					wg.Go(func() {
						for i := range 100 {
							path := fmt.Sprint(g % 2) // two share a path and take it from each other
							r := w.Prepare(path)
							bus.Publish(event("registry", "entry.accept", path))
							if i%3 == 0 {
								r.Cancel()
								continue
							}
							_, _, err := r.Wait(t.Context(), time.Hour)
							switch {
							case err == nil, errors.Is(err, eventbus.ErrUnsubscribed), errors.Is(err, eventbus.ErrClosed):
							case errors.Is(err, eventbus.ErrAwaitTimeout): // somebody took the place
							default:
								t.Errorf("got %v", err)
							}
						}
					})
				}
				wg.Go(func() { end(bus, w) })
				wg.Wait()
				// Those whose place was taken before the end wait in vain for an hour each,
				// as documented; nobody waits after it.
				late := w.Prepare("late")
				before := time.Now()
				if _, _, err := late.Wait(t.Context(), time.Hour); err == nil || !before.Equal(time.Now()) {
					t.Errorf("after the end: %v in %v", err, time.Since(begun))
				}
				stop(t, bus)
			})
		})
	}
}
