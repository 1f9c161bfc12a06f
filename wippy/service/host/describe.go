// SPDX-License-Identifier: Apache-2.0

package host

import (
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/wippy/system/inspect"
)

// Scheduler returns the scheduler of the processes, nil while the host is stopped.
func (h *Host) Scheduler() *scheduler.Scheduler { return h.running.Load() }

// Describe implements inspect.Described.
func (r *resident) Describe() inspect.Description {
	return inspect.Description{Kind: inspect.KindProcess, Entry: r.Spawn.Source, PID: r.PID, Parent: r.Spawn.Parent}
}
