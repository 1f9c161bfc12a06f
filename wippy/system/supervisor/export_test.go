// SPDX-License-Identifier: Apache-2.0

package supervisor

import "time"

// Machine gives tests the pure state machine of one service.
type Machine struct{ m *machine }

// NewMachine returns a machine with jitter at random.
func NewMachine(lc Lifecycle, random float64, now time.Time) *Machine {
	return &Machine{newMachine(lc.withDefaults(), func() float64 { return random }, now)}
}

// Ask is what a test can tell a machine: one input by name.
type Ask struct {
	Name  string // start stop final refuse started failed startTimeout report closed stopped stopTimeout retry
	Run   uint64
	Err   error
	Value any
}

// Done is what a machine wants done: one effect by name.
type Done struct {
	Name   string // start abort stop release arm disarm answer tried announce
	Run    uint64
	Delay  time.Duration
	Err    error
	Status Status
	Change bool
	Count  int
}

// Step applies one input.
func (m *Machine) Step(now time.Time, a Ask) []Done {
	var in input
	switch a.Name {
	case "start":
		in = wantStart{newTicket()}
	case "stop":
		in = wantStop{newTicket(), false}
	case "final":
		in = wantStop{newTicket(), true}
	case "refuse":
		in = refused{a.Err}
	case "started":
		in = started{a.Run, a.Value}
	case "failed":
		in = startFailed{a.Run, a.Err}
	case "startTimeout":
		in = startTimedOut{a.Run}
	case "report":
		in = reported{a.Run, a.Value}
	case "closed":
		in = closed{a.Run}
	case "stopped":
		in = stopped{a.Run, a.Err}
	case "stopTimeout":
		in = stopTimedOut{a.Run}
	case "retry":
		in = retryDue{a.Run}
	default:
		panic("unknown input " + a.Name)
	}
	var out []Done
	for _, e := range m.m.step(now, in) {
		switch e := e.(type) {
		case doStart:
			out = append(out, Done{Name: "start", Run: e.run})
		case abortStart:
			out = append(out, Done{Name: "abort"})
		case doStop:
			out = append(out, Done{Name: "stop"})
		case release:
			out = append(out, Done{Name: "release"})
		case armRetry:
			out = append(out, Done{Name: "arm", Delay: e.delay})
		case disarmRetry:
			out = append(out, Done{Name: "disarm"})
		case answer:
			out = append(out, Done{Name: "answer", Err: e.err, Count: len(e.tickets)})
		case tried:
			out = append(out, Done{Name: "tried", Count: len(e.tickets)})
		case announce:
			out = append(out, Done{Name: "announce", Status: e.status, Change: e.stateChanged})
		}
	}
	return out
}

// Status returns the state of the machine.
func (m *Machine) Status(now time.Time) Status { return m.m.status(now) }
