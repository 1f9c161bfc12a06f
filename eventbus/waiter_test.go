package eventbus_test

import (
	"context"
	"errors"
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
		r := w.Prepare("p")
		bus.Publish(event("registry", "entry.accept", "p"))
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, accepted, err := r.Wait(ctx, time.Second); !accepted || err != nil {
			t.Errorf("got %v, %v", accepted, err)
		}
		stop(t, bus)
	})
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
