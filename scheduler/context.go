// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"time"
)

// runContext is the context a process runs under. It is the Ref itself under
// another name, so that it costs no memory: its cancellation is a bit of
// Ref.flags, and its Done channel is made only when somebody asks for it.
//
// Values come from the context given to Submit. The cancellation and deadline
// of that context count only with SubmitOptions.WithParentCancel.
type runContext Ref

type refKey struct{}

// RefFrom returns the process whose context ctx is or derives from, nil if
// there is none. Command handlers use it to learn who yielded.
func RefFrom(ctx context.Context) *Ref {
	r, _ := ctx.Value(refKey{}).(*Ref)
	return r
}

func (c *runContext) ref() *Ref { return (*Ref)(c) }

// Deadline implements [context.Context].
func (c *runContext) Deadline() (time.Time, bool) {
	if c.ref().flags.Load()&flagParentCancel != 0 {
		return c.parent.Deadline()
	}
	return time.Time{}, false
}

// Done implements [context.Context].
func (c *runContext) Done() <-chan struct{} { return c.ctxDone.channel(c.ref().canceled) }

// Err implements [context.Context].
func (c *runContext) Err() error {
	f := c.ref().flags.Load()
	if f&flagCanceled == 0 {
		return nil
	}
	if f&flagDeadline != 0 {
		return context.DeadlineExceeded
	}
	return context.Canceled
}

// Value implements [context.Context].
func (c *runContext) Value(key any) any {
	if _, ok := key.(refKey); ok {
		return c.ref()
	}
	return c.parent.Value(key)
}

// AfterFunc lets the context package attach derived contexts without a
// goroutine for each.
func (c *runContext) AfterFunc(f func()) (stop func() bool) {
	return c.ctxDone.afterFunc(f, c.ref().canceled)
}

// String names the context in the text form of derived ones.
func (c *runContext) String() string { return "scheduler.process" }
