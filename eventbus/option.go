// SPDX-License-Identifier: Apache-2.0

package eventbus

import (
	"fmt"
	"log/slog"
)

// Option configures a [Bus].
type Option interface{ apply(config) config }

type config struct {
	maxSubscriptions int
	onPanic          func(PanicReport)
	metrics          Metrics // nil for none
}

func newConfig(opts []Option) config {
	c := config{onPanic: logPanic}
	for _, o := range opts {
		c = o.apply(c)
	}
	return c
}

type maxSubscriptions int

func (n maxSubscriptions) apply(c config) config { c.maxSubscriptions = int(n); return c }

// String returns the option as written.
func (n maxSubscriptions) String() string { return fmt.Sprintf("WithMaxSubscriptions(%d)", int(n)) }

// WithMaxSubscriptions limits the number of subscriptions that exist at a time;
// further ones fail with [ErrTooMany]. The default, 0, is no limit. A subscription
// costs about 500 bytes and no goroutine while it is idle.
func WithMaxSubscriptions(n int) Option { return maxSubscriptions(max(n, 0)) }

type panicHandler func(PanicReport)

func (f panicHandler) apply(c config) config { c.onPanic = f; return c }

// String returns the option as written.
func (panicHandler) String() string { return "WithPanicHandler" }

// PanicReport describes a panic of a subscriber.
type PanicReport struct {
	Subscription *Subscription // nil when it was a method of a Metrics that panicked
	Event        Event         // the event being handled
	Value        any           // the argument of panic
	Stack        []byte        // the stack of the goroutine that panicked

	_ struct{}
}

// WithPanicHandler sets what is told about a panic of a subscriber. The panic is
// contained: the subscription goes on with its next event. The handler runs on the
// goroutine that panicked; if it panics itself both panics are logged. The default logs
// through [log/slog].
func WithPanicHandler(handler func(PanicReport)) Option {
	if handler == nil {
		return panicHandler(logPanic)
	}
	return panicHandler(handler)
}

func logPanic(r PanicReport) {
	if r.Subscription == nil {
		slog.Error("panic in event metrics", "panic", fmt.Sprint(r.Value), "stack", string(r.Stack))
		return
	}
	slog.Error("panic in event subscriber",
		"subscription", r.Subscription.ID(), "topic", r.Event.Topic(), "path", r.Event.Path,
		"panic", fmt.Sprint(r.Value), "stack", string(r.Stack))
}

type metricsOption struct{ metrics Metrics }

func (m metricsOption) apply(c config) config { c.metrics = m.metrics; return c }

// String returns the option as written.
func (m metricsOption) String() string { return fmt.Sprintf("WithMetrics(%T)", m.metrics) }

// WithMetrics sets who is told what the bus does, for counters by topic or subscription;
// totals are in [Bus.Stats]. The default, nil, is nobody and costs nothing.
func WithMetrics(m Metrics) Option { return metricsOption{m} }

// Policy says what happens to a subscription whose queue is full.
type Policy uint8

// The policies of a bounded queue.
const (
	// Unbounded queues have no limit: nothing is dropped, and a subscriber that is
	// stuck makes its queue grow for as long as events keep coming. The default.
	Unbounded Policy = iota
	// DropOldest drops the events that have waited longest.
	DropOldest
	// DropNewest drops the events that come.
	DropNewest
	// CancelOnOverflow drops everything and ends the subscription with ErrOverflow.
	CancelOnOverflow
)

// String returns the name of the policy.
func (p Policy) String() string {
	switch p {
	case Unbounded:
		return "Unbounded"
	case DropOldest:
		return "DropOldest"
	case DropNewest:
		return "DropNewest"
	case CancelOnOverflow:
		return "CancelOnOverflow"
	default:
		return fmt.Sprintf("Policy(%d)", uint8(p))
	}
}

// SubscribeOption configures a [Subscription].
type SubscribeOption interface{ applyTo(*Subscription) }

type bounded struct {
	capacity int
	policy   Policy
}

func (b bounded) applyTo(s *Subscription) {
	s.queue.policy, s.queue.limit, s.batchLimit = b.policy, b.capacity, 0
	if b.policy == Unbounded {
		s.queue.limit = 0
	} else {
		s.batchLimit = min(max(b.capacity/8, 1), chunkSize)
	}
}

// String returns the option as written.
func (b bounded) String() string { return fmt.Sprintf("Bounded(%d, %v)", b.capacity, b.policy) }

// Bounded limits the queue of a subscription to capacity events, at least 1, and
// says what happens when more come. Events already handed to the delivery
// goroutine do not count; there are at most capacity/8 of them, and at least the one
// being handled.
//
// Events are handed on in groups of up to 128. A capacity below that can overflow
// in a burst although the subscriber is fast. The queue keeps at most about
// capacity × 0.5 KB + 64 KB of events alive.
func Bounded(capacity int, policy Policy) SubscribeOption {
	return bounded{capacity: max(capacity, 1), policy: policy}
}
