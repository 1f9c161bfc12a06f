// SPDX-License-Identifier: Apache-2.0

package sql

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// operationID is the command that does something with a database.
const operationID dispatch.CommandID = 180

// operation is one call that waits for a database. Its context ends when nobody waits for the outcome any more.
type operation struct {
	run    func(ctx context.Context) (any, error)
	queue  *queue // operations that come one after the other; nil for one that does not
	cancel context.CancelFunc
}

// CommandID identifies the command.
func (*operation) CommandID() dispatch.CommandID { return operationID }

// Cancel ends the operation because the program has ended. It implements dispatch.Canceler.
func (o *operation) Cancel() { o.cancel() }

// Register adds the handler of the module's command. An operation takes a goroutine while it runs.
func Register(d *dispatch.Registry) {
	w := &workers{next: make(chan func())}
	d.Register("sql", operationID, dispatch.HandlerFunc(
		func(_ context.Context, cmd dispatch.Command, tag dispatch.Tag, r dispatch.Receiver) error {
			o := cmd.(*operation)
			var ctx context.Context
			ctx, o.cancel = context.WithCancel(context.Background())
			job := func() {
				data, err := contained(ctx, o.run)
				r.CompleteYield(tag, data, err)
				o.cancel()
			}
			if o.queue != nil {
				o.queue.add(job, w.start)
			} else {
				w.start(job)
			}
			return nil
		}))
}

// rest is how long a goroutine waits for another job. SQLite needs a large stack: growing it anew for every statement
// takes a sixth of the time of a small one (benchmarks/sql).
const rest = 200 * time.Millisecond

// workers are goroutines that run jobs, as many as there are jobs at a time. They end when there are none.
type workers struct{ next chan func() }

// start runs a job on a goroutine that waits for one, or else on a new one.
func (w *workers) start(job func()) {
	select {
	case w.next <- job:
	default:
		go w.work(job)
	}
}

func (w *workers) work(job func()) {
	timer := time.NewTimer(rest)
	defer timer.Stop()
	for {
		job()
		timer.Reset(rest)
		select {
		case job = <-w.next:
		case <-timer.C:
			return
		}
	}
}

// contained runs f. A panic, of a driver for example, is an error of this operation.
func contained(ctx context.Context, f func(ctx context.Context) (any, error)) (data any, err error) {
	defer func() {
		if v := recover(); v != nil {
			data = nil
			err = fault.New(fault.Internal, fmt.Sprintf("panic in a database operation: %v", v)).Final().With("stack", string(debug.Stack()))
		}
	}()
	return f(ctx)
}

// queue runs jobs one after the other, in the order they are added.
type queue struct {
	mu   sync.Mutex // guards all below
	jobs []func()
	busy bool // there is a goroutine that runs jobs
}

// add runs a job after those before it. start runs a function that goes on for a while.
func (q *queue) add(job func(), start func(func())) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.busy {
		q.jobs = append(q.jobs, job)
		return
	}
	q.busy = true
	start(func() { q.work(job) })
}

// work runs a job and those that are added meanwhile.
func (q *queue) work(job func()) {
	for job != nil {
		job()
		q.mu.Lock()
		job = nil
		if len(q.jobs) > 0 {
			job = q.jobs[0]
			q.jobs = q.jobs[1:]
		} else {
			q.jobs, q.busy = nil, false
		}
		q.mu.Unlock()
	}
}

// yield suspends the caller until run has ended. Its result is a Lua value, made outside the process.
func yield(L *lua.LState, q *queue, run func(ctx context.Context) (lua.LValue, error)) int {
	return engine.Yield(L, &operation{queue: q, run: func(ctx context.Context) (any, error) { return run(ctx) }}, outcome)
}

func outcome(_ *lua.LState, data any, err error) []lua.LValue {
	if err != nil {
		return []lua.LValue{lua.LNil, engine.ErrorValue(err)}
	}
	return []lua.LValue{data.(lua.LValue), lua.LNil}
}

// done is the result of an operation that has no other.
func done(err error) (lua.LValue, error) { return lua.LTrue, err }

// push pushes the results of a call that did not wait.
func push(L *lua.LState, v lua.LValue) int {
	L.Push(v)
	L.Push(lua.LNil)
	return 2
}
