// SPDX-License-Identifier: Apache-2.0

package scheduler

import "runtime"

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
		if s.wake(w) {
			handOver(w)
		}
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
	w.rouse()
	return true
}

// rouse signals a worker that the caller has moved from parked to awake.
func (w *worker) rouse() {
	w.roused.Store(true)
	w.wakeup <- struct{}{}
}

// handOver lets a worker that has just been woken run at once, in the place of the
// caller, which Go then moves to the processor that it has woken a thread for.
// The other way round, the worker would wait for that thread: it stands in the
// slot of the goroutine to run next, and Go sleeps for 3 µs, in truth more than
// 50, before it lets another thread steal from there, after the operating system
// has found it a processor. In BenchmarkWakeup on two cores with a load of 6
// from other programs, a message is handled 5 µs after Send in the median,
// instead of 300 to 1000 µs. Workers sleep only when there is little to do, so
// this happens when latency is what counts.
//
// Each 61st time Go looks at the other end of its queues first and finds the
// caller there, so the caller looks whether the worker runs: without, one
// message in a hundred took 1 to 3 ms.
func handOver(w *worker) {
	for range 2 {
		runtime.Gosched()
		if !w.roused.Load() {
			return
		}
	}
}

// wakeOne wakes a parked worker, unless one is already looking for work: that one
// will find whatever the caller has just queued, and wakes another one if there
// is more. It returns the one it has woken, nil if it has woken none.
func (s *Scheduler) wakeOne() *worker {
	for s.parked.Load() > 0 && s.searching.CompareAndSwap(0, 1) {
		for _, w := range *s.workers.Load() {
			if w.state.CompareAndSwap(workerParked, workerAwake) {
				s.parked.Add(-1)
				w.rouse()
				return w
			}
		}
		s.searching.Add(-1)
		// While searching was 1 for nothing, somebody else may have relied on
		// it, so look again on their behalf.
		if s.global.size.Load() == 0 {
			return nil
		}
	}
	return nil
}
