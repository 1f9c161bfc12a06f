// SPDX-License-Identifier: Apache-2.0

package groups

import "sync/atomic"

// Stats counts what has happened in scopes.
type Stats struct {
	Joins, Leaves uint64 // of each group apart, every time
	Broadcasts    uint64
	Dropped       uint64 // messages of broadcasts that did not reach their member
}

type counts struct{ joins, leaves, broadcasts, dropped atomic.Uint64 }

func (c *counts) stats() Stats {
	return Stats{Joins: c.joins.Load(), Leaves: c.leaves.Load(), Broadcasts: c.broadcasts.Load(), Dropped: c.dropped.Load()}
}

// Broadcasted counts a broadcast and those of its messages that did not reach their member.
func (s *Scope) Broadcasted(dropped int) {
	s.mu.Lock()
	c := s.counts
	s.mu.Unlock()
	c.broadcasts.Add(1)
	c.dropped.Add(uint64(dropped))
}
