// SPDX-License-Identifier: Apache-2.0

package scheduler_test

import (
	"testing"

	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/scheduler/schedulertest"
)

func TestSendAndStepDoNotAllocate(t *testing.T) {
	if scheduler.RaceEnabled {
		t.Log("not measured: the race detector makes sync.Pool drop items")
		return
	}
	held := &schedulertest.Held{}
	sim := newSim(t, scheduler.Config{Dispatch: registry(echoID, held)})
	var cmd dispatch.Command = schedulertest.Command(echoID)
	relay := sim.Submit(&schedulertest.Recorder{}, scheduler.SubmitOptions{})
	relay.Cancel()
	target := sim.Submit(stepFunc(func([]scheduler.Event, *scheduler.Output) error { return nil }), scheduler.SubmitOptions{})
	forward := sim.Submit(stepFunc(func(events []scheduler.Event, out *scheduler.Output) error {
		for _, ev := range events {
			if ev.Kind == scheduler.MessageEvent {
				out.Yield(cmd, 1)
			}
			_ = out.Send(target, nil)
		}
		return nil
	}), scheduler.SubmitOptions{})
	round := func() {
		_ = forward.Send(nil)
		sim.Run(10)
		held.Take(0).Complete(nil, nil)
		sim.Run(10)
	}
	round()
	if n := testing.AllocsPerRun(1000, round); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestSubmitToDoneAllocatesOnlyTheRef(t *testing.T) {
	if scheduler.RaceEnabled {
		t.Log("not measured: the race detector allocates")
		return
	}
	sim := newSim(t, scheduler.Config{})
	var p scheduler.Process = stepFunc(func(_ []scheduler.Event, out *scheduler.Output) error {
		out.Done(nil)
		return nil
	})
	if n := testing.AllocsPerRun(1000, func() {
		sim.Submit(p, scheduler.SubmitOptions{})
		sim.Run(10)
	}); n > 1 {
		t.Errorf("%v allocations", n)
	}
}
