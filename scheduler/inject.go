// SPDX-License-Identifier: Apache-2.0

package scheduler

import "sync/atomic"

// injectQueue is a worker's inbox for processes that other goroutines made
// ready: any number of producers, any number of consumers that take everything.
// It is linked through Ref.link, which costs no allocation; a process is ready
// in at most one place, so one link suffices.
type injectQueue struct {
	head atomic.Pointer[Ref] // newest first
}

func (q *injectQueue) push(r *Ref) {
	for {
		head := q.head.Load()
		r.link = head
		if q.head.CompareAndSwap(head, r) {
			return
		}
	}
}

func (q *injectQueue) empty() bool { return q.head.Load() == nil }

// takeAll empties the queue and returns its processes linked oldest first.
func (q *injectQueue) takeAll() *Ref {
	if q.head.Load() == nil {
		return nil
	}
	r := q.head.Swap(nil)
	var first *Ref
	for r != nil {
		next := r.link
		r.link = first
		first, r = r, next
	}
	return first
}
