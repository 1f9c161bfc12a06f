// SPDX-License-Identifier: Apache-2.0

package scheduler_test

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/schedulertest"
)

// loop is inside Step until its context ends.
func loop(_ []scheduler.Event, out *scheduler.Output) error {
	ctx := out.Ref().Context()
	for ctx.Err() == nil {
	}
	return ctx.Err()
}

func TestEndlessStepDoesNotDelayOthers(t *testing.T) {
	s := newScheduler(t, scheduler.Config{Workers: 1})
	ran := make(chan struct{}, 1)
	victim := submit(t, s, stepFunc(func([]scheduler.Event, *scheduler.Output) error {
		ran <- struct{}{}
		return nil
	}))
	receive(t, ran)
	hog := submit(t, s, stepFunc(loop))
	eventually(t, "the loop runs", func() bool { return hog.Info().State == scheduler.Running })
	for range 20 {
		if err := victim.Send(nil); err != nil {
			t.Fatal(err)
		}
		receive(t, ran)
	}
	// A spare that the machine suspends inside a Step may have had a spare of its own.
	eventually(t, "one spare does it", func() bool { st := s.Stats(); return st.Spares == 1 && st.Workers == 2 })
	eventually(t, "the run time is sampled", func() bool { return hog.Info().RunTime > 5*time.Millisecond })
	start := time.Now()
	if err := hog.Terminate(); err != nil {
		t.Fatal(err)
	}
	if _, err := wait(t, hog); !errors.Is(err, scheduler.ErrTerminated) {
		t.Errorf("got %v", err)
	}
	t.Logf("terminated within %v", time.Since(start))
	eventually(t, "the spare retires", func() bool { st := s.Stats(); return st.Workers == 1 && st.Spares == 0 })
	_ = victim.Send(nil)
	receive(t, ran)
}

func TestWhatAnEndlessStepReadiedRunsElsewhere(t *testing.T) {
	s := newScheduler(t, scheduler.Config{Workers: 1})
	ran := make(chan any, 10)
	var targets []*scheduler.Ref
	for range 5 {
		targets = append(targets, submit(t, s, stepFunc(func(events []scheduler.Event, _ *scheduler.Output) error {
			for _, ev := range events {
				ran <- ev.Data
			}
			return nil
		})))
	}
	hog := submit(t, s, stepFunc(func(events []scheduler.Event, out *scheduler.Output) error {
		for i, r := range targets { // one in the slot, the others in the deque
			_ = out.Send(r, i)
		}
		return loop(events, out)
	}))
	var got []int
	for range targets {
		got = append(got, receive(t, ran).(int))
	}
	slices.Sort(got)
	if !slices.Equal(got, []int{0, 1, 2, 3, 4}) {
		t.Errorf("got %v", got)
	}
	hog.Cancel()
}

func TestManyEndlessStepsGetSparesUpToTheLimit(t *testing.T) {
	s := newScheduler(t, scheduler.Config{Workers: 2, MaxSpares: 3})
	var running atomic.Int32
	var hogs []*scheduler.Ref
	for range 4 { // one worker stays free
		hogs = append(hogs, submit(t, s, stepFunc(func(events []scheduler.Event, out *scheduler.Output) error {
			running.Add(1)
			return loop(events, out)
		})))
	}
	eventually(t, "all loops run", func() bool { return running.Load() == 4 })
	if _, err := wait(t, submit(t, s, panicky{"none"})); err != nil {
		t.Error(err)
	}
	if st := s.Stats(); st.Spares > 3 {
		t.Errorf("got %+v", st)
	}
	for _, r := range hogs {
		r.Cancel()
	}
	for _, r := range hogs {
		_, _ = wait(t, r)
	}
	eventually(t, "the spares retire", func() bool { return s.Stats().Workers == 2 })
}

func TestIdleSchedulerParksEverything(t *testing.T) {
	s := newScheduler(t, scheduler.Config{Workers: 4})
	ref := submit(t, s, &schedulertest.Recorder{})
	for range 3 {
		_ = ref.Send(nil)
		eventually(t, "all workers sleep", func() bool { return s.Stats().Parked == 4 })
		eventually(t, "the monitor sleeps", func() bool { return !s.MonitorArmed() })
	}
}

func TestSetWorkersKeepsProcesses(t *testing.T) {
	s := newScheduler(t, scheduler.Config{Workers: 1})
	var total atomic.Int64
	var refs []*scheduler.Ref
	for range 100 {
		refs = append(refs, submit(t, s, stepFunc(func(events []scheduler.Event, _ *scheduler.Output) error {
			total.Add(int64(len(events)))
			return nil
		})))
	}
	want := int64(0)
	for _, n := range []int{4, 2, 8, 1, 3} {
		if err := s.SetWorkers(n); err != nil {
			t.Fatal(err)
		}
		for _, r := range refs {
			if err := r.Send(nil); err != nil {
				t.Fatal(err)
			}
			want++
		}
		eventually(t, "the number of workers", func() bool { return s.Stats().Workers == n })
	}
	eventually(t, "all messages", func() bool { return total.Load() == want })
	if err := s.SetWorkers(-1); !errors.Is(err, scheduler.ErrWorkers) {
		t.Errorf("got %v", err)
	}
}

// TestSchedulerComesToRestInsideSynctest shows that tests of users may run a
// scheduler under a fake clock: an idle one lets time pass.
func TestSchedulerComesToRestInsideSynctest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := scheduler.New(scheduler.Config{Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		rec := &schedulertest.Recorder{}
		ref := submit(t, s, rec)
		start := time.Now()
		time.AfterFunc(time.Hour, func() { _ = ref.Send("later") })
		<-time.After(2 * time.Hour)
		synctest.Wait()
		if ev := rec.Events(); len(ev) != 1 || ref.Info().State != scheduler.Idle || !ref.Info().StartedAt.Equal(start) {
			t.Errorf("got %v, %+v", ev, ref.Info())
		}
		stop(t, s)
	})
}
