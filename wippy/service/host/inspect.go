// SPDX-License-Identifier: Apache-2.0

package host

import (
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/wippy/system/security"
)

// ProcessInfo describes a process of a host at one moment.
type ProcessInfo struct {
	scheduler.Info
	PID    relay.PID
	Parent relay.PID // zero when nobody spawned it
	Source string    // entry id
	Actor  string    // id of the actor it works for, "" for none
}

// ID returns the entry id of the host.
func (h *Host) ID() string { return h.id }

// Self returns the host. Kinds that embed one are found by it.
func (h *Host) Self() *Host { return h }

// Stats returns the counters of the scheduler, zeros while the host does not run.
func (h *Host) Stats() scheduler.Stats {
	if s := h.running.Load(); s != nil {
		return s.Stats()
	}
	return scheduler.Stats{}
}

// Each calls f for the processes of the host, in no order, until it returns false. Processes that
// begin or end meanwhile may be seen or not.
func (h *Host) Each(f func(ProcessInfo) bool) {
	h.table.Each(func(ref *scheduler.Ref) bool {
		r, ok := ref.Value().(*resident)
		if !ok {
			return true
		}
		p := ProcessInfo{Info: ref.Info(), PID: r.PID, Parent: r.Spawn.Parent, Source: r.Spawn.Source}
		if a := security.ActorOf(r.Spawn.Frame); a != nil {
			p.Actor = a.ID
		}
		return f(p)
	})
}
