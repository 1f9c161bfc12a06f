// SPDX-License-Identifier: Apache-2.0

package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

var (
	errBoom  = errors.New("boom")
	errFinal = fault.New(fault.Invalid, "bad configuration").Final()
)

func TestBackoffSequence(t *testing.T) {
	r := supervisor.Restart{InitialDelay: time.Second, MaxDelay: 10 * time.Second, BackoffFactor: 2, Jitter: 0.1}
	middle := []time.Duration{1, 2, 4, 8, 10, 10}
	for i, want := range middle {
		if got := r.Delay(i+1, 0.5); got != want*time.Second {
			t.Errorf("delay %d = %v, want %v", i+1, got, want*time.Second)
		}
	}
	if got := r.Delay(0, 0.5); got != time.Second {
		t.Errorf("delay 0 = %v", got)
	}
	if got := r.Delay(math.MaxInt32, 0.5); got != 10*time.Second {
		t.Errorf("delay of a large number = %v", got)
	}
	if low, high := r.Delay(1, 0), r.Delay(1, math.Nextafter(1, 0)); low != 900*time.Millisecond || high < 1099*time.Millisecond || high > 1100*time.Millisecond {
		t.Errorf("jitter spans %v to %v", low, high)
	}
}

func TestDelayStaysInItsRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := supervisor.Restart{
			InitialDelay:  time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "initial")),
			MaxDelay:      time.Duration(rapid.Int64Range(1, math.MaxInt64).Draw(t, "max")),
			BackoffFactor: rapid.Float64Range(1, 1000).Draw(t, "factor"),
			Jitter:        rapid.Float64Range(0, 1).Draw(t, "jitter"),
		}
		n := rapid.IntRange(1, 2000).Draw(t, "n")
		random := rapid.Float64Range(0, math.Nextafter(1, 0)).Draw(t, "random")
		got := r.Delay(n, random)
		base := math.Min(float64(r.InitialDelay)*math.Pow(r.BackoffFactor, float64(n-1)), float64(r.MaxDelay))
		base = math.Min(base, 1<<62)
		if low, high := base*(1-r.Jitter)-1, base*(1+r.Jitter)*1.0000001+1; got < 0 || float64(got) < low*0.9999999 || float64(got) > high {
			t.Fatalf("delay %v outside [%v, %v]", got, time.Duration(low), time.Duration(high))
		}
	})
}

func TestIsTerminal(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errBoom, false},
		{errFinal, true},
		{fmt.Errorf("wrapped: %w", errFinal), true},
		{context.Canceled, true},
		{fault.Wrap(fault.Unavailable, "x", context.Canceled).Transient(), false},
		{context.DeadlineExceeded, false},
		{supervisor.ErrExit, true},
		{fault.New(fault.Terminated, "terminated"), true},
		{errBoomTransient, false},
	} {
		if got := supervisor.IsTerminal(tc.err); got != tc.want {
			t.Errorf("IsTerminal(%v) = %v", tc.err, got)
		}
	}
}

var errBoomTransient = fault.New(fault.Unavailable, "try again").Transient()

// world plays the part of the controller and of the service around a machine, and checks after every step what
// must always hold.
type world struct {
	t   *rapid.T
	m   *supervisor.Machine
	lc  supervisor.Lifecycle
	now time.Time

	// What the machine has asked for and not heard about.
	starting, aborting, stopping, armed, up bool
	run                                     uint64
	delay                                   time.Duration
	released                                bool

	// The model.
	row        int // starts since the last request or stable run
	failures   int // failed attempts in the row before the current one
	waiting    int // tickets of starts without an answer
	stops      int // tickets of stops without an answer
	upSince    time.Time
	last       supervisor.Status
	finished   bool // a final stop was asked for
	stopWanted bool // the last request was a stop
}

func (w *world) ask(a supervisor.Ask) {
	before := w.m.Status(w.now)
	switch a.Name {
	case "start":
		if !w.finished {
			w.stopWanted = false
		}
		w.waiting++
	case "final":
		w.finished = true
		fallthrough
	case "stop":
		w.stopWanted = true
		w.stops++
	}
	fresh := a.Name == "start" && (before.State == supervisor.Unknown || before.State == supervisor.Stopped ||
		before.State == supervisor.Exited || before.State == supervisor.Failed && !w.armed)
	if fresh || a.Name == "stopped" || a.Name == "stopTimeout" {
		w.row, w.failures = 0, 0
	}
	if a.Name == "failed" && w.aborting || a.Name == "startTimeout" && w.aborting {
		w.row, w.failures = 0, 0
	}
	for _, d := range w.m.Step(w.now, a) {
		w.apply(a, d)
	}
	w.check(a)
}

func (w *world) apply(a supervisor.Ask, d supervisor.Done) {
	t := w.t
	switch d.Name {
	case "start":
		if w.starting || w.stopping || w.up || w.armed {
			t.Fatalf("%s: start of run %d while something else is under way: %+v", a.Name, d.Run, w)
		}
		if d.Run <= w.run {
			t.Fatalf("run %d after run %d", d.Run, w.run)
		}
		w.starting, w.run, w.released = true, d.Run, false
		w.row++
		if limit := w.lc.Restart.MaxAttempts; limit > 0 && w.row > limit {
			t.Fatalf("%d starts in a row, at most %d allowed", w.row, limit)
		}
	case "abort":
		if !w.starting {
			t.Fatal("abort without a start")
		}
		w.aborting = true
	case "stop":
		if w.starting || w.stopping {
			t.Fatal("stop while another call is in progress")
		}
		w.stopping, w.up = true, false
	case "release":
		w.released, w.up = true, false
	case "arm":
		if w.armed {
			t.Fatal("two retry timers")
		}
		w.armed, w.delay = true, d.Delay
		if want := w.lc.Restart.Delay(w.failures, 0.5); d.Delay != want {
			t.Fatalf("delay %v after %d failures, want %v", d.Delay, w.failures, want)
		}
	case "disarm":
		if !w.armed {
			t.Fatal("disarm without a timer")
		}
		w.armed = false
	case "answer":
		switch {
		case a.Name == "stop" || a.Name == "final":
			// Starters are turned away, then the request itself may be answered.
			if errors.Is(d.Err, supervisor.ErrStartCanceled) {
				w.waiting -= d.Count
			} else {
				w.stops -= d.Count
			}
		case a.Name == "stopped" || a.Name == "stopTimeout" || a.Name == "failed" && w.aborting || a.Name == "startTimeout" && w.aborting:
			w.stops -= d.Count
		default:
			w.waiting -= d.Count
		}
	case "announce":
		if d.Change == (d.Status.State == w.last.State) {
			t.Fatalf("announced change %v from %s to %s", d.Change, w.last.State, d.Status.State)
		}
		w.last = d.Status
	}
}

func (w *world) check(a supervisor.Ask) {
	t := w.t
	s := w.m.Status(w.now)
	if s.State != w.last.State {
		t.Fatalf("%s: state %s was not announced, last is %s", a.Name, s.State, w.last.State)
	}
	if w.waiting < 0 || w.stops < 0 {
		t.Fatalf("%s: more answers than questions", a.Name)
	}
	switch s.State {
	case supervisor.Starting:
		if !w.starting {
			t.Fatalf("%s: starting without a start", a.Name)
		}
	case supervisor.Running:
		if w.waiting > 0 || w.released {
			t.Fatalf("%s: running, but %d wait for it, released %v", a.Name, w.waiting, w.released)
		}
	case supervisor.Stopping:
		if !w.stopping && !w.aborting {
			t.Fatalf("%s: stopping without a stop", a.Name)
		}
	default:
		if w.stops > 0 {
			t.Fatalf("%s: %s, but %d wait for a stop", a.Name, s.State, w.stops)
		}
		if w.waiting > 0 && !w.armed {
			t.Fatalf("%s: %s for good, but %d wait for a start", a.Name, s.State, w.waiting)
		}
		if s.State != supervisor.Unknown && w.run > 0 && !w.released && a.Name != "refuse" {
			t.Fatalf("%s: %s, but the context of run %d was not ended", a.Name, s.State, w.run)
		}
	}
	if w.armed && s.State != supervisor.Failed {
		t.Fatalf("%s: %s with a retry timer", a.Name, s.State)
	}
	if w.stopWanted && a.Name != "refuse" && s.Desired == supervisor.Running {
		t.Fatalf("%s: wants to run after a stop", a.Name)
	}
}

// outcomes of what the machine asked for; each clears what it answers.

func (w *world) started() {
	w.starting = false
	if !w.aborting {
		w.up, w.upSince = true, w.now
	}
	w.ask(supervisor.Ask{Name: "started", Run: w.run})
	w.aborting = false
}

func (w *world) failed(err error) {
	w.starting = false
	if !w.aborting {
		w.failures++
	}
	w.ask(supervisor.Ask{Name: "failed", Run: w.run, Err: err})
	w.aborting = false
}

func (w *world) startTimeout() {
	w.starting = false
	if !w.aborting {
		w.failures++
	}
	w.ask(supervisor.Ask{Name: "startTimeout", Run: w.run})
	w.aborting = false
}

func (w *world) closed() {
	w.up = false
	if w.now.Sub(w.upSince) >= w.lc.StableThreshold {
		w.row, w.failures = 1, 0
	}
	w.failures++
	w.ask(supervisor.Ask{Name: "closed", Run: w.run})
}

func (w *world) stopEnds(name string, err error) {
	w.starting, w.stopping = false, false
	w.ask(supervisor.Ask{Name: name, Run: w.run, Err: err})
	w.aborting = false
}

func TestMachineModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lc := supervisor.DefaultLifecycle()
		lc.Restart.MaxAttempts = rapid.IntRange(0, 4).Draw(t, "max_attempts")
		lc.StableThreshold = 5 * time.Second
		now := time.Unix(1000, 0)
		w := &world{t: t, lc: lc, now: now, m: supervisor.NewMachine(lc, 0.5, now), last: supervisor.Status{State: supervisor.Unknown}}
		pass := func() {
			w.now = w.now.Add(time.Duration(rapid.Int64Range(0, int64(10*time.Second)).Draw(t, "pass")))
		}
		// when makes an action do nothing while it makes no sense.
		when := func(ok func() bool, action func(*rapid.T)) func(*rapid.T) {
			return func(t *rapid.T) {
				if ok() {
					action(t)
				}
			}
		}
		starting := func() bool { return w.starting }
		up := func() bool { return w.up }
		stopping := func() bool { return w.stopping }
		t.Repeat(map[string]func(*rapid.T){
			"start": func(*rapid.T) { pass(); w.ask(supervisor.Ask{Name: "start"}) },
			"stop":  func(*rapid.T) { pass(); w.ask(supervisor.Ask{Name: "stop"}) },
			"final": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "rarely") == 0 {
					w.ask(supervisor.Ask{Name: "final"})
				}
			},
			"started":       when(starting, func(*rapid.T) { pass(); w.started() }),
			"failed":        when(starting, func(*rapid.T) { pass(); w.failed(errBoom) }),
			"failed final":  when(starting, func(*rapid.T) { pass(); w.failed(errFinal) }),
			"start timeout": when(starting, func(*rapid.T) { pass(); w.startTimeout() }),
			"abort timeout": when(func() bool { return w.aborting && w.starting }, func(*rapid.T) {
				pass()
				w.stopEnds("stopTimeout", nil)
			}),
			"report": when(up, func(*rapid.T) { pass(); w.ask(supervisor.Ask{Name: "report", Run: w.run, Value: "fine"}) }),
			"report end": when(up, func(t *rapid.T) {
				w.up = false
				w.ask(supervisor.Ask{Name: "report", Run: w.run, Value: rapid.SampledFrom([]any{supervisor.ErrExit, errFinal}).Draw(t, "end")})
			}),
			"closed":       when(up, func(*rapid.T) { pass(); w.closed() }),
			"stopped":      when(stopping, func(*rapid.T) { pass(); w.stopEnds("stopped", nil) }),
			"stop failed":  when(stopping, func(*rapid.T) { pass(); w.stopEnds("stopped", errBoom) }),
			"stop timeout": when(stopping, func(*rapid.T) { pass(); w.stopEnds("stopTimeout", nil) }),
			"retry": when(func() bool { return w.armed }, func(*rapid.T) {
				w.now = w.now.Add(w.delay)
				w.armed = false
				w.ask(supervisor.Ask{Name: "retry", Run: w.run})
			}),
			"refuse": func(*rapid.T) { w.ask(supervisor.Ask{Name: "refuse", Err: errBoom}) },
			"stale": when(func() bool { return w.run > 1 }, func(t *rapid.T) {
				before := w.m.Status(w.now)
				name := rapid.SampledFrom([]string{"started", "failed", "startTimeout", "report", "closed", "stopped", "stopTimeout", "retry"}).Draw(t, "name")
				if out := w.m.Step(w.now, supervisor.Ask{Name: name, Run: w.run - 1, Err: errBoom, Value: 1}); len(out) != 0 {
					t.Fatalf("%s of an old run has effects %+v", name, out)
				}
				if after := w.m.Status(w.now); after != before {
					t.Fatalf("%s of an old run changed %+v to %+v", name, before, after)
				}
			}),
		})
	})
}

func TestStateDetails(t *testing.T) {
	type step struct {
		ask   supervisor.Ask
		state supervisor.State
		want  any
	}
	lc := supervisor.DefaultLifecycle()
	lc.Restart.MaxAttempts = 2
	for _, tc := range []struct {
		name  string
		steps []step
	}{
		{"attempts are numbered and bounded", []step{
			{supervisor.Ask{Name: "start"}, supervisor.Starting, "attempt 1"},
			{supervisor.Ask{Name: "failed", Run: 1, Err: errBoom}, supervisor.Failed, errBoom},
			{supervisor.Ask{Name: "retry", Run: 1}, supervisor.Starting, "attempt 2"},
			{supervisor.Ask{Name: "startTimeout", Run: 2}, supervisor.Failed, "start timeout"},
			{supervisor.Ask{Name: "retry", Run: 2}, supervisor.Failed, "start timeout"},
			{supervisor.Ask{Name: "start"}, supervisor.Starting, "attempt 1"},
		}},
		{"terminal error at start", []step{
			{supervisor.Ask{Name: "start"}, supervisor.Starting, "attempt 1"},
			{supervisor.Ask{Name: "failed", Run: 1, Err: errFinal}, supervisor.Exited, error(errFinal)},
		}},
		{"a running service reports", []step{
			{supervisor.Ask{Name: "start"}, supervisor.Starting, "attempt 1"},
			{supervisor.Ask{Name: "started", Run: 1}, supervisor.Running, nil},
			{supervisor.Ask{Name: "report", Run: 1, Value: "busy"}, supervisor.Running, "busy"},
			{supervisor.Ask{Name: "report", Run: 1, Value: errBoom}, supervisor.Running, errBoom},
			{supervisor.Ask{Name: "closed", Run: 1}, supervisor.Failed, errBoom},
		}},
		{"normal end", []step{
			{supervisor.Ask{Name: "start"}, supervisor.Starting, "attempt 1"},
			{supervisor.Ask{Name: "started", Run: 1}, supervisor.Running, nil},
			{supervisor.Ask{Name: "report", Run: 1, Value: supervisor.ErrExit}, supervisor.Exited, nil},
		}},
		{"end that must not be retried", []step{
			{supervisor.Ask{Name: "start"}, supervisor.Starting, "attempt 1"},
			{supervisor.Ask{Name: "started", Run: 1}, supervisor.Running, nil},
			{supervisor.Ask{Name: "report", Run: 1, Value: errFinal}, supervisor.Exited, error(errFinal)},
		}},
		{"stop with an error", []step{
			{supervisor.Ask{Name: "start"}, supervisor.Starting, "attempt 1"},
			{supervisor.Ask{Name: "started", Run: 1}, supervisor.Running, nil},
			{supervisor.Ask{Name: "stop"}, supervisor.Stopping, nil},
			{supervisor.Ask{Name: "stopped", Run: 1, Err: errBoom}, supervisor.Stopped, errBoom},
		}},
		{"stop timeout", []step{
			{supervisor.Ask{Name: "start"}, supervisor.Starting, "attempt 1"},
			{supervisor.Ask{Name: "started", Run: 1}, supervisor.Running, nil},
			{supervisor.Ask{Name: "stop"}, supervisor.Stopping, nil},
			{supervisor.Ask{Name: "stopTimeout", Run: 1}, supervisor.Failed, "stop timeout after 10s"},
		}},
		{"start while stopping starts afterwards", []step{
			{supervisor.Ask{Name: "start"}, supervisor.Starting, "attempt 1"},
			{supervisor.Ask{Name: "started", Run: 1}, supervisor.Running, nil},
			{supervisor.Ask{Name: "stop"}, supervisor.Stopping, nil},
			{supervisor.Ask{Name: "start"}, supervisor.Stopping, nil},
			{supervisor.Ask{Name: "stopped", Run: 1}, supervisor.Starting, "attempt 1"},
		}},
		{"stop while starting", []step{
			{supervisor.Ask{Name: "start"}, supervisor.Starting, "attempt 1"},
			{supervisor.Ask{Name: "stop"}, supervisor.Stopping, nil},
			{supervisor.Ask{Name: "failed", Run: 1, Err: context.Canceled}, supervisor.Stopped, nil},
		}},
		{"stop while starting, but it started", []step{
			{supervisor.Ask{Name: "start"}, supervisor.Starting, "attempt 1"},
			{supervisor.Ask{Name: "stop"}, supervisor.Stopping, nil},
			{supervisor.Ask{Name: "started", Run: 1}, supervisor.Stopping, nil},
			{supervisor.Ask{Name: "stopped", Run: 1}, supervisor.Stopped, nil},
		}},
		{"outcomes of an older run are ignored", []step{
			{supervisor.Ask{Name: "start"}, supervisor.Starting, "attempt 1"},
			{supervisor.Ask{Name: "failed", Run: 1, Err: errBoom}, supervisor.Failed, errBoom},
			{supervisor.Ask{Name: "retry", Run: 0}, supervisor.Failed, errBoom},
			{supervisor.Ask{Name: "retry", Run: 1}, supervisor.Starting, "attempt 2"},
			{supervisor.Ask{Name: "startTimeout", Run: 1}, supervisor.Starting, "attempt 2"},
			{supervisor.Ask{Name: "started", Run: 2}, supervisor.Running, nil},
			{supervisor.Ask{Name: "closed", Run: 1}, supervisor.Running, nil},
			{supervisor.Ask{Name: "stop"}, supervisor.Stopping, nil},
			{supervisor.Ask{Name: "stopped", Run: 1}, supervisor.Stopping, nil},
			{supervisor.Ask{Name: "stopTimeout", Run: 1}, supervisor.Stopping, nil},
			{supervisor.Ask{Name: "stopped", Run: 2}, supervisor.Stopped, nil},
		}},
		{"stop while waiting for a retry", []step{
			{supervisor.Ask{Name: "start"}, supervisor.Starting, "attempt 1"},
			{supervisor.Ask{Name: "failed", Run: 1, Err: errBoom}, supervisor.Failed, errBoom},
			{supervisor.Ask{Name: "stop"}, supervisor.Stopped, nil},
			{supervisor.Ask{Name: "retry", Run: 1}, supervisor.Stopped, nil},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			now := time.Unix(0, 0)
			m := supervisor.NewMachine(lc, 0.5, now)
			for i, s := range tc.steps {
				m.Step(now, s.ask)
				if got := m.Status(now); got.State != s.state || got.Details != s.want {
					t.Fatalf("step %d (%s): %s with %v, want %s with %v", i, s.ask.Name, got.State, got.Details, s.state, s.want)
				}
			}
		})
	}
}
