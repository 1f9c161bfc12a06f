// SPDX-License-Identifier: Apache-2.0

package scheduler_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/scheduler/schedulertest"
)

// TestConcurrentSendersAreHeardExactlyOnceInOrder sends from goroutines and from
// processes, plainly and through Output.
func TestConcurrentSendersAreHeardExactlyOnceInOrder(t *testing.T) {
	const receivers, senders, messages = 20, 20, 50
	type numbered struct{ from, seq int }
	s := newScheduler(t, scheduler.Config{Workers: 4, LocalQueueSize: 8, QueueSize: 8})
	refs := make([]*scheduler.Ref, receivers)
	for i := range refs {
		var next [3 * senders]int
		total := 0
		refs[i] = submit(t, s, stepFunc(func(events []scheduler.Event, out *scheduler.Output) error {
			for _, ev := range events {
				n := ev.Data.(numbered)
				if next[n.from] != n.seq {
					t.Errorf("sender %d: got %d, want %d", n.from, n.seq, next[n.from])
				}
				next[n.from]++
				total++
			}
			if total == 3*senders*messages {
				out.Done(total)
			}
			return nil
		}))
	}
	for i := range senders {
		go func() {
			for seq := range messages {
				for _, r := range refs {
					_ = r.Send(numbered{i, seq})
				}
			}
		}()
		for kind := 1; kind <= 2; kind++ {
			seq := 0
			submit(t, s, stepFunc(func(_ []scheduler.Event, out *scheduler.Output) error {
				for _, r := range refs {
					if kind == 1 {
						_ = r.Send(numbered{kind*senders + i, seq})
					} else {
						_ = out.Send(r, numbered{kind*senders + i, seq})
					}
				}
				if seq++; seq < messages {
					out.Continue()
				} else {
					out.Done(nil)
				}
				return nil
			}))
		}
	}
	for _, r := range refs {
		if result, err := wait(t, r); result != 3*senders*messages || err != nil {
			t.Errorf("got %v, %v", result, err)
		}
	}
}

// TestConcurrentCancelIsNeverLost cancels processes at every moment of their
// life; a wake-up lost anywhere would leave one of them waiting for ever.
func TestConcurrentCancelIsNeverLost(t *testing.T) {
	s := newScheduler(t, scheduler.Config{Workers: 3})
	for range 2000 {
		ref := submit(t, s, &schedulertest.Recorder{})
		var wg sync.WaitGroup
		wg.Go(func() { _ = ref.Send(1) })
		wg.Go(func() { _ = ref.Terminate() })
		if _, err := wait(t, ref); !errors.Is(err, scheduler.ErrTerminated) {
			t.Fatalf("got %v", err)
		}
		wg.Wait()
	}
}

// TestConcurrentCompletionsAreNeverLost completes each yield from another
// goroutine while the worker that dispatched it lets go of the process.
func TestConcurrentCompletionsAreNeverLost(t *testing.T) {
	const processes, yields = 50, 200
	var outstanding sync.WaitGroup
	s := newScheduler(t, scheduler.Config{Workers: 3, Dispatch: registry(echoID, dispatch.HandlerFunc(
		func(_ context.Context, _ dispatch.Command, tag dispatch.Tag, r dispatch.Receiver) error {
			outstanding.Go(func() { r.CompleteYield(tag, tag, nil) })
			return nil
		}))})
	var refs []*scheduler.Ref
	for range processes {
		tag := dispatch.Tag(0)
		refs = append(refs, submit(t, s, stepFunc(func(events []scheduler.Event, out *scheduler.Output) error {
			if len(events) > 0 && events[0].Data != tag {
				t.Errorf("got %v, want %v", events[0].Data, tag)
			}
			if tag++; tag > yields {
				out.Done(nil)
			} else {
				out.Yield(schedulertest.Command(echoID), tag)
			}
			return nil
		})))
	}
	for _, r := range refs {
		if _, err := wait(t, r); err != nil {
			t.Error(err)
		}
	}
	outstanding.Wait()
}

// TestConcurrentSendWakesParkedWorkers lets the scheduler fall asleep before
// every message.
func TestConcurrentSendWakesParkedWorkers(t *testing.T) {
	const workers = 2
	s := newScheduler(t, scheduler.Config{Workers: workers})
	var got atomic.Int64
	ref := submit(t, s, stepFunc(func(events []scheduler.Event, _ *scheduler.Output) error {
		got.Add(int64(len(events)))
		return nil
	}))
	for i := range int64(2000) {
		if i%2 == 0 {
			eventually(t, "all workers sleep", func() bool { return s.Stats().Parked == workers })
		}
		_ = ref.Send(nil)
		eventually(t, "the message is handled", func() bool { return got.Load() == i+1 })
	}
}

// TestConcurrentLifeIsExactlyOnce has processes spawn, talk and die while others
// look at them.
func TestConcurrentLifeIsExactlyOnce(t *testing.T) {
	var started, exited, closed atomic.Int64
	s := newScheduler(t, scheduler.Config{Workers: 4, Lifecycle: &lifecycle{
		onStart: func(context.Context, *scheduler.Ref) error { started.Add(1); return nil },
		onExit:  func(*scheduler.Ref, any, error) { exited.Add(1) },
	}})
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			var refs []*scheduler.Ref
			for i := range 300 {
				r, err := s.Submit(context.Background(), &countCloses{closed: &closed}, scheduler.SubmitOptions{})
				if err != nil {
					t.Error(err)
					return
				}
				refs = append(refs, r)
				_ = refs[(i*7+g)%len(refs)].Send(i)
				refs[(i*3+g)%len(refs)].Info()
				if i%3 == 0 {
					refs[(i*5+g)%len(refs)].Cancel()
				}
			}
			for _, r := range refs {
				r.Cancel()
				_, _ = wait(t, r)
			}
		})
	}
	wg.Go(func() {
		for started.Load() < 1200 {
			s.Each(func(r *scheduler.Ref) bool { r.Info(); r.Process(); return true })
			s.Stats()
		}
	})
	wg.Wait()
	if started.Load() != 1200 || exited.Load() != 1200 || closed.Load() != 1200 {
		t.Errorf("started %d, exited %d, closed %d", started.Load(), exited.Load(), closed.Load())
	}
}
