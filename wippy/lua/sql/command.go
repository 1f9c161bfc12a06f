// SPDX-License-Identifier: Apache-2.0

package sql

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"

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
				o.queue.add(job)
			} else {
				go job()
			}
			return nil
		}))
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

func (q *queue) add(job func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.busy {
		q.jobs = append(q.jobs, job)
		return
	}
	q.busy = true
	go q.work(job)
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
