// SPDX-License-Identifier: Apache-2.0

package schedulertest_test

import (
	"fmt"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/scheduler/schedulertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRunStopsWhenNothingIsReady(t *testing.T) {
	sim := schedulertest.New(t, schedulertest.Seeded(1), scheduler.Config{})
	rec := &schedulertest.Recorder{}
	ref := sim.Submit(rec, scheduler.SubmitOptions{})
	if n := sim.Run(10); n != 1 {
		t.Errorf("%d steps", n)
	}
	_ = ref.Send("x")
	if !sim.Step() || sim.Step() {
		t.Error("not exactly one step")
	}
	if ev := rec.Events(); len(ev) != 1 || ev[0].Data != "x" {
		t.Errorf("got %v", ev)
	}
	if err := sim.Stop(); err != nil || rec.Closed() != 1 {
		t.Errorf("stop: %v, closed %d", err, rec.Closed())
	}
}

// failures records what a test would have failed with.
type failures []string

func (*failures) Helper() {}
func (f *failures) Fatalf(format string, args ...any) {
	*f = append(*f, fmt.Sprintf(format, args...))
}

func TestRunFailsWhenAProcessNeverRests(t *testing.T) {
	var f failures
	sim := schedulertest.New(&f, schedulertest.Seeded(1), scheduler.Config{})
	ref := sim.Submit(schedulertest.Func(func(_ []scheduler.Event, out *scheduler.Output) error {
		out.Continue()
		return nil
	}), scheduler.SubmitOptions{})
	sim.Run(10)
	if len(f) != 1 || !strings.Contains(f[0], "still busy after 10 steps") {
		t.Errorf("got %v", f)
	}
	ref.Cancel()
	if err := sim.Stop(); err != nil {
		t.Error(err)
	}
}

func TestHeldKeepsYieldsOpen(t *testing.T) {
	held := &schedulertest.Held{}
	reg := dispatch.NewRegistry()
	reg.Register("test", 300, held)
	reg.Freeze()
	sim := schedulertest.New(t, schedulertest.Seeded(1), scheduler.Config{Dispatch: reg})
	var log []string
	sim.Submit(schedulertest.Func(func(events []scheduler.Event, out *scheduler.Output) error {
		if len(events) == 0 {
			out.Yield(schedulertest.Command(300), 1)
			out.Yield(schedulertest.Command(300), 2)
		}
		for _, ev := range events {
			log = append(log, fmt.Sprint(ev.Tag, ev.Data))
		}
		return nil
	}), scheduler.SubmitOptions{})
	sim.Run(10)
	if held.Len() != 2 {
		t.Fatalf("%d open yields", held.Len())
	}
	held.Take(1).Complete("b", nil)
	held.Take(0).Complete("a", nil)
	sim.Run(10)
	if got := strings.Join(log, ","); got != "2b,1a" {
		t.Errorf("got %s", got)
	}
}

func Example() {
	var t failures // a *testing.T in a real test
	sim := schedulertest.New(&t, schedulertest.Seeded(42), scheduler.Config{})
	rec := &schedulertest.Recorder{}
	ref := sim.Submit(rec, scheduler.SubmitOptions{})
	_ = ref.Send("hello")
	sim.Run(100)
	fmt.Println(rec.Events()[0].Data, ref.Info().State)
	_ = sim.Stop()
	// Output: hello idle
}
