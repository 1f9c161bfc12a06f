// SPDX-License-Identifier: Apache-2.0

package clock

import (
	"runtime/debug"
	"time"

	"github.com/wippyrun/kit/scheduler/dispatch"
)

// Timer is something that will fire: once, or periodically. Its methods may be called concurrently. Timers
// are made by [Clock.After], [Clock.Every] and the commands. A Timer must not be copied.
type Timer struct {
	wheel *wheel // set when it is armed for the first time

	// Guarded by wheel.mu.
	next, prev  *Timer
	in          *list         // the list it is on, nil when none
	when        int64         // tick it is due
	began       time.Duration // what a period is counted from, since the start of the wheel
	period      time.Duration // 0: fires once
	level, slot uint8         // where it is on the wheel
	state       timerState

	// What firing does: f or r. Fixed before the timer is armed.
	keep  bool // r completes with the time it fired at, and with ErrStopped when it is stopped
	f     func(now time.Time)
	r     dispatch.Receiver
	tag   dispatch.Tag
	ended func() // called when it will not fire again; may be nil
}

type timerState uint8

const (
	idle       timerState = iota // never armed, fired, or stopped
	armed                        // on a list
	delivering                   // a tick of a periodic timer is being delivered
)

// arm starts t; it must be idle and not shared yet.
func (t *Timer) arm(w *wheel, d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t.wheel = w
	t.set(w.since(), d)
}

// set puts t on the wheel, due d from now. wheel.mu is held.
func (t *Timer) set(now, d time.Duration) {
	w := t.wheel
	if !w.firing {
		// Bring an idle wheel up to the present, so that t gets the right level. What is due, the waker is
		// about to see.
		if at, _, _, ok := w.next(); !ok || at > ticks(now) {
			w.now = max(w.now, ticks(now))
		}
	}
	t.began = now
	t.when = deadline(now, d)
	t.state = armed
	w.insert(t)
	w.schedule()
}

// Stop keeps t from firing again and reports whether it came in time: false when t has fired (once) or was
// stopped already.
func (t *Timer) Stop() bool {
	w := t.wheel
	if w == nil {
		return false
	}
	w.mu.Lock()
	was := t.state
	t.state = idle
	if was == armed {
		w.remove(t)
	}
	w.mu.Unlock()
	if was == idle {
		return false
	}
	if t.keep {
		t.r.CompleteYield(t.tag, nil, ErrStopped)
	}
	if t.ended != nil {
		t.ended()
	}
	return true
}

// Reset makes t fire d from now instead (for a periodic timer: with period d from now on) and reports whether
// it came in time. A timer that has fired or was stopped is not started again.
func (t *Timer) Reset(d time.Duration) bool {
	w := t.wheel
	if w == nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.since()
	switch t.state {
	case idle:
		return false
	case armed:
		w.remove(t)
		t.set(now, d)
	case delivering: // rearm does it
		t.began = now
	}
	if t.period > 0 {
		t.period = max(d, 1)
	}
	return true
}

// shot is one firing of a timer, taken down under the lock and carried out without it: a one-shot timer may be
// in use again before its delivery returns.
type shot struct {
	t        *Timer
	periodic bool
	keep     bool
	f        func(now time.Time)
	r        dispatch.Receiver
	tag      dispatch.Tag
	ended    func()
}

// fired notes that t, which is off its list, fires. wheel.mu is held.
func (t *Timer) fired() shot {
	t.state = idle
	if t.period > 0 {
		t.state = delivering
	}
	s := shot{t: t, periodic: t.period > 0, keep: t.keep, f: t.f, r: t.r, tag: t.tag, ended: t.ended}
	if !s.periodic {
		t.r = nil // do not keep the process of a reusable command alive
	}
	return s
}

// rearm puts a periodic timer back, unless it was stopped meanwhile. wheel.mu is held.
func (s *shot) rearm(w *wheel, now time.Duration) {
	if !s.periodic || s.t.state != delivering {
		return
	}
	t := s.t
	// The next multiple of the period that is not past; computed from the beginning, so nothing adds up.
	n := max(now-t.began, 0)/t.period + 1
	t.when = deadline(t.began, n*t.period)
	t.state = armed
	w.insert(t)
}

func (w *wheel) deliver(s *shot, now time.Time) {
	defer func() {
		if v := recover(); v != nil {
			w.onPanic(v, debug.Stack())
		}
	}()
	if !s.periodic && s.ended != nil {
		s.ended()
	}
	switch {
	case s.r == nil:
		s.f(now)
	case s.keep:
		s.r.CompleteYield(s.tag, now, nil)
	default:
		s.r.CompleteYield(s.tag, nil, nil)
	}
}
