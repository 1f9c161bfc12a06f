// SPDX-License-Identifier: Apache-2.0

package supervisor

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// controller runs one service as its machine decides. Inputs are applied one at a time, in the order of
// post, on the goroutine of whoever finds the controller idle; effects are carried out without a lock held,
// so they may post again.
type controller struct {
	id  string
	svc Service
	env *environment
	lc  Lifecycle

	// gate is held during every call of the service. A call that outlives its timeout keeps it, so the
	// next one waits instead of overlapping.
	gate chan struct{}

	mu       sync.Mutex
	machine  *machine // guarded by mu
	inputs   []input  // guarded by mu
	draining bool     // guarded by mu: somebody applies inputs

	// Touched only while applying effects.
	current    *run
	retryTimer func() bool
}

// environment is what controllers of one supervisor share.
type environment struct {
	clock     Clock
	random    func() float64
	publisher Publisher
	base      context.Context // ends with the supervisor; parent of every run
	decorate  func(ctx context.Context, id string, lc Lifecycle) context.Context
	log       *slog.Logger
	place     func(id string) string // where the service is declared, "" when unknown
	advise    func(err error) (at, hint string)
}

// tell logs what happened to a service, with the place of the cause or else of its declaration.
func (e *environment) tell(level slog.Level, text, id string, cause any, more ...any) {
	args := []any{"service", id}
	at, hint := "", ""
	if err, ok := cause.(error); ok {
		at, hint = e.advise(err)
	}
	if at = cmp.Or(at, e.place(id)); at != "" {
		args = append(args, "at", at)
	}
	if hint != "" {
		more = append(more, "hint", hint)
	}
	e.log.Log(e.base, level, text, append(append(args, "error", cause), more...)...)
}

// run is one life of a service, from Start to its end.
type run struct {
	id      uint64
	ctx     context.Context
	cancel  context.CancelCauseFunc
	settled atomic.Bool // the outcome of Start was decided: by its return or by a timeout, whichever came first
	limit   atomic.Pointer[func() bool]
}

func newController(id string, svc Service, lc Lifecycle, env *environment) *controller {
	return &controller{
		id: id, svc: svc, env: env, lc: lc,
		gate:    make(chan struct{}, 1),
		machine: newMachine(lc, env.random, env.clock.Now()),
	}
}

// start asks for the service to run and returns the ticket to wait with.
func (c *controller) start() *ticket {
	t := newTicket()
	c.post(wantStart{t})
	return t
}

// stop asks for the service to stop; after a final stop it never starts again.
func (c *controller) stop(final bool) *ticket {
	t := newTicket()
	c.post(wantStop{t, final})
	return t
}

// status returns the state as of now.
func (c *controller) status() Status {
	now := c.env.clock.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.machine.status(now)
	s.ID = c.id
	return s
}

// satisfied reports whether those who depend on the service need not start it: it runs, or it has done its
// work and ended normally.
func (c *controller) satisfied() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.machine
	return m.state == Running || m.state == Exited && m.everRan && m.details == nil
}

// post applies in, now or right after what is being applied.
func (c *controller) post(in input) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inputs = append(c.inputs, in)
	if c.draining {
		return
	}
	c.draining = true
	for len(c.inputs) > 0 {
		next := c.inputs[0]
		c.inputs = c.inputs[1:]
		out := c.machine.step(c.env.clock.Now(), next)
		c.mu.Unlock()
		for _, e := range out {
			c.carryOut(e)
		}
		c.mu.Lock()
	}
	c.inputs, c.draining = nil, false
}

func (c *controller) carryOut(e effect) {
	switch e := e.(type) {
	case doStart:
		c.begin(e.run)
	case abortStart:
		r := c.current
		r.setLimit(c.env.clock.AfterFunc(until(c.env.clock, e.deadline), func() {
			if r.settle() {
				c.post(stopTimedOut{r.id})
			}
		}))
		r.cancel(ErrStartCanceled)
	case doStop:
		go c.runStop(c.current, e.deadline)
	case release:
		if c.current != nil {
			c.current.cancel(context.Canceled)
		}
	case armRetry:
		id := c.current.id
		c.retryTimer = c.env.clock.AfterFunc(e.delay, func() { c.post(retryDue{id}) })
		c.env.tell(slog.LevelWarn, "service failed", c.id, e.cause, "next_try", e.delay.Round(time.Millisecond).String())
	case gaveUp:
		c.env.tell(slog.LevelError, "service ended", c.id, e.cause)
	case disarmRetry:
		c.retryTimer()
	case answer:
		for _, t := range e.tickets {
			t.resolve(e.err)
		}
	case tried:
		for _, t := range e.tickets {
			t.markTried()
		}
	case announce:
		c.announce(e)
	}
}

func (c *controller) announce(e announce) {
	s := e.status
	s.ID = c.id
	if e.stateChanged {
		c.env.publisher.Publish(System, KindState+string(s.State), c.id, s)
	}
	c.env.publisher.Publish(System, KindUpdate, c.id, Update{
		State: s.State, Desired: s.State, Details: s.Details, StartedAt: s.StartedAt, LastUpdate: s.LastUpdate,
	})
}

// begin starts run id.
func (c *controller) begin(id uint64) {
	ctx, cancel := context.WithCancelCause(c.env.decorate(c.env.base, c.id, c.lc))
	r := &run{id: id, ctx: ctx, cancel: cancel}
	c.current = r
	r.setLimit(c.env.clock.AfterFunc(c.lc.StartTimeout, func() {
		if r.settle() {
			cancel(ErrStartTimedOut)
			c.post(startTimedOut{id})
		}
	}))
	go c.runStart(r)
}

func (c *controller) runStart(r *run) {
	select {
	case c.gate <- struct{}{}:
	case <-r.ctx.Done(): // an earlier call hangs, and this attempt was given up
		if r.settle() {
			c.post(startFailed{r.id, context.Cause(r.ctx)})
		}
		return
	}
	status, err := c.callStart(r.ctx)
	late := !r.settle()
	if late && err == nil {
		// Nobody counts on this run any more; bring it down before the gate lets the next one in.
		ctx, cancel := c.stopContext(c.env.clock.Now().Add(c.lc.StopTimeout), nil)
		_ = c.callStop(ctx)
		cancel()
	}
	<-c.gate
	switch {
	case late:
	case err != nil:
		c.post(startFailed{r.id, err})
	default:
		c.begun(r, status)
		c.follow(r, status)
	}
}

// begun tells that the service has started, together with what it reports at once: whoever waits for the start may
// look at the details.
func (c *controller) begun(r *run, status <-chan any) {
	select {
	case v, ok := <-status:
		_, failed := v.(error)
		switch {
		case !ok:
			c.post(started{run: r.id})
			c.post(closed{r.id})
		case failed:
			c.post(started{run: r.id})
			c.post(reported{r.id, v})
		default:
			c.post(started{r.id, v})
		}
	default:
		c.post(started{run: r.id})
	}
}

// follow passes on what a running service reports.
func (c *controller) follow(r *run, status <-chan any) {
	for status != nil {
		select {
		case v, ok := <-status:
			if !ok {
				c.post(closed{r.id})
				return
			}
			c.post(reported{r.id, v})
		case <-r.ctx.Done():
			return
		}
	}
}

func (c *controller) runStop(r *run, deadline time.Time) {
	var settled atomic.Bool
	ctx, cancel := c.stopContext(deadline, func() {
		if settled.CompareAndSwap(false, true) {
			c.post(stopTimedOut{r.id})
		}
	})
	defer cancel()
	c.gate <- struct{}{} // free: the service runs, so no call is in progress
	err := c.callStop(ctx)
	<-c.gate
	if settled.CompareAndSwap(false, true) {
		c.post(stopped{r.id, err})
	}
}

// stopContext returns a context for a call of Stop. At the deadline it first calls expired, so that the
// timeout is noted before the service can return because of it.
func (c *controller) stopContext(deadline time.Time, expired func()) (context.Context, func()) {
	// Not a child of base: what has been started is also stopped during shutdown.
	ctx, cancel := context.WithCancelCause(c.env.decorate(context.WithoutCancel(c.env.base), c.id, c.lc))
	disarm := c.env.clock.AfterFunc(until(c.env.clock, deadline), func() {
		if expired != nil {
			expired()
		}
		cancel(context.DeadlineExceeded)
	})
	return deadlineContext{ctx, deadline}, func() { disarm(); cancel(context.Canceled) }
}

// deadlineContext announces a deadline that somebody else enforces.
type deadlineContext struct {
	context.Context
	at time.Time
}

func (d deadlineContext) Deadline() (time.Time, bool) { return d.at, true }

func (c *controller) callStart(ctx context.Context) (status <-chan any, err error) {
	defer c.contain(&err)
	return c.svc.Start(ctx)
}

func (c *controller) callStop(ctx context.Context) (err error) {
	defer c.contain(&err)
	return c.svc.Stop(ctx)
}

// contain turns a panic of the service into an error with the stack in its details.
func (c *controller) contain(err *error) {
	if v := recover(); v != nil {
		*err = fault.New(fault.Internal, fmt.Sprintf("service panicked: %v", v)).With("stack", string(debug.Stack()))
	}
}

// settle reports whether the caller is the first to decide the outcome of Start.
func (r *run) settle() bool {
	if !r.settled.CompareAndSwap(false, true) {
		return false
	}
	if stop := r.limit.Load(); stop != nil {
		(*stop)()
	}
	return true
}

// setLimit replaces the timer that watches over Start.
func (r *run) setLimit(stop func() bool) {
	if old := r.limit.Swap(&stop); old != nil {
		(*old)()
	}
	if r.settled.Load() {
		stop()
	}
}

func until(clock Clock, deadline time.Time) time.Duration { return max(0, deadline.Sub(clock.Now())) }
