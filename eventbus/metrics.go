// SPDX-License-Identifier: Apache-2.0

package eventbus

import "runtime/debug"

// Stats are counters of a [Bus], and gauges, as of one moment or nearly so: what happens
// while they are read may be in one and not yet in another. Once the bus is stopped and
// nobody publishes, Queued - Overflowed - Discarded is how many times a callback was
// called.
type Stats struct {
	Published  uint64 // events accepted by Publish
	Dropped    uint64 // events published after Stop, or not dispatched when it gave up
	Queued     uint64 // events that matched a live subscription, one for each that they matched
	Overflowed uint64 // of Queued, dropped by overflow policies
	Discarded  uint64 // of Queued, not delivered because their subscription had ended
	Panics     uint64 // panics of callbacks and of a Metrics

	Subscriptions int    // subscriptions that have not ended
	Rejected      uint64 // attempts to subscribe that failed with ErrTooMany or ErrClosed

	_ struct{}
}

// Stats returns the counters. It allocates nothing and takes a lock that publishers
// take, for an instant: it is made to be read whenever metrics are collected.
func (b *Bus) Stats() Stats {
	b.mu.Lock()
	published, rejected := b.published, b.rejected
	b.mu.Unlock()
	return Stats{
		Published:     published,
		Rejected:      rejected,
		Dropped:       b.dropped.Load(),
		Queued:        b.queued.Load(),
		Overflowed:    b.overflowed.Load(),
		Discarded:     b.discarded.Load(),
		Panics:        b.panics.Load(),
		Subscriptions: int(b.live.Load()),
	}
}

// Metrics is told what a bus does, as it happens and with what [Bus.Stats] cannot tell
// apart; see [WithMetrics].
//
// Its methods are called by the dispatcher, one at a time, after the events in question
// are in the queues. They must not block, for as long as they take nothing is dispatched;
// nor may they wait for the bus, though they may publish. A panic in one is contained
// and reported like that of a callback.
type Metrics interface {
	// Dispatched says that a number of events of one topic, published one after the
	// other, each matched a number of subscriptions, which may be 0.
	Dispatched(system, kind string, events, subscriptions int)
	// Overflowed says that the policy of a subscription has dropped events.
	Overflowed(s *Subscription, events int)
}

// tally is what Metrics will be told about one span of events.
type tally struct {
	runs  []run
	drops []drop
}

// run is a number of consecutive events of one topic.
type run struct {
	system, kind          string
	events, subscriptions int
}

type drop struct {
	sub    *Subscription
	events int
}

func (t *tally) dispatched(first *Event, events, subscriptions int) {
	t.runs = append(t.runs, run{first.System, first.Kind, events, subscriptions})
}

func (t *tally) overflowed(s *Subscription, events int) {
	t.drops = append(t.drops, drop{s, events})
}

func (t *tally) reset() {
	clear(t.runs)
	clear(t.drops)
	t.runs, t.drops = t.runs[:0], t.drops[:0]
}

// report tells Metrics what was tallied. Whatever the methods do, the state of the
// dispatcher is in order by now, for it or its successor to go on.
func (b *Bus) report() {
	t := &b.dispatcher.tally
	defer func() {
		v := recover()
		t.reset()
		if v != nil {
			b.reportPanic(PanicReport{Value: v, Stack: debug.Stack()})
		}
	}()
	for i := range t.runs {
		r := &t.runs[i]
		b.config.metrics.Dispatched(r.system, r.kind, r.events, r.subscriptions)
	}
	for i := range t.drops {
		b.config.metrics.Overflowed(t.drops[i].sub, t.drops[i].events)
	}
}

// reportPanic tells the panic handler. Should that panic as well, both go to the log.
func (b *Bus) reportPanic(r PanicReport) {
	b.panics.Add(1)
	defer func() {
		if v := recover(); v != nil {
			logPanic(r)
			r.Value, r.Stack = v, debug.Stack()
			logPanic(r)
		}
	}()
	b.config.onPanic(r)
}
