// SPDX-License-Identifier: Apache-2.0

package scheduler

import "context"

// finish completes a process that the caller has in hand.
func (s *Scheduler) finish(r *Ref, result any, err error) {
	old := r.flags.Or(flagEnding | flagCanceled)
	if old&flagEnding != 0 {
		// Stop did not wait for the Step that has returned just now.
		s.dropAll(r, r.pending)
		r.pending = nil
		s.cancelOutstanding(r)
		_ = s.closeProcess(r)
		return
	}
	s.closeQueue(r)
	if old&flagCanceled == 0 {
		r.ctxDone.fire()
	}
	// Deferred, so that it happens even if Close calls runtime.Goexit.
	defer func() { s.conclude(r, result, err) }()
	s.cancelOutstanding(r)
	if perr := s.closeProcess(r); perr != nil && err == nil {
		result, err = nil, perr
	}
}

// closeQueue ends the taking of events and gives up those that wait, oldest first.
// The caller has the process in hand.
func (s *Scheduler) closeQueue(r *Ref) {
	pending := r.pending
	r.pending = nil
	queued := r.head.Swap(closedMark)
	s.dropAll(r, pending)
	s.dropAll(r, reverse(queued))
}

// abandon completes a process whose Step does not return, without touching what
// belongs to the worker inside that Step. The worker closes the process if it
// ever comes back.
func (s *Scheduler) abandon(r *Ref) bool {
	if r.flags.Or(flagEnding)&flagEnding != 0 {
		return false
	}
	switch queued := r.head.Swap(closedMark); queued {
	case idleMark, blockedMark, closedMark:
	default:
		s.dropAll(r, reverse(queued))
	}
	s.conclude(r, nil, context.Canceled)
	return true
}

// conclude publishes the outcome and runs the hooks.
func (s *Scheduler) conclude(r *Ref, result any, err error) {
	r.setOutcome(result, err)
	s.forget(r)
	// Deferred, so that it happens whatever a hook does, runtime.Goexit included.
	defer func() {
		r.flags.Or(flagFinished)
		r.done.fire()
		s.leave()
	}()
	if s.cfg.Lifecycle != nil {
		s.guard(r, "hook", func() { s.cfg.Lifecycle.OnExit(r, result, err) })
	}
	if r.onExit != nil {
		s.guard(r, "hook", func() { r.onExit(result, err) })
	}
}

// dropAll gives up the events of a list, oldest first.
func (s *Scheduler) dropAll(r *Ref, n *node) {
	for n != nil {
		next := n.next
		r.queued.Add(-1)
		s.drop(r, n)
		n = next
	}
}

func (s *Scheduler) drop(r *Ref, n *node) {
	ev := n.event
	s.nodes.put(n)
	s.dropped(r, ev)
}

func (s *Scheduler) dropped(r *Ref, ev Event) {
	switch ev.Kind {
	case YieldComplete:
		s.late.Add(1)
	case MessageEvent:
		s.lost.Add(1)
	default:
		return
	}
	if s.cfg.OnDrop != nil {
		s.guard(r, "hook", func() { s.cfg.OnDrop(r, ev) })
	}
}
