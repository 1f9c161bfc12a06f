// SPDX-License-Identifier: Apache-2.0

package mailbox

// ShardStats are counters of one shard. Handled, Discarded and Panics are brought up
// to date after each batch, the others at once.
type ShardStats struct {
	Depth     int    // messages accepted and not handled yet, the current batch included
	HighWater int    // the greatest Depth there has been
	Waiting   int    // senders that wait for room now
	Handled   uint64 // messages given to the handler, those that made it panic included
	Discarded uint64 // messages accepted and never handled
	Waits     uint64 // sends that had to wait for room
	Refused   uint64 // sends that found no room: ErrFull
	Panics    uint64 // panics of the handler

	_ struct{}
}

// Stats are counters of a [Mailbox]: the sums over its shards, and the maximum for
// HighWater.
type Stats struct {
	ShardStats
	Shards []ShardStats // by shard

	_ struct{}
}

// Stats returns the counters. Each shard is read at a moment of its own.
func (m *Mailbox[T]) Stats() Stats {
	var sum Stats
	for _, s := range m.shards {
		s.mu.Lock()
		one := s.stats
		one.Depth, one.Waiting = s.count, s.waiting.count
		one.HighWater = max(one.HighWater, s.count)
		s.mu.Unlock()

		sum.Shards = append(sum.Shards, one)
		sum.Depth += one.Depth
		sum.HighWater = max(sum.HighWater, one.HighWater)
		sum.Waiting += one.Waiting
		sum.Handled += one.Handled
		sum.Discarded += one.Discarded
		sum.Waits += one.Waits
		sum.Refused += one.Refused
		sum.Panics += one.Panics
	}
	return sum
}
