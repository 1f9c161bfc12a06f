// SPDX-License-Identifier: Apache-2.0

package loader

import (
	"context"
	"runtime/debug"
	"time"
)

// grace is how long a call may go on after its context has ended before it is left
// behind. It only delays the report of a failure, and only when a component does
// not watch its context.
const grace = 5 * time.Second

// outcome is the end of one call. Two of them may arrive for one call: the time-out
// and, later, the return; the first counts.
type outcome struct {
	index int // which call of the batch
	ctx   context.Context
	err   error
	at    time.Time
}

// batch runs calls side by side and collects their outcomes on one goroutine. The
// channel has room for every outcome that can ever be sent, so that a call left
// behind ends without a reader.
type batch struct {
	outcomes chan outcome
	timers   []*time.Timer
	started  time.Time
	open     int
	finished []bool
}

func newBatch(n int) *batch {
	return &batch{
		outcomes: make(chan outcome, 2*n),
		started:  time.Now(),
		open:     n,
		finished: make([]bool, n),
	}
}

// run begins call number i on a goroutine of its own. If the time-out passes first,
// the call's outcome is ErrTimeout; to end its context is left to note, which alone
// knows that the return did not win the race.
func (b *batch) run(i int, timeout time.Duration, f func() (context.Context, error)) {
	if timeout > 0 {
		b.timers = append(b.timers, time.AfterFunc(timeout, func() {
			b.outcomes <- outcome{index: i, err: ErrTimeout, at: time.Now()}
		}))
	}
	go func() {
		o := outcome{index: i, err: ErrExited}
		defer func() { // deferred, so that runtime.Goexit has an outcome too
			o.at = time.Now()
			b.outcomes <- o
		}()
		o.ctx, o.err = contain(f)
	}()
}

// wait hands every outcome to note, once per call. When ctx ends, through the
// caller or through a note that cancels it, the calls still open get the grace
// period and then the outcome ErrAbandoned.
func (b *batch) wait(ctx context.Context, note func(outcome)) {
	defer func() {
		for _, t := range b.timers {
			t.Stop()
		}
	}()
	ended := ctx.Done()
	var late <-chan time.Time
	for b.open > 0 {
		select {
		case o := <-b.outcomes:
			b.settle(o, note)
		case <-ended:
			ended = nil
			t := time.NewTimer(grace)
			defer t.Stop()
			late = t.C
		case now := <-late:
			for i, done := range b.finished {
				if !done {
					b.settle(outcome{index: i, err: ErrAbandoned, at: now}, note)
				}
			}
		}
	}
}

func (b *batch) settle(o outcome, note func(outcome)) {
	if b.finished[o.index] {
		return
	}
	b.finished[o.index] = true
	b.open--
	note(o)
}

// contain calls f and turns a panic into an error.
func contain(f func() (context.Context, error)) (ctx context.Context, err error) {
	defer func() {
		if r := recover(); r != nil {
			ctx, err = nil, &PanicError{Value: r, Stack: debug.Stack()}
		}
	}()
	return f()
}
