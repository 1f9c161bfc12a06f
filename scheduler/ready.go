// SPDX-License-Identifier: Apache-2.0

package scheduler

// ready queues r, which the caller has just become responsible for. w is the
// worker the caller runs on, nil if it is unknown.
func (s *Scheduler) ready(r *Ref, w *worker) {
	if w != nil {
		// The first process readied by a Step takes the slot, the others queue.
		// Nobody is woken: the worker does it itself when it has too much.
		if !w.slot.CompareAndSwap(nil, r) {
			w.deque.push(r)
		}
		return
	}
	w = r.last.Load()
	if w == nil {
		s.global.push(r)
		s.wakeOne()
		return
	}
	w.inject.push(r)
	switch w.state.Load() {
	case workerAwake:
		// It looks at inject before it runs the next process, and once more
		// after announcing that it parks.
	case workerParked:
		s.wake(w)
	default:
		s.rescue(w)
	}
}

// rescue moves what was injected into a worker that is stuck or gone.
func (s *Scheduler) rescue(w *worker) {
	if r := w.inject.takeAll(); r != nil {
		s.global.pushList(r)
	}
	if s.global.size.Load() > 0 {
		s.wakeOne()
	}
}

// wake wakes w if it is parked.
func (s *Scheduler) wake(w *worker) bool {
	if !w.state.CompareAndSwap(workerParked, workerAwake) {
		return false
	}
	s.parked.Add(-1)
	s.searching.Add(1)
	w.wakeup <- struct{}{}
	return true
}

// wakeOne wakes a parked worker, unless one is already looking for work: that
// one will find whatever the caller has just queued, and wakes another one if
// there is more.
func (s *Scheduler) wakeOne() {
	for s.parked.Load() > 0 && s.searching.CompareAndSwap(0, 1) {
		for _, w := range *s.workers.Load() {
			if w.state.CompareAndSwap(workerParked, workerAwake) {
				s.parked.Add(-1)
				w.wakeup <- struct{}{}
				return
			}
		}
		s.searching.Add(-1)
		// While searching was 1 for nothing, somebody else may have relied on
		// it, so look again on their behalf.
		if s.global.size.Load() == 0 {
			return
		}
	}
}
