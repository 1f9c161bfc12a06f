// SPDX-License-Identifier: Apache-2.0

package functions

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// How long a worker of a pool that grows may lie idle, and how often the pool
// looks. Both are part of what applications may observe.
const (
	idleLimit  = 30 * time.Second
	sweepEvery = 15 * time.Second
)

// Worker runs one call at a time.
type Worker interface {
	// Run starts a call and reports its end: it calls free and then done, each exactly
	// once. The worker is free again when free is called.
	Run(ctx context.Context, task Task, free func(), done Done) (cancel func())
	// Close gives up what the worker holds. No call is running.
	Close()
}

// Pool runs the calls of one function on workers that are used again. Waiting
// callers are served first in, first out; idle workers last in, first out, so
// that surplus ones grow old and go.
//
// All methods may be called concurrently.
type Pool struct {
	config  PoolConfig
	create  func() (Worker, error)
	mu      sync.Mutex // guards all below
	idle    []*member
	waiting []*waiter
	live    int // workers that exist or are being created
	closed  bool
	drained chan struct{} // closed when closed and live is 0
	sweeper *time.Timer   // runs only while surplus workers lie idle
}

// member is a worker of a pool.
type member struct {
	Worker
	free func()    // what each call of it is given
	idle time.Time // since when it is; guarded by the lock of the pool
}

// newMember creates a worker.
func (p *Pool) newMember() (*member, error) {
	w, err := p.create()
	if err != nil {
		return nil, err
	}
	m := &member{Worker: w}
	m.free = func() { p.release(m) }
	return m, nil
}

// waiter is a call that found all workers busy.
type waiter struct {
	ctx  context.Context
	task Task
	done Done

	mu        sync.Mutex // guards all below
	cancel    func()     // of the call, once a worker runs it
	cancelled bool       // asked to stop, before or after it ran
}

// NewPool builds a pool; workers that are kept even when idle are created at
// once, so that a function that cannot run is found here.
func NewPool(config PoolConfig, create func() (Worker, error)) (*Pool, error) {
	p := &Pool{config: config, create: create, drained: make(chan struct{})}
	for range config.Min {
		w, err := p.newMember()
		if err != nil {
			p.Close()
			return nil, err
		}
		p.live++
		w.idle = time.Now()
		p.idle = append(p.idle, w)
	}
	return p, nil
}

// Call runs the task on a free worker, on a new one, or when one becomes free.
// A pool that was closed reports Unavailable `pool is closed`.
func (p *Pool) Call(ctx context.Context, task Task, done Done) (cancel func()) {
	cancel, ok := p.TryCall(ctx, task, done)
	if !ok {
		done(payload.Payload{}, fault.New(fault.Unavailable, "pool is closed"))
		return func() {}
	}
	return cancel
}

// TryCall is Call, but leaves the task alone and answers false when the pool is
// closed, so that the caller can take it to the pool that came in its place.
func (p *Pool) TryCall(ctx context.Context, task Task, done Done) (cancel func(), ok bool) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, false
	}
	if n := len(p.idle); n > 0 {
		w := p.idle[n-1]
		p.idle[n-1] = nil
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return w.Run(ctx, task, w.free, done), true
	}
	if p.live < p.config.Max {
		p.live++
		p.mu.Unlock()
		w, err := p.newMember()
		if err != nil {
			p.release(nil)
			done(payload.Payload{}, err)
			return func() {}, true
		}
		return w.Run(ctx, task, w.free, done), true
	}
	wt := &waiter{ctx: ctx, task: task, done: done}
	p.waiting = append(p.waiting, wt)
	p.mu.Unlock()
	return func() { p.abandon(wt) }, true
}

// release takes a worker back, or, with nil, the place of one that could not
// be created, and serves the next waiting call.
func (p *Pool) release(w *member) {
	p.mu.Lock()
	if len(p.waiting) > 0 {
		next := p.waiting[0]
		p.waiting[0] = nil
		p.waiting = p.waiting[1:]
		p.mu.Unlock()
		p.serve(w, next)
		return
	}
	if w != nil && !p.closed {
		w.idle = time.Now()
		p.idle = append(p.idle, w)
		if p.sweeper == nil && len(p.idle) > p.config.Min {
			p.sweeper = time.AfterFunc(sweepEvery, p.sweep)
		}
		p.mu.Unlock()
		return
	}
	p.live--
	if p.closed && p.live == 0 {
		close(p.drained)
	}
	p.mu.Unlock()
	if w != nil {
		w.Close()
	}
}

// serve runs a call that waited. The worker runs it without a lock held,
// because its end may come before Run returns.
func (p *Pool) serve(w *member, next *waiter) {
	if w == nil {
		var err error
		if w, err = p.newMember(); err != nil {
			p.release(nil)
			next.done(payload.Payload{}, err)
			return
		}
	}
	cancel := w.Run(next.ctx, next.task, w.free, next.done)
	next.mu.Lock()
	next.cancel = cancel
	late := next.cancelled
	next.mu.Unlock()
	if late {
		cancel()
	}
}

// abandon cancels a call that may be waiting, about to run or running.
func (p *Pool) abandon(wt *waiter) {
	p.mu.Lock()
	i := slices.Index(p.waiting, wt)
	if i >= 0 {
		p.waiting = slices.Delete(p.waiting, i, i+1)
	}
	p.mu.Unlock()
	wt.mu.Lock()
	again := wt.cancelled
	wt.cancelled = true
	cancel := wt.cancel
	wt.mu.Unlock()
	switch {
	case again:
	case i >= 0:
		wt.done(payload.Payload{}, fault.New(fault.Canceled, "context canceled"))
	case cancel != nil:
		cancel()
	}
}

// sweep closes workers idle for too long, oldest first, down to the minimum.
func (p *Pool) sweep() {
	var old []*member
	p.mu.Lock()
	for len(p.idle) > p.config.Min && time.Since(p.idle[0].idle) >= idleLimit {
		old = append(old, p.idle[0])
		p.idle = p.idle[1:]
		p.live--
	}
	p.sweeper = nil
	if !p.closed && len(p.idle) > p.config.Min {
		p.sweeper = time.AfterFunc(sweepEvery, p.sweep)
	}
	p.mu.Unlock()
	for _, w := range old {
		w.Close()
	}
}

// Close refuses new calls, closes idle workers and returns at once; calls that
// run or wait finish. The channel is closed when the last one has.
func (p *Pool) Close() <-chan struct{} {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return p.drained
	}
	p.closed = true
	idle := p.idle
	p.idle = nil
	p.live -= len(idle)
	if p.live == 0 {
		close(p.drained)
	}
	if p.sweeper != nil {
		p.sweeper.Stop()
	}
	p.mu.Unlock()
	for _, w := range idle {
		w.Close()
	}
	return p.drained
}
