// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"slices"
	"sync"
)

// The live processes are kept in tables, a slot each, so that being known costs a
// process 12 bytes and no allocation, and touches no memory of another process: the
// neighbours in a linked list were last used on other processors
// (BenchmarkSubmitDone). Sharding keeps Submit and exit off one lock.
const shardCount = 32

type shard struct {
	mu    sync.Mutex // guards the fields below, and Ref.slot of those in the table
	slots []*Ref     // nil where free says so
	free  []uint32
	_     [8]byte
}

func (s *Scheduler) shard(r *Ref) *shard { return &s.shards[r.id%shardCount] }

// enter makes r known, unless the scheduler is stopping: Stop sets stopping
// before it goes through the shards, so it finds every process entered before.
func (s *Scheduler) enter(r *Ref) bool {
	sh := s.shard(r)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if s.stopping.Load() {
		return false
	}
	if n := len(sh.free); n > 0 {
		r.slot = sh.free[n-1]
		sh.free = sh.free[:n-1]
		sh.slots[r.slot] = r
	} else {
		r.slot = uint32(len(sh.slots))
		sh.slots = append(sh.slots, r)
	}
	return true
}

// forget undoes enter.
func (s *Scheduler) forget(r *Ref) {
	sh := s.shard(r)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.slots[r.slot] = nil
	sh.free = append(sh.free, r.slot)
	if n := len(sh.slots); n > 64 && len(sh.free) > n-n/4 {
		sh.compact()
	}
}

// compact gives memory back after most processes of the shard have ended. It halves
// the table at least, so its cost is spread over as many calls of forget.
func (sh *shard) compact() {
	live := make([]*Ref, 0, 2*(len(sh.slots)-len(sh.free)))
	for _, r := range sh.slots {
		if r != nil {
			r.slot = uint32(len(live))
			live = append(live, r)
		}
	}
	sh.slots, sh.free = live, nil
}

// Each calls f for every live process until f returns false. Processes that
// start or end meanwhile may or may not be seen. f may call any method.
func (s *Scheduler) Each(f func(*Ref) bool) {
	var refs []*Ref
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		refs = slices.Grow(refs[:0], len(sh.slots)-len(sh.free))
		for _, r := range sh.slots {
			if r != nil {
				refs = append(refs, r)
			}
		}
		sh.mu.Unlock()
		for _, r := range refs {
			if !f(r) {
				return
			}
		}
	}
}
