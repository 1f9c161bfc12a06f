// SPDX-License-Identifier: Apache-2.0

package scheduler_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/schedulertest"
)

type ctxKey struct{}

func TestContextInheritsValuesButNotCancellation(t *testing.T) {
	sim := newSim(t, scheduler.Config{})
	parent, cancel := context.WithTimeout(context.WithValue(t.Context(), ctxKey{}, "v"), time.Hour)
	ref, err := sim.Scheduler().Submit(parent, &schedulertest.Recorder{}, scheduler.SubmitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ctx := ref.Context()
	cancel()
	if ctx.Value(ctxKey{}) != "v" {
		t.Error("the value is missing")
	}
	if _, ok := ctx.Deadline(); ok || ctx.Err() != nil {
		t.Error("deadline or cancellation inherited")
	}
	select {
	case <-ctx.Done():
		t.Error("done")
	default:
	}
	sim.Run(10)
	if ref.Info().State != scheduler.Idle {
		t.Errorf("state is %v", ref.Info().State)
	}
}

func TestContextOfTheParentEndsTheProcessOnRequest(t *testing.T) {
	for name, tc := range map[string]struct {
		parent func() (context.Context, context.CancelFunc)
		want   error
	}{
		"cancel": {func() (context.Context, context.CancelFunc) { return context.WithCancel(context.Background()) }, context.Canceled},
		"deadline": {func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), time.Millisecond)
		}, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScheduler(t, scheduler.Config{})
			parent, cancel := tc.parent()
			defer cancel()
			ref, err := s.Submit(parent, &schedulertest.Recorder{}, scheduler.SubmitOptions{WithParentCancel: true})
			if err != nil {
				t.Fatal(err)
			}
			_, want := parent.Deadline()
			if _, got := ref.Context().Deadline(); got != want {
				t.Error("the deadline is not the parent's")
			}
			if name == "cancel" {
				cancel()
			}
			if _, err := wait(t, ref); !errors.Is(err, tc.want) || !errors.Is(ref.Context().Err(), tc.want) {
				t.Errorf("got %v, context %v", err, ref.Context().Err())
			}
		})
	}
}

func TestContextEndsWithTheProcess(t *testing.T) {
	sim := newSim(t, scheduler.Config{})
	ref := sim.Submit(stepFunc(func(_ []scheduler.Event, out *scheduler.Output) error {
		out.Done(nil)
		return nil
	}), scheduler.SubmitOptions{})
	before := ref.Context().Done()
	sim.Run(10)
	for _, done := range []<-chan struct{}{before, ref.Context().Done()} {
		select {
		case <-done:
		default:
			t.Error("not done")
		}
	}
	if !errors.Is(ref.Context().Err(), context.Canceled) {
		t.Errorf("got %v", ref.Context().Err())
	}
}

func TestDerivedContextsNeedNoGoroutine(t *testing.T) {
	sim := newSim(t, scheduler.Config{})
	ref := sim.Submit(&schedulertest.Recorder{}, scheduler.SubmitOptions{})
	before := runtime.NumGoroutine()
	var derived []context.Context
	for range 100 {
		ctx, cancel := context.WithCancel(ref.Context())
		defer cancel()
		derived = append(derived, ctx)
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines more", n-before)
	}
	gone, cancel := context.WithCancel(ref.Context())
	cancel()
	ref.Cancel()
	for _, ctx := range derived {
		if !errors.Is(ctx.Err(), context.Canceled) {
			t.Fatal("a derived context goes on")
		}
	}
	_ = gone
	late, cancel := context.WithCancel(ref.Context())
	defer cancel()
	if late.Err() == nil {
		t.Error("a context derived afterwards goes on")
	}
	ran := make(chan struct{})
	context.AfterFunc(ref.Context(), func() { close(ran) })
	receive(t, ran)
}

func TestWaitEndsWithItsContext(t *testing.T) {
	sim := newSim(t, scheduler.Config{})
	ref := sim.Submit(&schedulertest.Recorder{}, scheduler.SubmitOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ref.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
