// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"

	"github.com/wippyrun/kit/scheduler/dispatch"
)

// run gives the process one Step and acts on what it asks for. When run
// returns, the process belongs to somebody else.
func (w *worker) run(r *Ref) {
	s := w.sched
	w.current.Store(r)
	if r.last.Load() != w {
		r.last.Store(w)
	}
	r.steps.Add(1)
	w.executed++
	// In this order: a wake-up that collect consumes without seeing what it was
	// about would be lost.
	events := w.collect(r)
	if r.flags.Load()&(flagCanceled|flagEnding) != 0 {
		for _, ev := range events {
			s.dropped(r, ev)
		}
		clear(events)
		s.finish(r, nil, r.cancelCause())
		return
	}
	if len(events) == 0 && !r.again {
		w.rest(r)
		return
	}
	r.again = false
	out := &w.out
	out.ref = r
	err := w.step(r.Process(), events)
	w.release(events)
	if err == nil && len(out.yields) > 0 {
		err = w.dispatch(r)
	}
	status, result := out.status, out.result
	if err == nil && status == StatusUpgrade {
		err = w.upgrade(r)
	}
	out.Reset()
	switch {
	case err != nil:
		if r.canceled() {
			err = r.cancelCause()
		}
		s.finish(r, nil, err)
	case status == StatusDone:
		s.finish(r, result, nil)
	case status != StatusWait:
		r.again = true
		w.deque.push(r)
	default:
		w.rest(r)
	}
}

// rest lets go of a process that waits, or queues it again if it has events.
func (w *worker) rest(r *Ref) {
	mark := idleMark
	if r.open.Load() > 0 {
		mark = blockedMark
	}
	if r.pending != nil || !r.head.CompareAndSwap(nil, mark) {
		w.deque.push(r)
	}
}

// collect takes up to eventBatch events, oldest first. The result is valid
// until the next call.
func (w *worker) collect(r *Ref) []Event {
	if r.pending == nil {
		if r.head.Load() == nil {
			return nil
		}
		chain := r.head.Swap(nil)
		if chain == closedMark {
			// Stop has given the process up, which run sees in the flags.
			w.sched.dropAll(r, reverse(r.head.Swap(closedMark)))
			return nil
		}
		// Producers count before they push, so this is no less than the length
		// of the chain, and one pass from the newest to the oldest will do.
		if r.queued.Load() <= eventBatch {
			return w.unstack(r, chain)
		}
		r.pending = reverse(chain)
	}
	taken, filled := 0, 0
	n := r.pending
	for ; n != nil && filled < eventBatch; taken++ {
		next := n.next
		if w.accept(r, n) {
			w.events[filled] = n.event
			filled++
		}
		w.nodes.put(n)
		n = next
	}
	r.pending = n
	r.queued.Add(int32(-taken))
	return w.events[:filled]
}

// unstack turns a short chain into events.
func (w *worker) unstack(r *Ref, n *node) []Event {
	taken, first := 0, eventBatch
	for ; n != nil; taken++ {
		next := n.next
		if w.accept(r, n) {
			first--
			w.events[first] = n.event
		}
		w.nodes.put(n)
		n = next
	}
	r.queued.Add(int32(-taken))
	return w.events[first:]
}

// release forgets the events of a Step. A single one is overwritten by the next
// Step, or when the worker finds nothing to do: clearing it each time was 8 % of
// BenchmarkPingPong.
func (w *worker) release(events []Event) {
	if len(events) != 1 || &events[0] != &w.events[eventBatch-1] {
		clear(events)
	}
}

// accept reports whether the event of n is for Step.
func (w *worker) accept(r *Ref, n *node) bool {
	switch n.event.Kind {
	case MessageEvent:
		return true
	case YieldComplete:
		if n.event.gen != r.gen() {
			w.sched.dropped(r, n.event)
			return false
		}
		// A completion too many, of a handler that breaks its contract, must not
		// make the count wrong for ever.
		if open := r.open.Load(); open > 0 {
			r.open.Store(open - 1)
		}
		if r.outstanding != nil {
			w.completed(r, n.event.Tag)
		}
		return true
	default:
		return false
	}
}

func (r *Ref) gen() uint32 {
	if i := r.upgraded.Load(); i != nil {
		return i.gen
	}
	return 0
}

// dispatch hands the yields of the last Step to their handlers.
func (w *worker) dispatch(r *Ref) (err error) {
	s := w.sched
	defer func() {
		if v := recover(); v != nil {
			err = s.panicked(r, newPanicError("handler", v))
		}
	}()
	ctx := (*runContext)(r)
	var receiver dispatch.Receiver = r
	gen := uint32(0)
	if i := r.upgraded.Load(); i != nil {
		receiver, gen = i, i.gen
	}
	for _, y := range w.out.yields {
		r.open.Store(r.open.Load() + 1)
		id := y.Command.CommandID()
		var h dispatch.Handler
		if s.cfg.Dispatch != nil {
			h, _ = s.cfg.Dispatch.Lookup(id)
		}
		if h == nil {
			r.complete(gen, y.Tag, nil, unknownCommand(id))
			continue
		}
		if err := h.Handle(ctx, y.Command, y.Tag, receiver); err != nil {
			r.complete(gen, y.Tag, nil, err)
		} else if c, ok := y.Command.(dispatch.Canceler); ok {
			w.track(r, y.Tag, c)
		}
	}
	return nil
}

// upgrade replaces the process by the one its last Step asked for.
func (w *worker) upgrade(r *Ref) error {
	s := w.sched
	u := w.out.next
	next, err := s.createProcess(r, u)
	if err == nil {
		err = s.initProcess(r, next, u.method, u.input)
	}
	if err != nil {
		return fmt.Errorf("upgrade: %w", err)
	}
	s.cancelOutstanding(r)
	_ = s.closeProcess(r) // a panic was reported; the successor is alive and goes on
	r.upgraded.Store(&incarnation{ref: r, proc: next, gen: r.gen() + 1})
	r.open.Store(0)
	return nil
}
