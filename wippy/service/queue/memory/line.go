// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"container/heap"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/wippyrun/kit/wippy/service/queue"
)

// line is one queue while the driver runs.
type line struct {
	id      string
	limit   int
	journal *journal // nil when nothing is kept

	mu     sync.Mutex // guards all below
	closed error      // why nothing happens any more
	last   uint64     // order of the latest item
	ready  waiting
	later  byDue
	timer  *time.Timer // for the first of later; nil before there was one
	// keys holds the partitions with an item that is ready, taken or waits for its time,
	// each with the items that follow it.
	keys       map[string][]*item
	backlog    int // items that are not taken, and those let in that are not here yet
	taken      int // items handed out and not settled
	consumers  int
	receivers  []*receiver  // first come, first served; ready is empty while there are any
	publishers []*publisher // first come, first let in
}

// receiver is somebody who waits for an item.
type receiver struct{ got chan *item }

// publisher is somebody who waits for room.
type publisher struct{ in chan struct{} }

func newLine(id string, limit int, j *journal) *line {
	return &line{id: id, limit: limit, journal: j, keys: map[string][]*item{}}
}

// enter waits for room and takes it.
func (l *line) enter(ctx context.Context) error {
	l.mu.Lock()
	if l.closed != nil || l.backlog < l.limit && len(l.publishers) == 0 {
		if l.closed == nil {
			l.backlog++
		}
		defer l.mu.Unlock()
		return l.closed
	}
	p := &publisher{in: make(chan struct{})}
	l.publishers = append(l.publishers, p)
	l.mu.Unlock()
	select {
	case <-p.in:
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.closed
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.publishers, p); i >= 0 {
		l.publishers = slices.Delete(l.publishers, i, i+1)
	} else if l.closed == nil { // it was let in just now
		l.leave()
	}
	return ctx.Err()
}

// tryEnter takes room if there is some.
func (l *line) tryEnter() (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed != nil {
		return false, l.closed
	}
	if l.backlog >= l.limit || len(l.publishers) > 0 {
		return false, nil
	}
	l.backlog++
	return true, nil
}

// leave gives room back and lets the next publishers in; mu is held.
func (l *line) leave() {
	l.backlog--
	for l.backlog < l.limit && len(l.publishers) > 0 {
		close(l.publishers[0].in)
		l.publishers = l.publishers[1:]
		l.backlog++
	}
}

// exit gives back room that was taken for nothing.
func (l *line) exit() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed == nil {
		l.leave()
	}
}

// put adds an item for which room was taken.
func (l *line) put(it *item) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed == nil {
		l.append(it)
		l.serve()
	}
}

// force adds an item whether or not there is room.
func (l *line) force(it *item) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed == nil {
		l.backlog++
		l.append(it)
		l.serve()
	}
}

// append puts an item at the end, or behind those of its key; mu is held.
func (l *line) append(it *item) {
	l.last++
	it.order = l.last
	if it.key != "" {
		if following, busy := l.keys[it.key]; busy {
			l.keys[it.key] = append(following, it)
			return
		}
		l.keys[it.key] = nil
	}
	l.ready.line.push(it)
}

// serve hands ready items to those who wait; mu is held.
func (l *line) serve() {
	for len(l.receivers) > 0 && l.ready.len() > 0 {
		r := l.receivers[0]
		l.receivers[0] = nil
		l.receivers = l.receivers[1:]
		r.got <- l.take() // has room for it
	}
}

// take hands out the first item; mu is held.
func (l *line) take() *item {
	it := l.ready.next()
	l.taken++
	l.leave()
	return it
}

// receive waits for an item.
func (l *line) receive(ctx context.Context) (*item, error) {
	l.mu.Lock()
	switch {
	case l.closed != nil:
		defer l.mu.Unlock()
		return nil, l.closed
	case ctx.Err() != nil:
		defer l.mu.Unlock()
		return nil, ctx.Err()
	case l.ready.len() > 0:
		defer l.mu.Unlock()
		return l.take(), nil
	}
	r := &receiver{got: make(chan *item, 1)}
	l.receivers = append(l.receivers, r)
	l.mu.Unlock()
	select {
	case it, ok := <-r.got:
		return l.received(it, ok)
	case <-ctx.Done():
	}
	l.mu.Lock()
	i := slices.Index(l.receivers, r)
	if i >= 0 {
		l.receivers = slices.Delete(l.receivers, i, i+1)
	}
	l.mu.Unlock()
	if i < 0 { // it has just been served
		it, ok := <-r.got
		return l.received(it, ok)
	}
	return nil, ctx.Err()
}

func (l *line) received(it *item, ok bool) (*item, error) {
	if ok {
		return it, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return nil, l.closed
}

// done ends an item that was taken.
func (l *line) done(it *item) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed != nil {
		return
	}
	l.taken--
	if it.key == "" {
		return
	}
	following := l.keys[it.key]
	if len(following) == 0 {
		delete(l.keys, it.key)
		return
	}
	l.keys[it.key] = following[1:]
	heap.Push(&l.ready.early, following[0])
	l.serve()
}

// again takes an item back that has failed: it is ready once delay has passed.
func (l *line) again(it *item, delay time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed != nil {
		return
	}
	it.failed++
	l.taken--
	l.backlog++
	if delay <= 0 {
		l.rejoin(it)
		l.serve()
		return
	}
	l.postpone(it, delay)
}

// hold adds an item, whether or not there is room, that is ready once delay has passed. Those of its key that come after it
// wait as well.
func (l *line) hold(it *item, delay time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed != nil {
		return
	}
	l.backlog++
	if _, busy := l.keys[it.key]; busy && it.key != "" {
		l.append(it) // behind another one of its key
		return
	}
	l.last++
	it.order = l.last
	if it.key != "" {
		l.keys[it.key] = nil
	}
	l.postpone(it, delay)
}

// postpone makes an item ready once delay has passed; mu is held.
func (l *line) postpone(it *item, delay time.Duration) {
	it.due = time.Now().Add(delay)
	heap.Push(&l.later, it)
	if l.later[0] == it {
		l.schedule(delay)
	}
}

// rejoin makes an item ready again: at the end, or before those of its key; mu is held.
func (l *line) rejoin(it *item) {
	if it.key != "" {
		heap.Push(&l.ready.early, it)
		return
	}
	l.append(it)
}

// schedule sets the timer; mu is held.
func (l *line) schedule(d time.Duration) {
	if l.timer == nil {
		l.timer = time.AfterFunc(d, l.wake)
		return
	}
	l.timer.Reset(d)
}

// wake makes those items ready whose time has come.
func (l *line) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed != nil {
		return
	}
	now := time.Now()
	for len(l.later) > 0 && !l.later[0].due.After(now) {
		l.rejoin(heap.Pop(&l.later).(*item))
	}
	if len(l.later) > 0 {
		l.schedule(l.later[0].due.Sub(now))
	}
	l.serve()
}

// back takes an item back as if it had not been handed out.
func (l *line) back(it *item) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed != nil {
		return
	}
	l.taken--
	l.backlog++
	heap.Push(&l.ready.early, it)
	l.serve()
}

// attend counts consumers.
func (l *line) attend(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.consumers += n
}

func (l *line) info() queue.Info {
	l.mu.Lock()
	defer l.mu.Unlock()
	return queue.Info{Messages: l.backlog, Ready: l.backlog, Consumers: l.consumers, InFlight: l.taken}
}

// close ends the line: everybody who waits gets err. What it holds is forgotten here.
func (l *line) close(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed != nil {
		return
	}
	l.closed = err
	if l.timer != nil {
		l.timer.Stop()
	}
	for _, r := range l.receivers {
		close(r.got)
	}
	for _, p := range l.publishers {
		close(p.in)
	}
	l.receivers, l.publishers, l.ready, l.later, l.keys = nil, nil, waiting{}, nil, nil
}
