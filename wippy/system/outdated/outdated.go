// SPDX-License-Identifier: Apache-2.0

// Package outdated tells running processes that the code of their entry has changed.
//
// Only processes that asked for it are told; a change that nobody waits for costs one map look-up.
package outdated

import (
	"slices"
	"sync"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// Hub knows who runs what. All methods may be called concurrently. Make one with [New].
type Hub struct {
	send func(*relay.Message) error

	mu      sync.Mutex
	running map[string]map[relay.PID]struct{} // guarded by mu; by entry id
}

// New returns a hub that sends its events with send.
func New(send func(*relay.Message) error) *Hub {
	return &Hub{send: send, running: map[string]map[relay.PID]struct{}{}}
}

// Watch notes that pid runs the code of entry id and wants to know when it changes, until stop is called. A
// process watches one entry at a time; watching again changes nothing.
func (h *Hub) Watch(id string, pid relay.PID) (stop func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.running[id] == nil {
		h.running[id] = map[relay.PID]struct{}{}
	}
	h.running[id][pid] = struct{}{}
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.running[id], pid)
		if len(h.running[id]) == 0 {
			delete(h.running, id)
		}
	}
}

// Changed sends an event to everybody who runs the code of entry id; sources are the entries whose change
// affects it. Processes that have just ended miss it.
func (h *Hub) Changed(id string, sources []string) {
	h.mu.Lock()
	pids := make([]relay.PID, 0, len(h.running[id]))
	for pid := range h.running[id] {
		pids = append(pids, pid)
	}
	h.mu.Unlock()
	sources = slices.Sorted(slices.Values(sources))
	for _, pid := range pids {
		m := topology.NewOutdated(pid, sources)
		if err := h.send(m); err != nil {
			m.Release()
		}
	}
}
