// SPDX-License-Identifier: Apache-2.0

package lua

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/frames"
	"github.com/wippyrun/kit/wippy/system/functions"
	"github.com/wippyrun/kit/wippy/system/proctable"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// worker runs the calls of one function on one Lua state, one at a time.
type worker struct {
	runner   *Runner
	pool     *pool
	instance *engine.Instance
	method   string
}

// Close gives up the Lua state.
func (w *worker) Close() { w.instance.Close() }

// call is one call under way: a process that lives until its method returns.
type call struct {
	worker    *worker
	pid       relay.PID // zero until it asks for it
	host      string    // where it is reachable from then on
	table     *proctable.Table
	frame     *appctx.Frame // the callee's own, released at its end
	input     []payload.Payload
	free      func() // gives the worker back
	done      functions.Done
	self      *scheduler.Ref                // from Started on, for the process itself
	ref       atomic.Pointer[scheduler.Ref] // the same, for cancel
	cancelled atomic.Bool
}

// Run starts a call. It has its own PID and mailbox until it ends, from when it first
// asks for its PID on. A caller that
// waits lends its place: the call runs on the scheduler, and at first on the
// worker, of the process that ctx belongs to.
func (w *worker) Run(ctx context.Context, task functions.Task, free func(), done functions.Done) (cancel func()) {
	c := &call{worker: w, input: task.Input, free: free, done: done, host: w.pool.host, table: w.pool.table}
	if task.Attach != nil {
		c.host, c.table = w.pool.id, w.pool.outer
	}
	values := w.runner.Context
	if task.Frame != nil || task.Attach != nil {
		c.frame = frames.Fork(task.Frame)
		values = appctx.WithFrame(values, c.frame)
	}
	if task.Attach != nil {
		if err := task.Attach(c.frame); err != nil {
			c.end(payload.Payload{}, err)
			return func() {}
		}
	}
	var near *scheduler.Ref
	if task.Waits {
		near = scheduler.RefFrom(ctx)
	}
	ref, err := c.submit(values, near)
	if near != nil && errors.Is(err, scheduler.ErrStopping) {
		ref, err = c.submit(values, nil) // the caller's host stops, the caller may still finish its work
	}
	if err != nil {
		c.end(payload.Payload{}, err)
		return func() {}
	}
	c.ref.Store(ref)
	return c.cancel
}

func (c *call) submit(ctx context.Context, near *scheduler.Ref) (*scheduler.Ref, error) {
	w := c.worker
	target := w.runner.Scheduler
	if near != nil {
		target = near.Scheduler()
	}
	process := w.runner.process(engine.ProcessOptions{Instance: w.instance, Addressed: c, Value: c.frame})
	return target.Submit(ctx, process, scheduler.SubmitOptions{Method: w.method, Input: &c.input, Value: c, Near: near})
}

// cancel stops the callee at its next yield; the call then fails with kind
// Canceled.
func (c *call) cancel() {
	c.cancelled.Store(true)
	// An error says that the call has ended already: there is nothing to cancel.
	_ = c.ref.Load().Terminate()
}

func (c *call) release() {
	if c.frame == nil {
		return
	}
	if err := c.frame.Release(); err != nil {
		c.worker.runner.Log.Warn("a resource of a call did not close", "function", c.worker.instance.Program().ID(), "error", err)
	}
}

// Address gives the call a PID. While the program is loaded there is no process yet to
// be reachable under it.
func (c *call) Address() relay.PID {
	c.pid = c.worker.runner.PIDs.Next(c.host)
	if c.self != nil {
		if err := c.publish(); err != nil {
			c.worker.runner.Log.Warn("a call cannot be watched", "pid", c.pid.String(), "error", err)
		}
	}
	return c.pid
}

// publish makes the call reachable.
func (c *call) publish() error {
	c.table.Add(c.pid, c.self)
	return c.worker.runner.Topology.Register(c.pid)
}

// Started, with Ended and Stopping, makes a call a proctable.Resident.
func (c *call) Started(_ context.Context, ref *scheduler.Ref) error {
	c.self, c.input = ref, nil
	if c.pid != (relay.PID{}) {
		return c.publish()
	}
	return nil
}

// Ended tells those who watched the call, frees the worker and answers the
// caller, in this order.
func (c *call) Ended(result any, err error) {
	known := c.pid != (relay.PID{})
	if known {
		c.table.Remove(c.pid)
	}
	if err != nil && c.cancelled.Load() {
		err = fault.New(fault.Canceled, "context canceled")
	}
	value, _ := result.(payload.Payload)
	if known {
		c.worker.runner.Topology.Complete(c.pid, topology.Result{Value: value, Err: err})
	}
	c.end(value, err)
}

// end gives back what the call holds and reports its outcome.
func (c *call) end(value payload.Payload, err error) {
	c.release()
	c.free()
	c.done(value, err)
}

// Stopping leaves the call alone: it ends with its caller.
func (c *call) Stopping(*scheduler.Ref) {}
