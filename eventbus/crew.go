// SPDX-License-Identifier: Apache-2.0

package eventbus

import "sync"

// crew is the set of goroutines of a bus. They take turns at two duties: to be the
// dispatcher, of which there is one at a time, and to run callbacks. This is the
// Leader/Followers pattern (Schmidt, O'Ryan, Kircher, Pyarali, Buschmann 2000): the
// dispatcher that finds its queue empty gives the role up and runs a callback itself,
// which saves an idle bus one of two switches between goroutines and a quarter of its
// latency (BenchmarkIdleLatency). What is published meanwhile calls another goroutine.
//
// A goroutine for each subscription that has something to do would be enough, but
// starting a thousand goroutines for an event with a thousand subscribers more than
// doubles what it costs (BenchmarkFanOut1000OneByOne). So a goroutine serves one
// ready subscription after another. That alone would let a callback that blocks hold
// up those behind it; therefore, whenever subscriptions are ready, there is one
// goroutine more, the standby, that is runnable and has nothing else to do. If every
// other goroutine is stuck the Go scheduler runs the standby, which appoints its own
// successor before it enters a callback. Nobody waits for a time-out, and a bus whose
// callbacks do not block needs about as many goroutines as there are processors.
type crew struct {
	bus            *Bus
	leader, server func() // work with the duty in the name, stored: starting one allocates nothing

	mu      sync.Mutex
	ready   []*Subscription // guarded by mu; ready[head:] wait for a goroutine
	head    int             // guarded by mu
	standby bool            // guarded by mu; a goroutine was called to serve and has not begun
	parked  []seat          // guarded by mu; at most maxParked, of goroutines that wait for a call
	spare   []seat          // guarded by mu; left by goroutines that ended
	alive   int             // guarded by mu; goroutines that were started, or are about to be, and have not ended
	closed  bool            // guarded by mu; nobody parks any more
	gone    chan struct{}   // closed when the last goroutine of a closed crew ends
}

// duty is what a goroutine of the crew is called for.
type duty uint8

const (
	toLead  duty = iota // be the dispatcher, then serve
	toServe             // be the standby
	toLeave             // end
)

// seat is where a parked goroutine is called. Of capacity 1, and taken off the list of the
// parked before it is used: calling never blocks.
type seat chan duty

// maxParked is how many goroutines wait for work instead of ending. One is needed as
// the dispatcher, another while that one runs a callback: starting a goroutine costs an
// idle bus another two microseconds. The one that parked last is called first, as its
// stack is the warmest; calling them in turn costs a microsecond more
// (BenchmarkIdleLatency).
const maxParked = 2

func (c *crew) init(b *Bus) {
	c.bus = b
	c.leader = func() { c.work(toLead) }
	c.server = func() { c.work(toServe) }
	c.gone = make(chan struct{})
}

// call gets a goroutine for a duty. It is called without mu.
func (c *crew) call(d duty) {
	c.mu.Lock()
	at := c.choose()
	c.mu.Unlock()
	c.summon(d, at)
}

// choose returns the seat of the goroutine that summon is to be used on, or nil for a
// new one; mu is held.
func (c *crew) choose() seat {
	last := len(c.parked) - 1
	if last < 0 {
		c.alive++
		return nil
	}
	at := c.parked[last]
	c.parked = c.parked[:last]
	return at
}

// summon gives a duty to the goroutine that was chosen.
func (c *crew) summon(d duty, at seat) {
	switch {
	case at != nil:
		at <- d
	case d == toLead:
		go c.leader()
	default:
		go c.server()
	}
}

// work is a goroutine of the crew.
func (c *crew) work(d duty) {
	var (
		own     seat
		leading bool
		s       *Subscription // being served
	)
	defer func() {
		// If foreign code called runtime.Goexit, its duty is carried on elsewhere.
		if leading {
			c.call(toLead)
		}
		if s != nil {
			c.add(s)
		}
		c.leave(own)
	}()
	for d != toLeave {
		if d == toLead {
			leading = true
			s = c.bus.dispatch()
			leading = false
		} else {
			s = c.take(true)
		}
		for s != nil {
			s.serve()
			s = c.take(false)
		}
		d, own = c.park(own)
	}
}

// add makes subscriptions ready. Each must not be ready or served already.
func (c *crew) add(subs ...*Subscription) {
	c.mu.Lock()
	if c.head > 0 && len(c.ready)+len(subs) > cap(c.ready) {
		n := copy(c.ready, c.ready[c.head:])
		clear(c.ready[n:])
		c.ready, c.head = c.ready[:n], 0
	}
	c.ready = append(c.ready, subs...)
	c.appoint() // releases mu
}

// take returns a subscription to serve, or nil when none is ready. begins says that
// the caller is the standby, which takes up its work with this call.
func (c *crew) take(begins bool) *Subscription {
	c.mu.Lock()
	if begins {
		c.standby = false
	}
	if c.head == len(c.ready) {
		c.mu.Unlock()
		return nil
	}
	s := c.ready[c.head]
	c.ready[c.head] = nil
	c.head++
	if c.head == len(c.ready) {
		c.ready, c.head = c.ready[:0], 0
		c.mu.Unlock()
	} else {
		c.appoint() // releases mu
	}
	return s
}

// appoint sees to it that there is a standby. It is called with mu held and releases
// it.
func (c *crew) appoint() {
	if c.standby {
		c.mu.Unlock()
		return
	}
	c.standby = true
	at := c.choose()
	c.mu.Unlock()
	c.summon(toServe, at)
}

// park waits for a duty, on the goroutine's own seat if it has one. Nothing can be missed
// on the way here: whoever makes subscriptions ready sees to a standby.
func (c *crew) park(own seat) (duty, seat) {
	c.mu.Lock()
	if c.closed || len(c.parked) == maxParked {
		c.mu.Unlock()
		return toLeave, own
	}
	if last := len(c.spare) - 1; own == nil && last >= 0 {
		own = c.spare[last]
		c.spare = c.spare[:last]
	}
	if own == nil {
		own = make(seat, 1)
	}
	c.parked = append(c.parked, own)
	c.mu.Unlock()
	return <-own, own
}

// leave says that the calling goroutine ends.
func (c *crew) leave(own seat) {
	c.mu.Lock()
	if own != nil {
		c.spare = append(c.spare, own)
	}
	c.alive--
	last := c.closed && c.alive == 0
	c.mu.Unlock()
	if last {
		close(c.gone)
	}
}

// close lets goroutines end when nothing is ready. It is called by one of them.
func (c *crew) close() {
	c.mu.Lock()
	c.closed = true
	parked := c.parked
	c.parked = nil
	c.mu.Unlock()
	for _, at := range parked {
		at <- toLeave
	}
}
