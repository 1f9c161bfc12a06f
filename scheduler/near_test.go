// SPDX-License-Identifier: Apache-2.0

package scheduler_test

import (
	"context"
	"sync"
	"testing"

	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/dispatch"
)

// caller yields commands one after the other; each is answered by the end of
// another process.
type caller struct{ left int }

func (c *caller) Init(context.Context, string, any) error { return nil }
func (c *caller) Close()                                  {}
func (c *caller) Step(_ []scheduler.Event, out *scheduler.Output) error {
	if c.left == 0 {
		out.Done(nil)
		return nil
	}
	c.left--
	out.Yield(callCommand{}, 1)
	return nil
}

type callCommand struct{}

func (callCommand) CommandID() dispatch.CommandID { return echoID }

// once ends at its first step.
type once struct{}

func (once) Init(context.Context, string, any) error { return nil }
func (once) Close()                                  {}
func (once) Step(_ []scheduler.Event, out *scheduler.Output) error {
	out.Done(nil)
	return nil
}

// nearCalls makes a scheduler whose command runs a process near its caller.
func nearCalls(tb testing.TB, workers int) *scheduler.Scheduler {
	tb.Helper()
	var s *scheduler.Scheduler
	reg := registry(echoID, dispatch.HandlerFunc(func(ctx context.Context, _ dispatch.Command, tag dispatch.Tag, r dispatch.Receiver) error {
		_, err := s.Submit(context.Background(), once{}, scheduler.SubmitOptions{
			Near:   scheduler.RefFrom(ctx),
			OnExit: func(any, error) { r.CompleteYield(tag, nil, nil) },
		})
		return err
	}))
	s, err := scheduler.New(scheduler.Config{Workers: workers, Dispatch: reg})
	if err != nil {
		tb.Fatal(err)
	}
	s.Start()
	tb.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func TestProcessNearItsCallerRunsAndAnswersConcurrentSafe(t *testing.T) {
	s := nearCalls(t, 4)
	var wg sync.WaitGroup
	for range 8 {
		ref, err := s.Submit(t.Context(), &caller{left: 500}, scheduler.SubmitOptions{})
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if _, err := ref.Wait(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestNearAProcessOfAnotherSchedulerMeansAnywhere(t *testing.T) {
	a, b := nearCalls(t, 1), nearCalls(t, 1)
	near, err := a.Submit(t.Context(), once{}, scheduler.SubmitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := b.Submit(t.Context(), once{}, scheduler.SubmitOptions{Near: near})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ref.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

// BenchmarkCallNear is a call by yield, answered by a process that runs near the
// caller.
func BenchmarkCallNear(b *testing.B) {
	b.ReportAllocs()
	s := nearCalls(b, 0)
	const batch = 1000
	for b.Loop() {
		ref, err := s.Submit(b.Context(), &caller{left: batch}, scheduler.SubmitOptions{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := ref.Wait(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/call")
}
