// SPDX-License-Identifier: Apache-2.0

package eventbus

// dispatcher is the state of whoever is the dispatcher. One goroutine of the crew at a
// time is; the role changes hands under Bus.mu.
type dispatcher struct {
	index   index
	taken   []action        // being carried out
	next    int             // in taken
	touched []*Subscription // have staged spans
	ready   []*Subscription // to be given to the crew
	tally   tally
}

// dispatch is what the dispatcher does: it takes actions in the order they were queued,
// finds for every event who wants it and hands spans to the queues of those. Nothing it
// does waits for a subscriber. When the queue is empty it gives up the role, and
// returns a subscription for the caller to serve or nil.
func (b *Bus) dispatch() *Subscription {
	d := &b.dispatcher
	for {
		for d.next < len(d.taken) {
			b.flushReady()
			a := d.taken[d.next]
			d.taken[d.next] = action{}
			d.next++
			switch {
			case a.span.chunk != nil:
				b.route(a.span)
			case a.sub == nil:
				d.index.each((*Subscription).finish)
				b.crew.close()
				close(b.done)
				return nil // and stay the dispatcher: there is to be no other
			case a.remove:
				d.index.remove(a.sub)
			default:
				d.index.add(a.sub)
			}
		}
		own := b.keepOne()
		if !b.takeActions() {
			return own
		}
		if own != nil {
			b.crew.add(own)
		}
	}
}

// takeActions exchanges the slice of actions that are done for that of those to do. When
// there is none it gives up the role of the dispatcher and reports false: from then on the
// caller must not touch its state.
func (b *Bus) takeActions() bool {
	d := &b.dispatcher
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sealTail()
	b.actions, d.taken, d.next = d.taken[:0], b.actions, 0
	if len(d.taken) > 0 {
		return true
	}
	if cap(d.taken) > idleActions {
		d.taken = nil
	}
	if cap(b.actions) > idleActions {
		b.actions = nil
	}
	b.awake = false
	return false
}

// idleActions is how many actions, of 32 bytes, a slice may keep room for while there
// is nothing to do.
const idleActions = 256

// route hands the events of a span to the subscriptions that match. Runs of events
// with one topic are found and handed on as a whole; each subscription's queue is
// locked once per span.
func (b *Bus) route(sp span) {
	d := &b.dispatcher
	c := sp.chunk
	if b.aborted.Load() {
		b.dropped.Add(uint64(sp.len()))
		b.release(c)
		return
	}
	for from := sp.from; from < sp.to; {
		first := &c.events[from]
		to := from + 1
		for to < sp.to && c.events[to].Kind == first.Kind && c.events[to].System == first.System {
			to++
		}
		var refs int32
		matching := 0
		for _, n := range d.index.find(first.System, first.Kind) {
			matching += len(n.subs)
			for _, s := range n.subs {
				added, fresh := s.stage(c, from, to)
				if added {
					refs++
				}
				if fresh {
					d.touched = append(d.touched, s)
				}
			}
		}
		c.refs.Add(refs)
		if b.config.metrics != nil {
			d.tally.dispatched(first, int(to-from), matching)
		}
		from = to
	}
	b.handOver()
	b.release(c)
	if b.config.metrics != nil {
		b.flushReady() // nobody has to wait for what is foreign
		b.report()
	}
}

// handOver moves what is staged to the queues.
func (b *Bus) handOver() {
	d := &b.dispatcher
	var queued, overflowed uint64
	for i, s := range d.touched {
		d.touched[i] = nil
		r := s.accept()
		queued += uint64(r.queued)
		if r.dropped > 0 {
			overflowed += uint64(r.dropped)
			if b.config.metrics != nil {
				d.tally.overflowed(s, r.dropped)
			}
		}
		if !r.ready {
			continue
		}
		if d.ready = append(d.ready, s); len(d.ready) == readyBatch {
			b.flushReady()
		}
	}
	d.touched = d.touched[:0]
	b.queued.Add(queued)
	if overflowed > 0 {
		b.overflowed.Add(overflowed)
	}
}

// readyBatch is how many subscriptions are given to the crew at once: enough to
// take its lock rarely, few enough for callbacks to begin while the dispatcher is
// still busy with the rest.
const readyBatch = 32

// flushReady gives what is ready to the crew.
func (b *Bus) flushReady() {
	d := &b.dispatcher
	if len(d.ready) > 0 {
		b.crew.add(d.ready...)
		clear(d.ready)
		d.ready = d.ready[:0]
	}
}

// keepOne gives what is ready to the crew, but for one that it returns.
func (b *Bus) keepOne() *Subscription {
	d := &b.dispatcher
	last := len(d.ready) - 1
	if last < 0 {
		return nil
	}
	s := d.ready[last]
	d.ready[last] = nil
	d.ready = d.ready[:last]
	b.flushReady()
	return s
}
