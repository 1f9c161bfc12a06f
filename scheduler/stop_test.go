// SPDX-License-Identifier: Apache-2.0

package scheduler_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/schedulertest"
)

func TestStopAsksProcessesToEndAndWaits(t *testing.T) {
	s, err := scheduler.New(scheduler.Config{OnStopping: func(r *scheduler.Ref) { _ = r.Send("stop") }})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	var refs []*scheduler.Ref
	for range 100 {
		refs = append(refs, submit(t, s, stepFunc(func(events []scheduler.Event, out *scheduler.Output) error {
			if len(events) > 0 {
				out.Done(events[0].Data)
			}
			return nil
		})))
	}
	stop(t, s)
	for _, r := range refs {
		if result, ok, err := r.Outcome(); !ok || result != "stop" || err != nil {
			t.Errorf("got %v, %v, %v", result, ok, err)
		}
	}
	if _, err := s.Submit(t.Context(), &schedulertest.Recorder{}, scheduler.SubmitOptions{}); !errors.Is(err, scheduler.ErrStopping) || kind(err) != "InvalidState" {
		t.Errorf("got %v", err)
	}
	stop(t, s)
	s.Start()
	if got := s.Stats(); got.Processes != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestStopCancelsAtTheDeadline(t *testing.T) {
	s, err := scheduler.New(scheduler.Config{OnStopping: func(*scheduler.Ref) {}})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	rec := &schedulertest.Recorder{}
	ref := submit(t, s, rec)
	loop := submit(t, s, stepFunc(func(_ []scheduler.Event, out *scheduler.Output) error {
		for out.Ref().Context().Err() == nil {
		}
		return errors.New("interrupted")
	}))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := s.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	for _, r := range []*scheduler.Ref{ref, loop} {
		if _, ok, err := r.Outcome(); !ok || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, %v", ok, err)
		}
	}
	if rec.Closed() != 1 {
		t.Errorf("closed %d times", rec.Closed())
	}
}

func TestStopWithoutHookCancelsAtOnce(t *testing.T) {
	s := newScheduler(t, scheduler.Config{})
	ref := submit(t, s, &schedulertest.Recorder{})
	stop(t, s)
	if _, ok, err := ref.Outcome(); !ok || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v", ok, err)
	}
}

func TestStopBeforeStartCompletesWhatWasSubmitted(t *testing.T) {
	s, err := scheduler.New(scheduler.Config{})
	if err != nil {
		t.Fatal(err)
	}
	rec := &schedulertest.Recorder{}
	ref := submit(t, s, rec)
	stop(t, s)
	if _, ok, _ := ref.Outcome(); !ok || rec.Closed() != 1 {
		t.Error("the process was left behind")
	}
}

// stubborn does not return from Step until released.
type stubborn struct {
	started, release chan struct{}
	closed           atomic.Int32
}

func (p *stubborn) Init(context.Context, string, any) error { return nil }
func (p *stubborn) Step(_ []scheduler.Event, out *scheduler.Output) error {
	close(p.started)
	<-p.release
	_ = out.Send(out.Ref(), "nobody gets this")
	return nil
}
func (p *stubborn) Close() { p.closed.Add(1) }

func TestStopCompletesAProcessThatNeverReturns(t *testing.T) {
	s, err := scheduler.New(scheduler.Config{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	s.SetGrace(20 * time.Millisecond)
	s.Start()
	p := &stubborn{started: make(chan struct{}), release: make(chan struct{})}
	exits := make(chan error, 1)
	ref := submitOpt(t, s, p, scheduler.SubmitOptions{OnExit: func(_ any, err error) { exits <- err }})
	receive(t, p.started)
	others := []*scheduler.Ref{}
	recs := []*schedulertest.Recorder{}
	for range 10 {
		recs = append(recs, &schedulertest.Recorder{})
		others = append(others, submit(t, s, recs[len(recs)-1]))
	}
	if err := s.Stop(t.Context()); err == nil {
		t.Error("Stop says that all is well")
	}
	if err := receive(t, exits); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if p.closed.Load() != 0 {
		t.Error("closed while inside Step")
	}
	for i, r := range others {
		if _, ok, err := r.Outcome(); !ok || !errors.Is(err, context.Canceled) {
			t.Errorf("process %d: %v, %v", i, ok, err)
		}
		// At once, unless the short grace found a spare suspended inside its Step.
		eventually(t, "the other processes are closed", func() bool { return recs[i].Closed() > 0 })
	}
	close(p.release)
	eventually(t, "the process is closed", func() bool { return p.closed.Load() == 1 })
	for i, rec := range recs {
		if rec.Closed() != 1 {
			t.Errorf("process %d was closed %d times", i, rec.Closed())
		}
	}
	if _, _, err := ref.Outcome(); !errors.Is(err, context.Canceled) {
		t.Errorf("the outcome changed to %v", err)
	}
}

// TestGraceIsTimeInWhichTheMachineRuns lets a machine stand still while Stop waits: timers
// that were due are late, and processes have done nothing meanwhile.
func TestGraceIsTimeInWhichTheMachineRuns(t *testing.T) {
	const grace, still = time.Second, time.Hour
	for name, tc := range map[string]struct {
		still, ends, want time.Duration
		drained           bool
	}{
		"it runs":                        {0, grace / 2, grace / 2, true},
		"it stands still":                {still, still + grace/2, still + grace/2, true},
		"nothing ends":                   {0, still, grace, false},
		"nothing ends, it stands still":  {still, 2 * still, still + grace - grace/20, false},
		"nothing is left from the start": {0, 0, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				standStill := sync.OnceFunc(func() { <-time.After(tc.still) })
				drained := scheduler.InParts(grace, func(ctx context.Context) bool {
					standStill()
					select {
					case <-time.After(tc.ends - time.Since(start)):
						return true
					case <-ctx.Done():
						return false
					}
				})
				if took := time.Since(start); drained != tc.drained || took != tc.want {
					t.Errorf("drained %v after %v, want %v after %v", drained, took, tc.drained, tc.want)
				}
			})
		})
	}
}

func TestStopConcurrentWithSubmitLosesNothing(t *testing.T) {
	for range 30 {
		var started, exited, closed atomic.Int64
		s, err := scheduler.New(scheduler.Config{Lifecycle: &lifecycle{
			onStart: func(context.Context, *scheduler.Ref) error { started.Add(1); return nil },
			onExit:  func(*scheduler.Ref, any, error) { exited.Add(1) },
		}})
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		done := make(chan int64)
		for range 2 {
			go func() {
				inits := int64(0)
				for {
					if inits == 500 {
						done <- inits
						return
					}
					_, err := s.Submit(context.Background(), &countCloses{closed: &closed}, scheduler.SubmitOptions{})
					if err != nil {
						done <- inits
						return
					}
					inits++
				}
			}()
		}
		eventually(t, "some processes", func() bool { return started.Load() > 10 })
		stop(t, s)
		total := receive(t, done) + receive(t, done)
		if started.Load() != total || exited.Load() != total || closed.Load() < total {
			t.Fatalf("submitted %d, started %d, exited %d, closed %d", total, started.Load(), exited.Load(), closed.Load())
		}
	}
}

type countCloses struct {
	schedulertest.Recorder
	closed *atomic.Int64
}

func (p *countCloses) Close() { p.closed.Add(1) }

func TestManualSchedulerStopsWithoutGoroutines(t *testing.T) {
	sim := newSim(t, scheduler.Config{OnStopping: func(r *scheduler.Ref) { _ = r.Send("stop") }})
	ref := sim.Submit(stepFunc(func(events []scheduler.Event, out *scheduler.Output) error {
		if len(events) > 0 {
			out.Done(events[0].Data)
		}
		return nil
	}), scheduler.SubmitOptions{})
	if err := sim.Stop(); err != nil {
		t.Error(err)
	}
	if result, ok, _ := ref.Outcome(); !ok || result != "stop" {
		t.Errorf("got %v, %v", result, ok)
	}
}
