// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"sync/atomic"
	"time"
)

// monitor looks at the workers every StepBudget while any of them is awake. It
// is a timer, not a goroutine: while all workers sleep nothing runs at all.
//
// A worker that is found twice in the same Step is stuck. What waits behind it
// is handed over: its inject queue goes to the global queue at once, its deque
// and slot are open to thieves. If no worker is free to take them, a spare is
// started; when the Step returns, there is one worker too many and the next
// one to notice retires.
type monitor struct {
	sched *Scheduler
	timer *time.Timer
	armed atomic.Bool  // the timer is set, or its function runs
	last  time.Time    // of the last tick; used by arm and tick, never at once
	now   atomic.Int64 // last, in Unix nanoseconds
}

func (m *monitor) init(s *Scheduler) {
	m.sched = s
	m.timer = time.AfterFunc(time.Hour, m.tick)
	m.timer.Stop()
}

// arm starts the monitor if it is not running. Called by every worker that wakes.
func (m *monitor) arm() {
	if !m.armed.Load() && m.armed.CompareAndSwap(false, true) {
		m.last = time.Now()
		m.now.Store(m.last.UnixNano())
		m.timer.Reset(m.sched.cfg.StepBudget)
	}
}

// clock returns the time in Unix nanoseconds, a few milliseconds late while the
// monitor runs: then it spares Submit the system's clock.
func (m *monitor) clock() int64 {
	if m.armed.Load() {
		if now := m.now.Load(); now != 0 {
			return now
		}
	}
	return time.Now().UnixNano()
}

// stop ends the monitor for good.
func (m *monitor) stop() {
	m.armed.Store(true) // arm does nothing any more
	m.now.Store(0)
	m.timer.Stop()
}

func (m *monitor) tick() {
	s := m.sched
	if s.quit.Load() {
		return
	}
	now := time.Now()
	elapsed := now.Sub(m.last)
	m.last = now
	m.now.Store(now.UnixNano())

	s.mu.Lock()
	awake := 0
	for _, w := range *s.workers.Load() {
		if w.state.Load() == workerParked {
			w.seen = nil
			continue
		}
		awake++
		m.inspect(w, elapsed)
	}
	m.relieve()
	s.mu.Unlock()

	if awake == 0 {
		m.armed.Store(false)
		// A worker that woke before this saw the monitor armed.
		if int(s.parked.Load()) >= len(*s.workers.Load()) || !m.armed.CompareAndSwap(false, true) {
			return
		}
	}
	m.timer.Reset(s.cfg.StepBudget)
}

// inspect accounts for the process w runs and marks w if it has not moved on.
func (m *monitor) inspect(w *worker, elapsed time.Duration) {
	r := w.current.Load()
	if r == nil {
		w.seen = nil
		return
	}
	r.runtime.Add(int64(elapsed))
	steps := r.steps.Load()
	if r != w.seen || steps != w.seenSteps {
		w.seen, w.seenSteps = r, steps
		return
	}
	if w.state.CompareAndSwap(workerAwake, workerStuck) || w.state.Load() == workerStuck {
		if first := w.inject.takeAll(); first != nil {
			m.sched.global.pushList(first)
		}
	}
}

// relieve finds somebody for work that nobody gets to. The caller holds
// Scheduler.mu.
func (m *monitor) relieve() {
	s := m.sched
	if !s.backlog() {
		return
	}
	if s.parked.Load() > 0 {
		s.wakeOne()
		return
	}
	for _, w := range *s.workers.Load() {
		if int(s.spares.Load()) >= s.cfg.MaxSpares {
			return
		}
		if w.state.Load() == workerStuck && !w.compensated {
			w.compensated = true
			s.spares.Add(1)
			s.spawn()
		}
	}
}

// backlog reports whether any process is ready and not running.
func (s *Scheduler) backlog() bool {
	if s.global.size.Load() > 0 {
		return true
	}
	for _, w := range *s.workers.Load() {
		if w.deque.size() > 0 || w.slot.Load() != nil || !w.inject.empty() {
			return true
		}
	}
	return false
}
