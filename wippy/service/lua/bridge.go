// SPDX-License-Identifier: Apache-2.0

package lua

import (
	"context"
	"sync"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/functions"
	"github.com/wippyrun/kit/wippy/system/processes"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// defaultHost is the host on which calls of a process entry run, "" when the entry cannot be called.
func defaultHost(e registry.Entry) string {
	if options, ok := e.Meta["options"].(map[string]any); ok {
		if host, ok := options["default_host"].(string); ok {
			return host
		}
	}
	host, _ := e.Meta["default_host"].(string)
	return host
}

// bridge answers the calls of a process entry: each spawns the process on host with the arguments of the call,
// and ends with it.
func (r *Runner) bridge(id, host string) functions.CallFunc {
	return func(ctx context.Context, task functions.Task, done functions.Done) func() {
		b := &bridged{runner: r, caller: task.Caller, done: done}
		spawn := processes.Spawn{Host: host, Source: id, Input: task.Input}
		if task.Frame != nil {
			spawn.Frame = task.Frame.Propagate()
		}
		pid, err := r.Processes.ExecAsync(ctx, spawn, func(end topology.Result) { b.answer(end.Value, end.Err) })
		if err != nil {
			b.answer(payload.Payload{}, fault.Wrap(fault.Internal, "failed to start process", err))
			return func() {}
		}
		return func() { b.cancel(pid) }
	}
}

// bridged is one call of a process entry.
type bridged struct {
	runner *Runner
	caller relay.PID
	once   sync.Once
	done   functions.Done
}

// answer gives the caller the first outcome.
func (b *bridged) answer(value payload.Payload, err error) {
	b.once.Do(func() { b.done(value, err) })
}

// cancel asks the process to end and does not wait for it.
func (b *bridged) cancel(pid relay.PID) {
	b.once.Do(func() {
		m := topology.NewCancel(b.caller, pid, "caller context canceled")
		if err := b.runner.Node.Send(m); err != nil {
			m.Release() // it has ended just now
		}
		b.done(payload.Payload{}, fault.New(fault.Canceled, "context canceled"))
	})
}
