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

// holding is a command that counts its cancellations.
type holding struct {
	schedulertest.Command
	cancelled atomic.Int32
}

func newHolding() *holding { return &holding{Command: schedulertest.Command(heldID)} }

func (h *holding) Cancel() { h.cancelled.Add(1) }

// yielder yields its commands in its first Step and then does what end says.
func yielder(end stepFunc, commands ...dispatch.Command) stepFunc {
	first := true
	return func(events []scheduler.Event, out *scheduler.Output) error {
		if first {
			first = false
			for i, c := range commands {
				out.Yield(c, dispatch.Tag(i+1))
			}
			return nil
		}
		return end(events, out)
	}
}

func TestOpenCommandsAreCancelledWhenTheirProcessEnds(t *testing.T) {
	for name, end := range map[string]stepFunc{
		"done":  func(_ []scheduler.Event, out *scheduler.Output) error { out.Done(nil); return nil },
		"error": func([]scheduler.Event, *scheduler.Output) error { return errBoom },
		"panic": func([]scheduler.Event, *scheduler.Output) error { panic(errBoom) },
		"upgrade": func(_ []scheduler.Event, out *scheduler.Output) error {
			out.Upgrade(func(context.Context) (scheduler.Process, error) { return &schedulertest.Recorder{}, nil }, "", nil)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			held := &schedulertest.Held{}
			sim := schedulertest.New(t, schedulertest.Seeded(1), scheduler.Config{Dispatch: registry(heldID, held)})
			waiting, completed, taken := newHolding(), newHolding(), newHolding()
			ref := sim.Submit(yielder(func(events []scheduler.Event, out *scheduler.Output) error {
				if events[len(events)-1].Kind == scheduler.MessageEvent {
					return end(events, out)
				}
				return nil
			}, waiting, completed, taken), scheduler.SubmitOptions{})
			sim.Run(10)
			if n := ref.Info().OpenYields; n != 3 {
				t.Errorf("%d open yields", n)
			}
			held.Take(2).Complete(nil, nil)
			sim.Run(10)
			held.Take(1).Complete(nil, nil)
			_ = ref.Send("end")
			sim.Run(10)
			if n := waiting.cancelled.Load(); n != 1 {
				t.Errorf("the waiting command was cancelled %d times", n)
			}
			if n := taken.cancelled.Load() + completed.cancelled.Load(); n != 0 {
				t.Errorf("commands whose outcome was taken were cancelled %d times", n)
			}
		})
	}
}

func TestOpenCommandsAreCancelledByTerminateCancelAndStop(t *testing.T) {
	for name, end := range map[string]func(s *scheduler.Scheduler, ref *scheduler.Ref){
		"terminate": func(_ *scheduler.Scheduler, ref *scheduler.Ref) { _ = ref.Terminate() },
		"cancel":    func(_ *scheduler.Scheduler, ref *scheduler.Ref) { ref.Cancel() },
		"stop":      func(s *scheduler.Scheduler, _ *scheduler.Ref) { _ = s.Stop(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			sim := schedulertest.New(t, schedulertest.Seeded(1),
				scheduler.Config{Dispatch: registry(heldID, &schedulertest.Held{})})
			cmd := newHolding()
			ref := sim.Submit(yielder(nil, cmd), scheduler.SubmitOptions{})
			sim.Run(10)
			end(sim.Scheduler(), ref)
			sim.Run(10)
			if n := cmd.cancelled.Load(); n != 1 {
				t.Errorf("cancelled %d times", n)
			}
		})
	}
}

func TestCommandsTheHandlerRefusedAreNotCancelled(t *testing.T) {
	refuse := dispatch.HandlerFunc(func(context.Context, dispatch.Command, dispatch.Tag, dispatch.Receiver) error {
		return errBoom
	})
	sim := schedulertest.New(t, schedulertest.Seeded(1), scheduler.Config{Dispatch: registry(heldID, refuse)})
	cmd := newHolding()
	ref := sim.Submit(yielder(func(events []scheduler.Event, _ *scheduler.Output) error {
		if !errors.Is(events[0].Err, errBoom) {
			t.Errorf("got %v", events[0])
		}
		return nil
	}, cmd), scheduler.SubmitOptions{})
	sim.Run(10)
	ref.Cancel()
	sim.Run(10)
	if n := cmd.cancelled.Load(); n != 0 {
		t.Errorf("cancelled %d times", n)
	}
}

// panicking is a command whose Cancel panics.
type panicking struct{ schedulertest.Command }

func (panicking) Cancel() { panic(errBoom) }

func TestPanicInCancelIsContainedAndTheOthersAreCancelled(t *testing.T) {
	var reported *scheduler.PanicError
	sim := schedulertest.New(t, schedulertest.Seeded(1), scheduler.Config{
		Dispatch: registry(heldID, &schedulertest.Held{}),
		OnPanic:  func(_ *scheduler.Ref, err *scheduler.PanicError) { reported = err },
	})
	cmd := newHolding()
	ref := sim.Submit(yielder(nil, panicking{schedulertest.Command(heldID)}, cmd), scheduler.SubmitOptions{})
	sim.Run(10)
	_ = ref.Terminate()
	sim.Run(10)
	if _, _, err := ref.Outcome(); !errors.Is(err, scheduler.ErrTerminated) {
		t.Errorf("ended with %v", err)
	}
	if reported == nil || reported.Op != "cancel" || !errors.Is(reported, errBoom) {
		t.Errorf("reported %v", reported)
	}
	if n := cmd.cancelled.Load(); n != 1 {
		t.Errorf("the other command was cancelled %d times", n)
	}
}

// TestConcurrentCompletionAndCancelOfCommands ends processes while their commands
// complete: every command either completes or is cancelled, or both.
func TestConcurrentCompletionAndCancelOfCommands(t *testing.T) {
	const rounds, yields = 300, 40
	var completions sync.WaitGroup
	s := newScheduler(t, scheduler.Config{Workers: 3, Dispatch: registry(heldID, dispatch.HandlerFunc(
		func(_ context.Context, cmd dispatch.Command, tag dispatch.Tag, r dispatch.Receiver) error {
			if tag%2 == 0 {
				completions.Go(func() { r.CompleteYield(tag, nil, nil) })
			}
			return nil
		}))})
	for range rounds {
		commands := make([]dispatch.Command, yields)
		for i := range commands {
			commands[i] = newHolding()
		}
		ref := submit(t, s, yielder(func([]scheduler.Event, *scheduler.Output) error { return nil }, commands...))
		eventually(t, "the commands are out", func() bool { return ref.Info().Steps > 0 && ref.Info().OpenYields > 0 })
		ref.Cancel()
		_, _ = wait(t, ref)
		for i, c := range commands {
			n := c.(*holding).cancelled.Load()
			if odd := (i+1)%2 == 1; n > 1 || odd && n != 1 {
				t.Fatalf("command %d was cancelled %d times", i+1, n)
			}
		}
	}
	completions.Wait()
}
