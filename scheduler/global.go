// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"sync"
	"sync/atomic"
)

// globalQueue is the FIFO of processes that no worker is preferred for: new
// ones, and those rescued from a worker that is stuck or gone. It is a ring that
// grows and never rejects. A mutex is enough because workers take in batches.
type globalQueue struct {
	size atomic.Int64 // written under mu, read without it to skip an empty queue

	mu    sync.Mutex // guards the fields below
	ring  []*Ref     // length is a power of two
	first int
}

func (q *globalQueue) init(size int) {
	n := 8
	for n < size {
		n <<= 1
	}
	q.ring = make([]*Ref, n)
}

func (q *globalQueue) push(r *Ref) {
	q.mu.Lock()
	q.add(r)
	q.mu.Unlock()
}

// pushList adds a list linked through Ref.link.
func (q *globalQueue) pushList(r *Ref) {
	q.mu.Lock()
	for r != nil {
		next := r.link
		r.link = nil
		q.add(r)
		r = next
	}
	q.mu.Unlock()
}

func (q *globalQueue) add(r *Ref) {
	n := int(q.size.Load())
	if n == len(q.ring) {
		grown := make([]*Ref, 2*n)
		k := copy(grown, q.ring[q.first:])
		copy(grown[k:], q.ring[:q.first])
		q.ring, q.first = grown, 0
	}
	q.ring[(q.first+n)&(len(q.ring)-1)] = r
	q.size.Store(int64(n + 1))
}

// take moves the oldest processes into buf and returns how many.
func (q *globalQueue) take(buf []*Ref) int {
	if q.size.Load() == 0 {
		return 0
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	n := int(q.size.Load())
	k := min(n, len(buf))
	for i := range k {
		buf[i] = q.ring[q.first]
		q.ring[q.first] = nil
		q.first = (q.first + 1) & (len(q.ring) - 1)
	}
	q.size.Store(int64(n - k))
	return k
}
