// SPDX-License-Identifier: Apache-2.0

package store

import (
	"slices"
	"time"
)

// run is what a list has read of one shard and not used yet.
type run struct {
	shard *shard
	items []Entry // ascending
	batch int     // how many are read at once
	done  bool    // there are no more
}

func newRun(s *shard, batch int) *run {
	return &run{shard: s, items: make([]Entry, 0, batch), batch: batch}
}

// fill reads from start on.
func (r *run) fill(start, prefix string, now time.Duration) error {
	items, err := r.shard.after(r.items[:0], start, prefix, r.batch, now)
	r.items, r.done = items, len(items) < r.batch
	return err
}

// merge is the runs of all shards that still have items. There are few: the smallest key
// is sought among all of them.
type merge []*run

func (m merge) count() int {
	n := 0
	for _, r := range m {
		n += len(r.items)
	}
	return n
}

// next takes the entry with the smallest key.
func (m *merge) next(prefix string, now time.Duration) (Entry, error) {
	least := 0
	for i, r := range *m {
		if r.items[0].Key < (*m)[least].items[0].Key {
			least = i
		}
	}
	r := (*m)[least]
	e := r.items[0]
	r.items = r.items[1:]
	if len(r.items) == 0 {
		if !r.done {
			if err := r.fill(e.Key+"\x00", prefix, now); err != nil {
				return Entry{}, err
			}
		}
		if len(r.items) == 0 {
			*m = slices.Delete(*m, least, least+1)
		}
	}
	return e, nil
}
