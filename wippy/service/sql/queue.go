// SPDX-License-Identifier: Apache-2.0

package sql

import (
	"container/list"
	"errors"
	"time"
)

// errRetired tells who waits for a connection that the pool has been retired. It never leaves the package.
var errRetired = errors.New("the pool is retired")

// queue is who has a connection of a pool and who waits for one, in order. The mutex of the pool guards it.
type queue struct {
	limit   int // of connections, 0 for as many as wanted
	taken   int
	waiting list.List // of *turn
	// How often somebody had to wait, and how long those did that wait no more.
	count    int64
	duration time.Duration
}

// turn is one that waits.
type turn struct {
	called chan struct{} // closed when it is served or gone
	since  time.Time
	stay   bool // it also waits for a pool that is retired
	served bool
	gone   bool
	place  *list.Element
}

func (q *queue) free() bool { return q.limit <= 0 || q.taken < q.limit }

// ask takes a connection when one is free and nobody waits; otherwise it returns the turn to wait for.
func (q *queue) ask(stay bool) (t *turn, served bool) {
	if q.free() && q.waiting.Len() == 0 {
		q.taken++
		return nil, true
	}
	t = &turn{called: make(chan struct{}), since: time.Now(), stay: stay}
	t.place = q.waiting.PushBack(t)
	q.count++
	return t, false
}

// admit serves those who wait while there is something free, and returns how many.
func (q *queue) admit() (n int) {
	for q.waiting.Len() > 0 && q.free() {
		t := q.waiting.Remove(q.waiting.Front()).(*turn)
		q.taken++
		t.served = true
		close(t.called)
		n++
	}
	return n
}

// dismiss sends away who does not stay.
func (q *queue) dismiss() {
	for e := q.waiting.Front(); e != nil; {
		t := e.Value.(*turn)
		e = e.Next()
		if !t.stay {
			q.waiting.Remove(t.place)
			t.gone = true
			close(t.called)
		}
	}
}

// waited adds a wait that has ended.
func (q *queue) waited(t *turn) { q.duration += time.Since(t.since) }

// forget takes one out that does not want to wait any more.
func (q *queue) forget(t *turn) { q.waiting.Remove(t.place) }
