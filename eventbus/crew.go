// SPDX-License-Identifier: Apache-2.0

package eventbus

import "sync"

// crew is the set of goroutines that run the callbacks of a bus.
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
	mu      sync.Mutex
	ready   []*Subscription // guarded by mu; ready[head:] wait for a goroutine
	head    int             // guarded by mu
	standby bool            // guarded by mu; a goroutine was started and has not begun

	member func() // run, as a stored func: starting it allocates nothing
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
	start := !c.standby
	c.standby = true
	c.mu.Unlock()
	if start {
		go c.member()
	}
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
	start := false
	if c.head == len(c.ready) {
		c.ready, c.head = c.ready[:0], 0
	} else {
		start = !c.standby
		c.standby = true
	}
	c.mu.Unlock()
	if start {
		go c.member()
	}
	return s
}

// run is a goroutine of the crew. It lives until nothing is ready.
func (c *crew) run() {
	s := c.take(true)
	defer func() {
		if s != nil { // the callback called runtime.Goexit: carry on elsewhere
			c.add(s)
		}
	}()
	for s != nil {
		s.serve()
		s = c.take(false)
	}
}
