// SPDX-License-Identifier: Apache-2.0

package scheduler

// Manual drives a scheduler by hand, one Step at a time, on the goroutine of
// the caller: the same queues, stealing and state machine, but no goroutines and
// no clock. It is for simulations and for tests that must be repeatable;
// package schedulertest builds on it. A Manual must not be used concurrently,
// although its processes may be sent to from anywhere.
type Manual struct {
	sched  *Scheduler
	choose func(n int) int
}

// NewManual returns a scheduler without goroutines. choose decides what happens
// next: it returns a number in [0, n).
func NewManual(cfg Config, choose func(n int) int) (*Manual, error) {
	s, err := New(cfg)
	if err != nil {
		return nil, err
	}
	m := &Manual{sched: s, choose: choose}
	s.manual = m
	s.monitor.stop()
	s.Start()
	return m, nil
}

// Scheduler returns the scheduler that m drives.
func (m *Manual) Scheduler() *Scheduler { return m.sched }

// Step runs one Step of one ready process, on a worker and from a queue that
// choose picks. It returns false if no process is ready.
func (m *Manual) Step() bool {
	workers := *m.sched.workers.Load()
	start := m.choose(len(workers))
	thief := m.choose(2) == 1
	for i := range workers {
		w := workers[(start+i)%len(workers)]
		var r *Ref
		if thief {
			r = w.steal(m.choose(len(workers)), m.choose(2) == 1)
		}
		if r == nil {
			r = w.local()
		}
		if r != nil {
			w.run(r)
			w.current.Store(nil)
			w.flush()
			return true
		}
	}
	return false
}
