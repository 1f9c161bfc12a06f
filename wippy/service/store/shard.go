// SPDX-License-Identifier: Apache-2.0

package store

import (
	"container/heap"
	"strings"
	"sync"
	"time"

	"github.com/wippyrun/kit/relay/payload"
)

// item is one key of a shard.
type item struct {
	key     string
	value   payload.Payload
	version uint64
	due     time.Duration // when it expires, since the store was made; 0 never
	at      int           // index in the queue of what expires, -1 outside
}

// expired tells whether the item is gone at now.
func (i *item) expired(now time.Duration) bool { return i.due != 0 && i.due <= now }

// dueQueue is a heap of the items that expire. Those of the same instant leave in the order
// they were written, so that what a sweep does never depends on chance.
type dueQueue []*item

func (q dueQueue) Len() int { return len(q) }
func (q dueQueue) Less(i, j int) bool {
	if q[i].due != q[j].due {
		return q[i].due < q[j].due
	}
	return q[i].version < q[j].version
}
func (q dueQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].at, q[j].at = i, j
}

// Push implements heap.Interface.
func (q *dueQueue) Push(x any) {
	it := x.(*item)
	it.at = len(*q)
	*q = append(*q, it)
}

// Pop implements heap.Interface.
func (q *dueQueue) Pop() any {
	old := *q
	it := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	it.at = -1
	return it
}

// shard is a part of a Memory: keys by hash.
type shard struct {
	mu     sync.Mutex // guards all below
	items  map[string]*item
	keys   order
	due    dueQueue
	closed bool

	_ [64]byte // the locks of two shards share no cache line
}

// find returns the item of a key unless it has expired; mu is held.
func (s *shard) find(m *Memory, key string) *item {
	it := s.items[key]
	if it == nil || it.due != 0 && it.expired(m.now()) {
		return nil
	}
	return it
}

// schedule sets when an item expires; mu is held. Its version is the one it was just
// written with.
func (s *shard) schedule(it *item, due time.Duration) {
	it.due = due
	switch {
	case due == 0 && it.at >= 0:
		heap.Remove(&s.due, it.at)
	case due == 0:
	case it.at >= 0:
		heap.Fix(&s.due, it.at)
	default:
		heap.Push(&s.due, it)
	}
}

// drop removes an item; mu is held.
func (s *shard) drop(m *Memory, it *item) {
	m.count.Add(-1)
	delete(s.items, it.key)
	s.keys.remove(it.key)
	if it.at >= 0 {
		heap.Remove(&s.due, it.at)
	}
}

// sweepBatch is how many items a sweep drops before it lets others have the shard: about
// 50 µs of work.
const sweepBatch = 128

// sweep drops what has expired, the oldest first, and returns how much that was.
func (s *shard) sweep(m *Memory, now time.Duration) (dropped int) {
	for {
		s.mu.Lock()
		n := 0
		for n < sweepBatch && len(s.due) > 0 && s.due[0].expired(now) {
			s.drop(m, s.due[0])
			n++
		}
		s.mu.Unlock()
		if dropped += n; n < sweepBatch {
			return dropped
		}
	}
}

// after appends to out the items from start on that have the prefix, at most n.
func (s *shard) after(out []Entry, start, prefix string, n int, now time.Duration) ([]Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	s.keys.ascend(start, func(key string) bool {
		if !strings.HasPrefix(key, prefix) {
			return false
		}
		if it := s.items[key]; !it.expired(now) {
			out = append(out, Entry{key, it.value, it.version})
			n--
		}
		return n > 0
	})
	return out, nil
}
