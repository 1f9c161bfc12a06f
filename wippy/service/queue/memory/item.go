// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"container/heap"
	"time"

	"github.com/wippyrun/kit/wippy/service/queue"
)

// item is one message of a line.
type item struct {
	m      *queue.Message
	key    string // its partition, "" for none
	failed int    // attempts that have failed
	order  uint64 // its place in the line
	row    int64  // its row in the journal, 0 without one
	due    time.Time
}

// byOrder is a heap of items that have their place before others already in line.
type byOrder []*item

func (h byOrder) Len() int           { return len(h) }
func (h byOrder) Less(i, j int) bool { return h[i].order < h[j].order }
func (h byOrder) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *byOrder) Push(x any) { *h = append(*h, x.(*item)) }

// Pop implements heap.Interface.
func (h *byOrder) Pop() any { return removeLast((*[]*item)(h)) }

// byDue is a heap of items that wait for their time; of those of the same instant the one
// that was first in line comes first.
type byDue []*item

func (h byDue) Len() int { return len(h) }
func (h byDue) Less(i, j int) bool {
	if !h[i].due.Equal(h[j].due) {
		return h[i].due.Before(h[j].due)
	}
	return h[i].order < h[j].order
}
func (h byDue) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *byDue) Push(x any) { *h = append(*h, x.(*item)) }

// Pop implements heap.Interface.
func (h *byDue) Pop() any { return removeLast((*[]*item)(h)) }

func removeLast(list *[]*item) *item {
	old := *list
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*list = old[:len(old)-1]
	return last
}

// fifo is a queue in a ring that grows.
type fifo[T any] struct {
	ring    []T
	head, n int
}

func (f *fifo[T]) push(v T) {
	if f.n == len(f.ring) {
		grown := make([]T, max(8, 2*f.n))
		for i := range f.n {
			grown[i] = f.ring[(f.head+i)%len(f.ring)]
		}
		f.ring, f.head = grown, 0
	}
	f.ring[(f.head+f.n)%len(f.ring)] = v
	f.n++
}

// front returns the first value; there must be one.
func (f *fifo[T]) front() T { return f.ring[f.head] }

func (f *fifo[T]) pop() T {
	var zero T
	v := f.ring[f.head]
	f.ring[f.head] = zero
	f.head = (f.head + 1) % len(f.ring)
	f.n--
	return v
}

// waiting are the items that could be had now: those in line and those whose place is
// before them.
type waiting struct {
	line  fifo[*item] // ascending order
	early byOrder
}

func (w *waiting) len() int { return w.line.n + len(w.early) }

// next takes the first of all; there must be one.
func (w *waiting) next() *item {
	if len(w.early) > 0 && (w.line.n == 0 || w.early[0].order < w.line.front().order) {
		return heap.Pop(&w.early).(*item)
	}
	return w.line.pop()
}
