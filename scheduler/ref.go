// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/wippyrun/kit/scheduler/dispatch"
)

// Ref is the handle of one process. It stays valid for as long as somebody
// holds it and is never used again for another process. All methods may be
// called concurrently and from anywhere, also from inside a Step.
type Ref struct {
	// What a Send and a Step touch comes first, to share a cache line.

	head   atomic.Pointer[node] // event queue and state, see queue.go
	flags  atomic.Uint32        // see flagX
	queued atomic.Int32         // events pushed and not yet taken
	proc   Process              // constant
	sched  *Scheduler           // constant
	steps  atomic.Uint64
	last   atomic.Pointer[worker] // where it ran last; written by the running worker

	// Owned by whoever has the process in hand: the submitter, the queue it is
	// ready in, or the worker that runs it. head hands them over.
	pending *node        // events taken from head and not yet given to Step, oldest first
	open    atomic.Int32 // yields dispatched and not yet completed; others only read it
	again   bool         // Step is due even without an event
	slot    uint32       // in the table of all processes; guarded by the lock of the shard
	link    *Ref         // next one in an inject queue

	outstanding *outstanding // see outstanding.go; nil for most processes

	upgraded atomic.Pointer[incarnation] // nil until the first upgrade; written by the running worker
	runtime  atomic.Int64                // nanoseconds, sampled by the monitor

	done    lazySignal // the process has ended
	ctxDone lazySignal // its context has

	end *outcome // written before finished is set in flags, read after; nil when both are nil

	// Constant.
	parent  context.Context
	value   any
	onExit  func(result any, err error)
	id      uint64
	started int64 // Unix nanoseconds
}

const (
	flagCanceled     uint32 = 1 << iota // the context has ended
	flagDeadline                        // … because of the deadline of the parent context
	flagTerminated                      // Terminate was called
	flagParentCancel                    // the cancellation of the parent context counts
	flagEnding                          // somebody is completing the process
	flagFinished                        // result and err are set
)

// outcome is how a process ended. Most are apart from their Ref, as idle processes,
// which have none, are many.
type outcome struct {
	result any
	err    error
}

// setOutcome is called once, by whoever ends the process.
func (r *Ref) setOutcome(result any, err error) {
	if result != nil || err != nil {
		r.end = &outcome{result, err}
	}
}

// outcome returns how a finished process ended.
func (r *Ref) outcome() (any, error) {
	if r.end == nil {
		return nil, nil
	}
	return r.end.result, r.end.err
}

// incarnation is what an upgraded process is: a Process with its own number, so
// that completions meant for its predecessor can be told apart.
type incarnation struct {
	ref  *Ref
	proc Process
	gen  uint32
}

// CompleteYield implements [dispatch.Receiver].
func (i *incarnation) CompleteYield(tag dispatch.Tag, data any, err error) {
	i.ref.complete(i.gen, tag, data, err)
}

// State is a process's state.
type State uint8

const (
	// Ready processes wait for a worker.
	Ready State = iota
	// Running processes are inside Step.
	Running
	// Idle processes wait for a message.
	Idle
	// Blocked processes wait, and at least one of their yields is open.
	Blocked
	// Complete processes have ended.
	Complete
)

// String returns the lower-case name of the state.
func (s State) String() string {
	switch s {
	case Ready:
		return "ready"
	case Running:
		return "running"
	case Idle:
		return "idle"
	case Blocked:
		return "blocked"
	case Complete:
		return "complete"
	default:
		return "invalid"
	}
}

// Info describes a process at one moment.
type Info struct {
	// State is the state; Ready and Running may be mistaken for each other.
	State State
	// ID is the process's number within its scheduler.
	ID uint64
	// Steps counts the times a worker took the process up.
	Steps uint64
	// QueueLen is the number of events that wait for the process.
	QueueLen int
	// OpenYields is the number of commands the process yielded whose outcome it
	// has not taken yet.
	OpenYields int
	// RunTime estimates the time spent in Step. It is sampled (every 2 ms by
	// default), so it is accurate for what matters and zero for light processes.
	RunTime time.Duration
	// StartedAt is the time of the Submit, to within a few milliseconds.
	StartedAt time.Time
}

// Send queues msg for the process, which gets it as a MessageEvent, and makes
// the process ready if it was waiting. Messages of one goroutine (or one Step)
// arrive in the order in which they were sent. It never blocks, but it lets a
// worker that it has to wake run first, on this processor. It fails with
// [ErrProcessClosed] when the process has ended and with [ErrQueueFull] when
// Config.MaxQueue is reached; msg then stays the caller's.
//
// A nil error means that msg was queued. If the process ends before it takes
// msg, msg is given to Config.OnDrop.
func (r *Ref) Send(msg any) error { return r.send(nil, msg) }

// SendFrom is [Ref.Send] for code that is called from inside a Step and was
// handed that Step's Output, which names the worker to run the receiver on. A
// nil Output is allowed and makes it a plain Send.
func (r *Ref) SendFrom(out *Output, msg any) error {
	if out == nil {
		return r.send(nil, msg)
	}
	return r.send(out.worker, msg)
}

func (r *Ref) send(w *worker, msg any) error {
	s := r.sched
	if q := r.queued.Add(1); s.maxQueue > 0 && int(q) > s.maxQueue {
		r.queued.Add(-1)
		if r.head.Load() == closedMark {
			return ErrProcessClosed
		}
		return ErrQueueFull
	}
	var n *node
	if w != nil && w.sched == s {
		n = w.nodes.get()
	} else {
		w, n = nil, s.nodes.get()
	}
	n.event = Event{Kind: MessageEvent, Data: msg}
	switch r.push(n) {
	case pushReady:
		s.ready(r, w)
	case pushClosed:
		r.queued.Add(-1)
		s.nodes.put(n)
		return ErrProcessClosed
	}
	return nil
}

// CompleteYield implements [dispatch.Receiver]: it reports the outcome of a
// yield. An outcome for a process that has ended, or that was upgraded since,
// is dropped and counted.
func (r *Ref) CompleteYield(tag dispatch.Tag, data any, err error) { r.complete(0, tag, data, err) }

func (r *Ref) complete(gen uint32, tag dispatch.Tag, data any, err error) {
	s := r.sched
	n := s.nodes.get()
	n.event = Event{Kind: YieldComplete, Tag: tag, Data: data, Err: err, gen: gen}
	r.queued.Add(1)
	switch r.push(n) {
	case pushReady:
		s.ready(r, nil)
	case pushClosed:
		r.queued.Add(-1)
		s.drop(r, n)
	}
}

// Terminate ends the process with [ErrTerminated]: its context is cancelled at
// once, which interrupts a Step that watches it, and no further Step is run. It
// fails with [ErrProcessClosed] when the process has ended already.
func (r *Ref) Terminate() error {
	if r.head.Load() == closedMark {
		return ErrProcessClosed
	}
	r.cancel(flagTerminated)
	return nil
}

// Cancel ends the process like [Ref.Terminate], but with [context.Canceled] as
// the outcome: for callers that have lost interest in a result. A process that
// has ended is left alone.
func (r *Ref) Cancel() { r.cancel(0) }

func (r *Ref) cancel(extra uint32) {
	old := r.flags.Or(flagCanceled | extra)
	if old&flagCanceled == 0 {
		r.ctxDone.fire()
	}
	if r.head.Load() != closedMark {
		r.wake()
	}
}

// wake makes the process ready without an event.
func (r *Ref) wake() {
	s := r.sched
	n := s.nodes.get()
	n.event = Event{Kind: wakeEvent}
	r.queued.Add(1)
	switch r.push(n) {
	case pushReady:
		s.ready(r, nil)
	case pushClosed:
		r.queued.Add(-1)
		s.nodes.put(n)
	}
}

// parentEnded follows the cancellation of the context given to Submit.
func (r *Ref) parentEnded() {
	var extra uint32
	if errors.Is(r.parent.Err(), context.DeadlineExceeded) {
		extra = flagDeadline
	}
	r.cancel(extra)
}

func (r *Ref) canceled() bool { return r.flags.Load()&flagCanceled != 0 }
func (r *Ref) finished() bool { return r.flags.Load()&flagFinished != 0 }

// cancelCause returns the outcome of a process whose context has ended.
func (r *Ref) cancelCause() error {
	if r.flags.Load()&flagTerminated != 0 {
		return ErrTerminated
	}
	return (*runContext)(r).Err()
}

// Done returns a channel that is closed when the process has ended and all exit
// hooks have run. The channel is made on the first call.
func (r *Ref) Done() <-chan struct{} { return r.done.channel(r.finished) }

// Wait waits until the process has ended and returns its outcome, or until ctx
// has ended and returns its error. It must not be called from a Step, a handler
// or a hook, where it would block a worker.
func (r *Ref) Wait(ctx context.Context) (any, error) {
	if !r.finished() {
		select {
		case <-r.Done():
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return r.outcome()
}

// Outcome returns the result and the error of a process that has ended; ok is
// false while it runs.
func (r *Ref) Outcome() (result any, ok bool, err error) {
	if !r.finished() {
		return nil, false, nil
	}
	result, err = r.outcome()
	return result, true, err
}

// Value returns SubmitOptions.Value.
func (r *Ref) Value() any { return r.value }

// ID returns the process's number within its scheduler: unique, from 1 on.
func (r *Ref) ID() uint64 { return r.id }

// Scheduler returns the scheduler the process was submitted to.
func (r *Ref) Scheduler() *Scheduler { return r.sched }

// Context returns the context the process runs under.
func (r *Ref) Context() context.Context { return (*runContext)(r) }

// Process returns the process given to Submit, or the one that replaced it.
func (r *Ref) Process() Process {
	if i := r.upgraded.Load(); i != nil {
		return i.proc
	}
	return r.proc
}

// Info returns the process's state and counters.
func (r *Ref) Info() Info {
	return Info{
		State:      r.state(),
		ID:         r.id,
		Steps:      r.steps.Load(),
		QueueLen:   max(0, int(r.queued.Load())),
		OpenYields: int(r.open.Load()),
		RunTime:    time.Duration(r.runtime.Load()),
		StartedAt:  time.Unix(0, r.started),
	}
}

func (r *Ref) state() State {
	switch r.head.Load() {
	case idleMark:
		return Idle
	case blockedMark:
		return Blocked
	case closedMark:
		return Complete
	}
	if w := r.last.Load(); w != nil && w.current.Load() == r {
		return Running
	}
	return Ready
}
