// SPDX-License-Identifier: Apache-2.0

package lua

import (
	"context"
	"sync/atomic"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/functions"
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
	pid       relay.PID
	frame     *appctx.Frame // the callee's own, released at its end
	done      functions.Done
	ref       atomic.Pointer[scheduler.Ref]
	cancelled atomic.Bool
}

// Run starts a call. It has its own PID and mailbox until it ends.
func (w *worker) Run(_ context.Context, task functions.Task, done functions.Done) (cancel func()) {
	c := &call{worker: w, pid: w.runner.PIDs.Next(w.pool.host), done: done}
	ctx := w.runner.Context
	if task.Frame != nil {
		c.frame = task.Frame.Fork()
		ctx = appctx.WithFrame(ctx, c.frame)
	}
	process := w.runner.process(engine.ProcessOptions{Instance: w.instance, PID: c.pid})
	ref, err := w.runner.Scheduler.Submit(ctx, process, scheduler.SubmitOptions{Method: w.method, Input: task.Input, Value: c})
	if err != nil {
		c.release()
		done(payload.Payload{}, err)
		return func() {}
	}
	c.ref.Store(ref)
	return c.cancel
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
		c.worker.runner.Log.Warn("a resource of a call did not close", "pid", c.pid.String(), "error", err)
	}
}

// callHooks tie the processes of calls to the system: reachable by message,
// watchable by others, and answering their caller when they end.
type callHooks struct{ topology *topology.Topology }

// CallLifecycle is the scheduler's view of function calls. The scheduler that
// runs them must be made with it.
func CallLifecycle(t *topology.Topology) scheduler.Lifecycle { return callHooks{t} }

// OnStart makes the call reachable under its PID.
func (h callHooks) OnStart(_ context.Context, ref *scheduler.Ref) error {
	c := ref.Value().(*call)
	c.worker.pool.table.Add(c.pid, ref)
	return h.topology.Register(c.pid)
}

// OnExit tells those who watched the call, frees the worker and answers the
// caller, in this order.
func (h callHooks) OnExit(ref *scheduler.Ref, result any, err error) {
	c := ref.Value().(*call)
	c.worker.pool.table.Remove(c.pid)
	if err != nil && c.cancelled.Load() {
		err = fault.New(fault.Canceled, "context canceled")
	}
	value, _ := result.(payload.Payload)
	h.topology.Complete(c.pid, topology.Result{Value: value, Err: err})
	c.release()
	c.done(value, err)
}
