// SPDX-License-Identifier: Apache-2.0

package loader

import (
	"context"
	"runtime/debug"
	"sync"
	"time"
)

// grace is how long a call may go on after its context has ended before it is left
// behind. It only delays the report of a failure, and only when a component does
// not watch its context.
const grace = 5 * time.Second

// outcome is the end of one call.
type outcome struct {
	ctx     context.Context
	err     error
	elapsed time.Duration
}

// batch is a number of calls, made together or in turn, on goroutines that can be
// left behind.
//
// A call may end more than once: it times out, is abandoned and returns in spite of
// both. The first end settles it; whoever comes later finds it settled and goes
// home. In a sequence, whoever settles a call sees to it that the next one begins.
//
// begin and end run with mu held, once per call each, and never after together or
// inTurn has returned: what they share needs no lock of its own.
type batch struct {
	// begin prepares call i: the context for it and its time-out, 0 for none.
	begin func(i int, now time.Time) (context.Context, time.Duration)
	// call makes call i. It runs without the lock.
	call func(i int, ctx context.Context) (context.Context, error)
	// end takes the outcome of call i. In a sequence it reports whether to go on.
	end func(i int, o outcome) bool

	over chan struct{} // closed when open becomes 0

	mu    sync.Mutex
	calls []callState // guarded by mu
	open  int         // guarded by mu; calls that will be settled yet
	turns bool        // set before the first call; one call at a time
}

// callState is guarded by batch.mu.
type callState struct {
	began   time.Time // zero until the call begins
	timer   *time.Timer
	settled bool
}

// together makes n calls side by side and returns when all are settled. When ctx
// ends, those still open get the grace period and then the outcome ErrAbandoned.
func (b *batch) together(ctx context.Context, n int) {
	b.prepare(n)
	for i := range n {
		given, _ := b.start(i)
		go b.run(i, given)
	}
	b.wait(ctx)
}

// inTurn makes n calls one after another; otherwise it is like together. A call that
// begins after the end of ctx has the whole grace period, too.
func (b *batch) inTurn(ctx context.Context, n int) {
	b.prepare(n)
	b.turns = true
	go b.runFrom(0)
	b.wait(ctx)
}

func (b *batch) prepare(n int) {
	b.over = make(chan struct{})
	b.calls = make([]callState, n)
	if b.open = n; n == 0 {
		close(b.over)
	}
}

// start begins call i. It reports false when the sequence has come to its end.
func (b *batch) start(i int) (context.Context, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.turns && b.open == 0 {
		return nil, false
	}
	c := &b.calls[i]
	c.began = time.Now()
	ctx, timeout := b.begin(i, c.began)
	if timeout > 0 {
		c.timer = time.AfterFunc(timeout, func() { b.settleFor(i, ErrTimeout) })
	}
	return ctx, true
}

// run makes one call.
func (b *batch) run(i int, ctx context.Context) {
	o := outcome{err: ErrExited}
	defer func() { b.settle(i, o) }() // deferred, so that runtime.Goexit has an outcome too
	o.ctx, o.err = b.contained(i, ctx)
}

// runFrom makes calls until the sequence ends or somebody else settles a call.
func (b *batch) runFrom(i int) {
	exited := true
	defer func() {
		if exited { // by runtime.Goexit
			b.settleFor(i, ErrExited)
		}
	}()
	for ; ; i++ {
		ctx, more := b.start(i)
		if !more {
			break
		}
		var o outcome
		o.ctx, o.err = b.contained(i, ctx)
		if !b.settle(i, o) {
			break
		}
	}
	exited = false
}

// contained makes call i and turns a panic into an error.
func (b *batch) contained(i int, given context.Context) (ctx context.Context, err error) {
	defer func() {
		if r := recover(); r != nil {
			ctx, err = nil, &PanicError{Value: r, Stack: debug.Stack()}
		}
	}()
	return b.call(i, given)
}

// settle ends call i. It reports false if the call was settled before.
func (b *batch) settle(i int, o outcome) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := &b.calls[i]
	if c.settled {
		return false
	}
	c.settled = true
	if c.timer != nil {
		c.timer.Stop()
	}
	o.elapsed = time.Since(c.began)
	b.open--
	if goOn := b.end(i, o); b.turns && !goOn {
		b.open = 0
	}
	if b.open == 0 {
		close(b.over)
	}
	return true
}

// settleFor ends call i in the place of the goroutine that makes it.
func (b *batch) settleFor(i int, err error) {
	if b.settle(i, outcome{err: err}) && b.turns {
		go b.runFrom(i + 1)
	}
}

// wait returns when every call is settled.
func (b *batch) wait(ctx context.Context) {
	ended := ctx.Done()
	var at time.Time // when ctx ended
	var timer *time.Timer
	var late <-chan time.Time
	for {
		select {
		case <-b.over:
			return
		case <-ended:
			ended, at = nil, time.Now()
			timer = time.NewTimer(grace)
			defer timer.Stop()
			late = timer.C
		case now := <-late:
			timer.Reset(b.abandon(at, now))
		}
	}
}

// abandon settles the calls whose grace period is over and returns the time until
// the next may be over.
func (b *batch) abandon(ended, now time.Time) time.Duration {
	next := grace
	var late []int
	b.mu.Lock()
	for i := range b.calls {
		c := &b.calls[i]
		if c.settled || c.began.IsZero() {
			continue
		}
		since := ended
		if c.began.After(ended) {
			since = c.began
		}
		if left := since.Add(grace).Sub(now); left > 0 {
			next = min(next, left)
		} else {
			late = append(late, i)
		}
	}
	b.mu.Unlock()
	for _, i := range late {
		b.settleFor(i, ErrAbandoned)
	}
	return next
}
