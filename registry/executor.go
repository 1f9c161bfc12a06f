// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"runtime/debug"
	"time"
)

// executor runs calls of listeners on one helper goroutine, so that a call that never
// returns can be left behind. A goroutine per transition costs a hand-over per call
// (about 0.3 µs) where a goroutine per call would also cost its start.
type executor struct {
	timeout time.Duration
	jobs    chan job
	done    chan error
}

type job struct {
	ctx context.Context
	f   func(context.Context) error
}

// call runs f and returns its error, or the error of the context when f did not return
// in time; then f may still be running.
func (x *executor) call(ctx context.Context, f func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, x.timeout)
	defer cancel()
	if x.jobs == nil {
		// Room for one answer, so that a call left behind can end.
		x.jobs, x.done = make(chan job), make(chan error, 1)
		go work(x.jobs, x.done)
	}
	x.jobs <- job{ctx, f}
	select {
	case err := <-x.done:
		return err
	case <-ctx.Done():
	}
	select { // both may have happened: the answer counts
	case err := <-x.done:
		return err
	default:
	}
	x.close()
	return &abandoned{ctx.Err()}
}

// close lets the helper end, now or when its present call returns.
func (x *executor) close() {
	if x.jobs != nil {
		close(x.jobs)
		x.jobs = nil
	}
}

func work(jobs <-chan job, done chan<- error) {
	for j := range jobs {
		done <- guard(func() error { return j.f(j.ctx) })
	}
}

// guard turns a panic into an error.
func guard(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}

// abandoned marks a call that was given up, as opposed to one that returned a context
// error of its own.
type abandoned struct{ err error }

func (a *abandoned) Error() string { return a.err.Error() }
func (a *abandoned) Unwrap() error { return a.err }
