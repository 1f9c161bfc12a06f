// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"math/rand/v2"
	"runtime"
	"sync/atomic"
)

const (
	// eventBatch is the most events one Step gets. It bounds the time a busy
	// process holds a worker and the worker's buffer (256 × 48 B = 12 KB).
	eventBatch = 256
	// globalBatch is the most processes a worker moves from the global queue at once.
	globalBatch = 16
	// stealBatch is the most processes a thief takes at once.
	stealBatch = 32
	// globalEvery is how often, in steps, a busy worker looks at the global
	// queue first; prime, so that it does not fall in step with a pattern.
	globalEvery = 61
	// slotLimit is how many times in a row the process in the LIFO slot may run
	// before everything else that is ready: the bound on its unfairness.
	slotLimit = 16
	// surplusPatience is how many steps in a row must leave ready processes
	// behind before a worker wakes another one; waking costs more than a short
	// step is worth.
	surplusPatience = 4
	// spinTight and spinRounds bound the search for work before parking: the
	// first rounds follow each other at once, the others yield the thread.
	spinTight  = 4
	spinRounds = 16
)

// A worker's states.
const (
	workerAwake  uint32 = iota // running or looking for work
	workerParked               // asleep; whoever moves it to awake must signal wakeup
	workerStuck                // awake, but in one Step for too long; set by the monitor
	workerDead                 // retired
)

type worker struct {
	sched *Scheduler

	// What others touch, kept apart from what only the worker does.
	state  atomic.Uint32
	slot   atomic.Pointer[Ref] // the process readied by the running one; also taken by thieves of a stuck worker
	inject injectQueue
	_      [64]byte
	deque  deque
	_      [64]byte

	current atomic.Pointer[Ref] // process in hand, nil while searching; written by the worker
	wakeup  chan struct{}       // buffered 1: one token per parked → awake
	roused  atomic.Bool         // a token is there that the worker has not taken yet

	// Owned by the worker.
	tick      uint64
	slotRuns  int
	leftovers int // steps in a row that left something behind
	searches  bool
	executed  uint64 // not yet added to Scheduler.executed
	nodes     nodeCache
	spare     *outstanding // for reuse
	spares    int
	out       Output
	rng       *rand.Rand
	loot      [stealBatch]*Ref
	events    [eventBatch]Event

	// Guarded by Scheduler.mu.
	seen        *Ref // what the monitor saw last
	seenSteps   uint64
	compensated bool // a spare stands in for this stuck worker
}

func newWorker(s *Scheduler) *worker {
	w := &worker{
		sched:  s,
		wakeup: make(chan struct{}, 1),
		rng:    rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
	}
	w.out.worker = w
	w.nodes.pool = &s.nodes
	w.deque.init(s.cfg.LocalQueueSize)
	return w
}

// main is the worker's goroutine.
func (w *worker) main() {
	s := w.sched
	clean := false
	defer func() {
		if !clean && w.afterGoexit() {
			return
		}
		if s.quit.Load() {
			s.sweep() // a Step that outlived Stop may have left something ready
		}
		s.running.Add(-1)
		notify(s.exited)
	}()
	s.monitor.arm()
	for {
		r := w.local()
		if r == nil {
			if r = w.search(); r == nil {
				clean = true
				return
			}
		}
		w.run(r)
		if (w.state.Load() != workerAwake || s.surplus.Load() > 0) && !w.settle() {
			clean = true
			return
		}
	}
}

// afterGoexit gives the worker a new goroutine when a Step ended the old one.
func (w *worker) afterGoexit() bool {
	r := w.current.Load()
	if r == nil {
		return false
	}
	w.out.Reset()
	clear(w.events[:])
	if r.head.Load() != closedMark {
		w.sched.finish(r, nil, w.sched.panicked(r, newPanicError("step", "runtime.Goexit called")))
	}
	go w.main()
	return true
}

// local returns the process to run next from the worker's own queues and the
// global one, nil if there is none.
func (w *worker) local() *Ref {
	s := w.sched
	w.tick++
	if w.tick%globalEvery == 0 {
		w.flush()
		if s.global.take(w.loot[:1]) == 1 {
			return w.loot[0]
		}
	}
	if r := w.slot.Load(); r != nil && w.slot.CompareAndSwap(r, nil) {
		if w.slotRuns < slotLimit {
			w.slotRuns++
			return r
		}
		w.deque.push(r)
	}
	w.slotRuns = 0
	w.unload()
	if r := w.deque.take(); r != nil {
		w.share()
		return r
	}
	n := s.global.take(w.loot[:globalBatch])
	if n == 0 {
		return nil
	}
	return w.keep(n)
}

// unload moves the inject queue to the deque.
func (w *worker) unload() {
	for r := w.inject.takeAll(); r != nil; {
		next := r.link
		r.link = nil
		w.deque.push(r)
		r = next
	}
}

// keep queues all but the first of the n processes in loot and returns that one.
func (w *worker) keep(n int) *Ref {
	r := w.loot[0]
	for _, other := range w.loot[1:n] {
		w.deque.push(other)
	}
	clear(w.loot[:n])
	return r
}

// share wakes another worker when this one keeps having more than it can run.
func (w *worker) share() {
	if w.deque.size() == 0 {
		w.leftovers = 0
		return
	}
	if w.leftovers++; w.leftovers >= surplusPatience {
		w.leftovers = 0
		w.sched.wakeOne()
	}
}

// search looks for work everywhere, parks when there is none, and returns nil
// when the worker must exit.
func (w *worker) search() *Ref {
	s := w.sched
	w.current.Store(nil)
	w.events[eventBatch-1] = Event{}
	w.flush()
	for {
		if !w.searches && 2*s.searching.Load() < int32(len(*s.workers.Load()))-s.parked.Load() {
			w.searches = true
			s.searching.Add(1)
		}
		if w.searches {
			for round := range spinRounds {
				r := w.local()
				if r == nil {
					r = w.steal(int(w.rng.Uint32N(1<<16)), round >= spinRounds/2)
				}
				if r != nil {
					w.endSearch()
					if s.global.size.Load() > 0 {
						s.wakeOne()
					}
					return r
				}
				if s.quit.Load() || s.surplus.Load() > 0 {
					break
				}
				if round >= spinTight {
					if s.spares.Load() > 0 {
						// The processors are held by endless Steps: Gosched would
						// come back after their time slices, 10 ms each, in which
						// nobody is woken because this worker counts as searching.
						break
					}
					runtime.Gosched()
				}
			}
			w.endSearch()
		} else if r := w.local(); r != nil {
			return r
		}
		if s.quit.Load() || !w.park() {
			return nil
		}
	}
}

func (w *worker) endSearch() {
	if w.searches {
		w.searches = false
		w.sched.searching.Add(-1)
	}
}

// park sleeps until the worker is woken. It announces the sleep first and then
// looks for work once more: whoever adds work does it the other way round, so
// one of the two sees the other. It returns false when the worker must exit.
func (w *worker) park() bool {
	s := w.sched
	w.deque.wipe()
	s.parked.Add(1)
	if !w.state.CompareAndSwap(workerAwake, workerParked) {
		s.parked.Add(-1)
		return w.settle()
	}
	if s.quit.Load() || s.surplus.Load() > 0 || w.sees() {
		if w.state.CompareAndSwap(workerParked, workerAwake) {
			s.parked.Add(-1)
			return s.surplus.Load() <= 0 || w.settle()
		}
	}
	<-w.wakeup // the waker has counted this worker as searching
	w.roused.Store(false)
	w.searches = true
	s.monitor.arm()
	if s.surplus.Load() > 0 && !w.settle() {
		w.endSearch()
		return false
	}
	return true
}

// sees reports whether there is work this worker could take.
func (w *worker) sees() bool {
	s := w.sched
	if s.global.size.Load() > 0 || !w.inject.empty() || w.slot.Load() != nil {
		return true
	}
	for _, v := range *s.workers.Load() {
		if v.deque.size() > 0 {
			return true
		}
		if v.state.Load() == workerStuck && (v.slot.Load() != nil || !v.inject.empty()) {
			return true
		}
	}
	return false
}

// steal takes processes from another worker; start, a random number, says which
// one to ask first. Only an eager thief takes what was injected for its affinity
// to a worker, so that the worker has a chance to get there first.
func (w *worker) steal(start int, eager bool) *Ref {
	s := w.sched
	workers := *s.workers.Load()
	n := len(workers)
	if n < 2 {
		return nil
	}
	for i := range n {
		v := workers[(start+i)%n]
		if v == w {
			continue
		}
		if n := v.deque.takeHalf(w.loot[:]); n > 0 {
			s.stolen.Add(uint64(n))
			return w.keep(n)
		}
		stuck := v.state.Load() == workerStuck
		if stuck {
			if r := v.slot.Load(); r != nil && v.slot.CompareAndSwap(r, nil) {
				s.stolen.Add(1)
				return r
			}
		}
		if !eager && !stuck {
			continue
		}
		if r := v.inject.takeAll(); r != nil {
			return w.adopt(r)
		}
	}
	return nil
}

// adopt queues the rest of a list and returns its first process.
func (w *worker) adopt(first *Ref) *Ref {
	r := first.link
	first.link = nil
	count := uint64(1)
	for r != nil {
		next := r.link
		r.link = nil
		w.deque.push(r)
		r = next
		count++
	}
	w.sched.stolen.Add(count)
	return first
}

// settle ends being stuck and retires the worker if there are too many. It
// returns false when the worker has retired.
func (w *worker) settle() bool {
	s := w.sched
	s.mu.Lock()
	w.state.CompareAndSwap(workerStuck, workerAwake)
	if w.compensated {
		w.compensated = false
		s.spares.Add(-1)
		s.updateSurplus()
	}
	if s.surplus.Load() <= 0 {
		s.mu.Unlock()
		return true
	}
	old := *s.workers.Load()
	list := make([]*worker, 0, len(old)-1)
	for _, v := range old {
		if v != w {
			list = append(list, v)
		}
	}
	s.workers.Store(&list)
	s.updateSurplus()
	w.state.Store(workerDead)
	s.mu.Unlock()

	// Nobody adds to slot and deque any more. Whoever adds to inject looks at
	// the state afterwards, and moves the processes itself if this comes too early.
	w.flush()
	w.seen = nil
	w.current.Store(nil)
	if r := w.slot.Swap(nil); r != nil {
		s.global.push(r)
	}
	for r := w.deque.take(); r != nil; r = w.deque.take() {
		s.global.push(r)
	}
	s.rescue(w)
	return false
}

func (w *worker) flush() {
	if w.executed > 0 {
		w.sched.executed.Add(w.executed)
		w.executed = 0
	}
}
