// SPDX-License-Identifier: Apache-2.0

package scheduler_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/schedulertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type stepFunc = schedulertest.Func

func newScheduler(tb testing.TB, cfg scheduler.Config) *scheduler.Scheduler {
	tb.Helper()
	s, err := scheduler.New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	s.Start()
	tb.Cleanup(func() { stop(tb, s) })
	return s
}

func stop(tb testing.TB, s *scheduler.Scheduler) {
	tb.Helper()
	if err := s.Stop(context.Background()); err != nil {
		tb.Error(err)
	}
}

func submit(tb testing.TB, s *scheduler.Scheduler, p scheduler.Process) *scheduler.Ref {
	tb.Helper()
	return submitOpt(tb, s, p, scheduler.SubmitOptions{})
}

func submitOpt(tb testing.TB, s *scheduler.Scheduler, p scheduler.Process, opt scheduler.SubmitOptions) *scheduler.Ref {
	tb.Helper()
	r, err := s.Submit(context.Background(), p, opt)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// wait returns the outcome of r.
func wait(tb testing.TB, r *scheduler.Ref) (any, error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	result, err := r.Wait(ctx)
	if ctx.Err() != nil {
		tb.Fatalf("process %d has not ended: %+v", r.ID(), r.Info())
	}
	return result, err
}

// eventually waits until cond holds.
func eventually(tb testing.TB, what string, cond func() bool) {
	tb.Helper()
	for start := time.Now(); !cond(); runtime.Gosched() {
		if time.Since(start) > time.Minute {
			tb.Fatalf("waited in vain for: %s", what)
		}
	}
}

// receive waits for a value.
func receive[T any](tb testing.TB, ch <-chan T) T {
	tb.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(time.Minute):
		tb.Fatal("nothing received")
		panic("unreachable")
	}
}
