// SPDX-License-Identifier: Apache-2.0

package process

import (
	"context"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/wippy/system/processes"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// The commands of the module.
const (
	spawnID dispatch.CommandID = 2
	execID  dispatch.CommandID = 9
)

// spawnCommand starts a process; the outcome is its relay.PID.
type spawnCommand struct{ spawn processes.Spawn }

// CommandID identifies the command.
func (*spawnCommand) CommandID() dispatch.CommandID { return spawnID }

// execCommand starts a process and waits for its end; the outcome is its result, a payload.
type execCommand struct{ spawn processes.Spawn }

// CommandID identifies the command.
func (*execCommand) CommandID() dispatch.CommandID { return execID }

// Register adds the handlers of the module's commands.
func Register(d *dispatch.Registry, manager Manager) {
	d.Register("process", spawnID, dispatch.HandlerFunc(
		func(ctx context.Context, cmd dispatch.Command, tag dispatch.Tag, r dispatch.Receiver) error {
			pid, err := manager.Start(ctx, cmd.(*spawnCommand).spawn)
			r.CompleteYield(tag, pid, err)
			return nil
		}))
	d.Register("process", execID, dispatch.HandlerFunc(
		func(ctx context.Context, cmd dispatch.Command, tag dispatch.Tag, r dispatch.Receiver) error {
			_, err := manager.ExecAsync(ctx, cmd.(*execCommand).spawn, func(end topology.Result) {
				r.CompleteYield(tag, end.Value, end.Err)
			})
			if err != nil { // the child has no error of its own: it never was
				return engine.NewError(engine.KindInternal, err.Error()).WithCause(err)
			}
			return nil
		}))
}
