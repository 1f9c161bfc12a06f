// SPDX-License-Identifier: Apache-2.0

package supervisor

import (
	"fmt"
	"time"
)

// machine decides what happens to one service. It is pure: time and randomness come in, effects come out,
// and somebody else (controller) carries them out in order. Everything that is subtle about supervision is
// here and is tested without a goroutine.
type machine struct {
	lc     Lifecycle
	random func() float64 // in [0, 1)

	state     State
	desired   State
	retries   int // restarts in a row since the last stable run
	details   any
	startedAt time.Time
	updatedAt time.Time

	run          uint64    // number of the current run; inputs about older ones are ignored
	retrying     bool      // state is Failed and a retry is due
	final        bool      // stopped for good
	everRan      bool      // some run reached Running
	stopDeadline time.Time // while Stopping

	starters []*ticket // wait for Running
	stoppers []*ticket // wait for the end of Stopping
}

func newMachine(lc Lifecycle, random func() float64, now time.Time) *machine {
	return &machine{lc: lc, random: random, state: Unknown, desired: Stopped, updatedAt: now}
}

// input is something that happened to a service: one of the types below.
type input interface{ isInput() }

type (
	// wantStart and wantStop are requests. t may be nil.
	wantStart struct{ t *ticket }
	wantStop  struct {
		t     *ticket
		final bool // no start is accepted any more
	}
	// refused says that the service cannot start for a reason outside of it.
	refused struct{ err error }
	// started, startFailed and startTimedOut are the outcomes of doStart. details is what the service had to say
	// of itself by then, nil for nothing.
	started struct {
		run     uint64
		details any
	}
	startFailed struct {
		run uint64
		err error
	}
	startTimedOut struct{ run uint64 }
	// reported and closed come from the status channel.
	reported struct {
		run   uint64
		value any
	}
	closed struct{ run uint64 }
	// stopped and stopTimedOut are the outcomes of doStop.
	stopped struct {
		run uint64
		err error
	}
	stopTimedOut struct{ run uint64 }
	// retryDue is the outcome of armRetry.
	retryDue struct{ run uint64 }
)

func (wantStart) isInput()     {}
func (wantStop) isInput()      {}
func (refused) isInput()       {}
func (started) isInput()       {}
func (startFailed) isInput()   {}
func (startTimedOut) isInput() {}
func (reported) isInput()      {}
func (closed) isInput()        {}
func (stopped) isInput()       {}
func (stopTimedOut) isInput()  {}
func (retryDue) isInput()      {}

// effect is something to be done: one of the types below.
type effect interface{ isEffect() }

type (
	// doStart calls Start for a new run; ends with started, startFailed or startTimedOut.
	doStart struct{ run uint64 }
	// abortStart makes a Start in progress give up; if it has not by the deadline, stopTimedOut follows.
	abortStart struct{ deadline time.Time }
	// doStop calls Stop; ends with stopped or stopTimedOut.
	doStop struct{ deadline time.Time }
	// release ends the context of the run.
	release struct{}
	// armRetry and disarmRetry handle the one retry timer. cause is why there is a retry.
	armRetry struct {
		delay time.Duration
		cause any
	}
	disarmRetry struct{}
	// gaveUp says that the service ended by itself, that nobody waits to hear of it and that it
	// is not tried again.
	gaveUp struct{ cause any }
	// answer resolves tickets; tried marks them as having seen a failed attempt.
	answer struct {
		tickets []*ticket
		err     error
	}
	tried struct{ tickets []*ticket }
	// announce publishes the state as it is now.
	announce struct {
		status       Status
		stateChanged bool
	}
)

func (doStart) isEffect()     {}
func (abortStart) isEffect()  {}
func (doStop) isEffect()      {}
func (release) isEffect()     {}
func (armRetry) isEffect()    {}
func (disarmRetry) isEffect() {}
func (gaveUp) isEffect()      {}
func (answer) isEffect()      {}
func (tried) isEffect()       {}
func (announce) isEffect()    {}

// effects collects what one step wants done.
type effects []effect

func (e *effects) add(more ...effect) { *e = append(*e, more...) }

// step applies one input and returns what has to be done about it, in order.
func (m *machine) step(now time.Time, in input) effects {
	var out effects
	switch in := in.(type) {
	case wantStart:
		m.onWantStart(now, in.t, &out)
	case wantStop:
		m.final = m.final || in.final
		m.onWantStop(now, in.t, &out)
	case refused:
		if !m.final && !m.active() {
			m.desired = Running
			m.set(now, Failed, in.err, &out)
		}
	case started:
		if in.run == m.run {
			m.onStarted(now, in.details, &out)
		}
	case startFailed:
		if in.run == m.run {
			m.onStartFailed(now, in.err, &out)
		}
	case startTimedOut:
		if in.run == m.run {
			m.onStartTimedOut(now, &out)
		}
	case reported:
		if in.run == m.run && m.state == Running {
			m.onReported(now, in.value, &out)
		}
	case closed:
		if in.run == m.run && m.state == Running {
			m.onClosed(now, &out)
		}
	case stopped:
		if in.run == m.run && m.state == Stopping {
			m.onStopped(now, in.err, &out)
		}
	case stopTimedOut:
		if in.run == m.run && m.state == Stopping {
			m.onStopTimedOut(now, &out)
		}
	case retryDue:
		if in.run == m.run && m.retrying {
			m.attempt(now, &out)
		}
	}
	return out
}

// active reports whether the service runs or is on its way to another state.
func (m *machine) active() bool {
	return m.state == Running || m.state == Starting || m.state == Stopping || m.retrying
}

func (m *machine) onWantStart(now time.Time, t *ticket, out *effects) {
	if m.final {
		m.answer([]*ticket{t}, ErrStopped, out)
		return
	}
	m.desired = Running
	if m.state == Running {
		m.answer([]*ticket{t}, nil, out)
		return
	}
	if t != nil {
		m.starters = append(m.starters, t)
	}
	switch {
	case m.state == Starting || m.state == Stopping:
	case m.retrying:
		out.add(tried{[]*ticket{t}})
	default:
		m.retries = 0
		m.attempt(now, out)
	}
}

func (m *machine) onWantStop(now time.Time, t *ticket, out *effects) {
	m.desired = Stopped
	m.answerStarters(ErrStartCanceled, out)
	switch {
	case m.state == Running:
		m.beginStop(now, t, out)
		out.add(doStop{m.stopDeadline})
	case m.state == Starting:
		m.beginStop(now, t, out)
		out.add(abortStart{m.stopDeadline})
	case m.state == Stopping:
		m.stoppers = append(m.stoppers, t)
	case m.retrying:
		m.retrying = false
		out.add(disarmRetry{})
		m.set(now, Stopped, nil, out)
		m.answer([]*ticket{t}, nil, out)
	default:
		m.answer([]*ticket{t}, nil, out)
	}
}

func (m *machine) beginStop(now time.Time, t *ticket, out *effects) {
	m.stopDeadline = now.Add(m.lc.StopTimeout)
	m.stoppers = append(m.stoppers, t)
	m.set(now, Stopping, nil, out)
}

// attempt begins a new run.
func (m *machine) attempt(now time.Time, out *effects) {
	m.retrying = false
	m.run++
	m.set(now, Starting, fmt.Sprintf("attempt %d", m.retries+1), out)
	out.add(doStart{m.run})
}

func (m *machine) onStarted(now time.Time, details any, out *effects) {
	switch m.state {
	case Starting:
		m.startedAt, m.everRan = now, true
		m.set(now, Running, nil, out)
		if details != nil {
			m.set(now, Running, details, out)
		}
		m.answerStarters(nil, out)
	case Stopping: // Start won the race against its cancellation
		out.add(doStop{m.stopDeadline})
	}
}

func (m *machine) onStartFailed(now time.Time, err error, out *effects) {
	switch {
	case m.state == Stopping: // Start gave up because it was told to
		m.onStopped(now, nil, out)
	case m.state != Starting:
	case IsTerminal(err):
		out.add(release{})
		m.set(now, Exited, err, out)
		m.answerStarters(ErrStartFailed.Because(err), out)
	default:
		m.fail(now, err, err, out)
	}
}

func (m *machine) onStartTimedOut(now time.Time, out *effects) {
	switch m.state {
	case Starting:
		m.fail(now, "start timeout", ErrStartTimedOut, out)
	case Stopping: // the timeout and the request to stop crossed; the controller cleans up a late success
		m.onStopped(now, nil, out)
	}
}

// fail ends the run and plans the next one while there are attempts left. details is what is shown, err
// what is returned to those who wait for the start.
func (m *machine) fail(now time.Time, details any, err error, out *effects) {
	out.add(release{})
	m.retrying = m.desired == Running && (m.lc.Restart.MaxAttempts == 0 || m.retries+1 < m.lc.Restart.MaxAttempts)
	if m.retrying {
		m.retries++
	}
	m.set(now, Failed, details, out)
	if m.retrying {
		out.add(armRetry{m.lc.Restart.Delay(m.retries, m.random()), details})
		if len(m.starters) > 0 {
			out.add(tried{append([]*ticket(nil), m.starters...)})
		}
		return
	}
	if len(m.starters) == 0 {
		out.add(gaveUp{details})
	}
	if err != error(ErrStartTimedOut) {
		err = ErrStartTimedOut.Because(err)
	}
	m.answerStarters(err, out)
}

func (m *machine) onReported(now time.Time, value any, out *effects) {
	err, isErr := value.(error)
	if !isErr || !IsTerminal(err) {
		m.set(now, Running, value, out)
		return
	}
	out.add(release{})
	if isNormalEnd(err) {
		m.set(now, Exited, nil, out)
	} else {
		m.set(now, Exited, err, out)
		out.add(gaveUp{err})
	}
}

func (m *machine) onClosed(now time.Time, out *effects) {
	if m.stable(now) {
		m.retries = 0
	}
	details := m.details
	if details == nil {
		details = errEnded
	}
	m.fail(now, details, errEnded, out)
}

// stable reports whether the current run has lasted long enough to forget earlier failures.
func (m *machine) stable(now time.Time) bool {
	return m.state == Running && now.Sub(m.startedAt) >= m.lc.StableThreshold
}

func (m *machine) onStopped(now time.Time, err error, out *effects) {
	out.add(release{})
	if err == nil {
		m.set(now, Stopped, nil, out)
	} else {
		m.set(now, Stopped, err, out)
		err = ErrStopFailed.Because(err)
	}
	m.afterStop(now, err, out)
}

func (m *machine) onStopTimedOut(now time.Time, out *effects) {
	out.add(release{})
	m.set(now, Failed, "stop timeout after "+m.lc.StopTimeout.String(), out)
	m.afterStop(now, ErrStopTimedOut.With("timeout", m.lc.StopTimeout.String()), out)
}

// afterStop tells those who waited and starts again when somebody asked for that meanwhile.
func (m *machine) afterStop(now time.Time, err error, out *effects) {
	waiting := m.stoppers
	m.stoppers = nil
	m.answer(waiting, err, out)
	if m.desired == Running {
		m.retries = 0
		m.attempt(now, out)
	}
}

func (m *machine) set(now time.Time, s State, details any, out *effects) {
	changed := m.state != s
	m.state, m.details, m.updatedAt = s, details, now
	out.add(announce{m.status(now), changed})
}

func (m *machine) answerStarters(err error, out *effects) {
	waiting := m.starters
	m.starters = nil
	m.answer(waiting, err, out)
}

func (m *machine) answer(tickets []*ticket, err error, out *effects) {
	if len(tickets) > 0 {
		out.add(answer{tickets, err})
	}
}

func (m *machine) status(now time.Time) Status {
	retries := m.retries
	if m.stable(now) {
		retries = 0
	}
	return Status{
		State: m.state, Desired: m.desired, RetryCount: retries, Details: m.details,
		StartedAt: m.startedAt, LastUpdate: m.updatedAt,
	}
}
