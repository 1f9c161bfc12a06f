// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"fmt"
	"time"
)

const (
	// stopTimeout is how long Stop waits when its context has no deadline.
	stopTimeout = 10 * time.Second
	// stopGrace is how long Stop goes on, beyond the deadline, without seeing
	// any process end, before it gives up on those inside a Step. It is long
	// because a busy machine may suspend a worker for 100 ms [seen in tests].
	stopGrace = time.Second
	// graceParts is in how many timers the grace is waited for. A machine that
	// stands still for longer than the grace, as a virtual one does while it is
	// moved, then takes one part of it away, and the workers have the others.
	graceParts = 20
)

// Stop ends the scheduler: no process is accepted any more, every process is
// asked to end through Config.OnStopping, and Stop waits until all have, or
// until ctx has ended (10 s if it has no deadline). Then the remaining ones are
// cancelled and complete with [context.Canceled]. Workers have exited when Stop
// returns, except those inside a Step that ignores its context: such a process
// is completed without it, and closed if the Step ever returns.
//
// It returns nil if all processes ended in time, and otherwise an error that
// says how many did not. Further calls wait for the first one. Stop must not be
// called from a Step, a handler or a hook.
func (s *Scheduler) Stop(ctx context.Context) error {
	if !s.stopping.CompareAndSwap(false, true) {
		select {
		case <-s.stopped:
			return s.stopErr
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	defer close(s.stopped)
	s.Start() // what was submitted must complete; without workers it could not
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, stopTimeout)
		defer cancel()
	}
	if s.cfg.OnStopping != nil {
		s.Each(func(r *Ref) bool {
			s.guard(r, "hook", func() { s.cfg.OnStopping(r) })
			return true
		})
		s.awaitDrained(ctx)
	}
	canceled, abandoned := s.cancelAll()
	s.shutWorkers(abandoned)
	if s.cfg.OnStopping != nil && canceled > 0 {
		s.stopErr = fmt.Errorf("scheduler: stop: %d processes cancelled at the deadline, %d of them inside a step: %w",
			canceled, abandoned, context.Cause(ctx))
	} else if abandoned > 0 {
		s.stopErr = fmt.Errorf("scheduler: stop: %d processes left inside a step", abandoned)
	}
	return s.stopErr
}

// awaitDrained waits until no process is alive and reports whether that happened.
func (s *Scheduler) awaitDrained(ctx context.Context) bool {
	for s.live.Load() > 0 {
		if s.manual != nil {
			if !s.manual.Step() {
				return false
			}
			continue
		}
		select {
		case <-s.drained:
		case <-ctx.Done():
			return s.live.Load() == 0
		}
	}
	return true
}

// cancelAll cancels what is alive and returns how many processes that were and
// how many of them it had to leave inside a Step.
func (s *Scheduler) cancelAll() (canceled, abandoned int) {
	s.Each(func(r *Ref) bool {
		canceled++
		r.Cancel()
		return true
	})
	for before := int64(-1); before != s.live.Load(); {
		before = s.live.Load()
		if inParts(s.grace, s.awaitDrained) {
			return canceled, 0
		}
	}
	s.Each(func(r *Ref) bool {
		if s.abandon(r) {
			abandoned++
		}
		return true
	})
	return canceled, abandoned
}

// inParts waits for the grace and reports whether wait succeeded meanwhile.
func inParts(grace time.Duration, wait func(context.Context) bool) bool {
	for range graceParts {
		ctx, cancel := context.WithTimeout(context.Background(), grace/graceParts)
		done := wait(ctx)
		cancel()
		if done {
			return true
		}
	}
	return false
}

// shutWorkers lets the workers exit and waits for them, or, if processes were
// abandoned, until no more exit.
func (s *Scheduler) shutWorkers(abandoned int) {
	s.monitor.stop()
	s.quit.Store(true)
	s.mu.Lock()
	workers := *s.workers.Load()
	s.mu.Unlock()
	for _, w := range workers {
		s.wake(w)
	}
	for s.running.Load() > 0 {
		if abandoned == 0 {
			<-s.exited
			continue
		}
		timeout := time.NewTimer(s.grace)
		select {
		case <-s.exited:
		case <-timeout.C:
			s.sweep()
			return
		}
		timeout.Stop()
	}
	s.sweep()
}

// sweep closes the processes that Stop completed while they were ready.
func (s *Scheduler) sweep() {
	var buf [1]*Ref
	for s.global.take(buf[:]) == 1 {
		s.finish(buf[0], nil, context.Canceled)
	}
	for _, w := range *s.workers.Load() {
		if r := w.slot.Swap(nil); r != nil {
			s.finish(r, nil, context.Canceled)
		}
		for r := w.deque.take(); r != nil; r = w.deque.take() {
			s.finish(r, nil, context.Canceled)
		}
		for r := w.inject.takeAll(); r != nil; {
			next := r.link
			r.link = nil
			s.finish(r, nil, context.Canceled)
			r = next
		}
	}
}
