// SPDX-License-Identifier: Apache-2.0

package scheduler

import "sync"

// The live processes are kept in intrusive lists, so that being known costs a
// process no allocation. Sharding keeps Submit and exit off one lock.
const shardCount = 32

type shard struct {
	mu   sync.Mutex // guards head and the links of the Refs in the list
	head *Ref
	_    [48]byte
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
	if sh.head != nil {
		sh.head.prevRef = r
		r.nextRef = sh.head
	}
	sh.head = r
	return true
}

// forget undoes enter.
func (s *Scheduler) forget(r *Ref) {
	sh := s.shard(r)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if r.prevRef != nil {
		r.prevRef.nextRef = r.nextRef
	} else if sh.head == r {
		sh.head = r.nextRef
	}
	if r.nextRef != nil {
		r.nextRef.prevRef = r.prevRef
	}
	r.prevRef, r.nextRef = nil, nil
}

// Each calls f for every live process until f returns false. Processes that
// start or end meanwhile may or may not be seen. f may call any method.
func (s *Scheduler) Each(f func(*Ref) bool) {
	var refs []*Ref
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		refs = refs[:0]
		for r := sh.head; r != nil; r = r.nextRef {
			refs = append(refs, r)
		}
		sh.mu.Unlock()
		for _, r := range refs {
			if !f(r) {
				return
			}
		}
	}
}
