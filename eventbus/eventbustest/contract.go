// SPDX-License-Identifier: Apache-2.0

package eventbustest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wippyrun/kit/eventbus"
)

// Bus is the bus under test, most often an adapter. Its methods are as those of
// [eventbus.Bus].
type Bus interface {
	Publish(ev eventbus.Event)
	Subscribe(ctx context.Context, pattern eventbus.Pattern, handler func(eventbus.Event)) (Subscription, error)
	// Stop returns nil when everything is over. The suite calls it once or more.
	Stop(ctx context.Context) error
}

// Subscription is as [eventbus.Subscription].
type Subscription interface {
	Close()
	// Done is closed when the last callback has returned.
	Done() <-chan struct{}
}

// BoundedBus is a [Bus] with the feature [Policies].
type BoundedBus interface {
	Bus
	// SubscribeBounded subscribes with a queue of the given capacity. Events already
	// handed to the callback do not count.
	SubscribeBounded(ctx context.Context, pattern eventbus.Pattern, handler func(eventbus.Event),
		capacity int, policy eventbus.Policy) (BoundedSubscription, error)
}

// BoundedSubscription is a [Subscription] with a policy.
type BoundedSubscription interface {
	Subscription
	// Dropped returns how many events the policy has dropped.
	Dropped() uint64
}

// Feature is something that not every bus has. Features are combined by |.
type Feature uint

// The features.
const (
	// Wildcards are patterns as of [eventbus.CompilePattern]. Without it only exact ones
	// are used.
	Wildcards Feature = 1 << iota
	// OneOrder says that events of several publishers reach all subscribers in one order.
	OneOrder
	// Serial says that callbacks of one subscription never overlap.
	Serial
	// Isolation says that a callback that does not return delays neither publishers nor
	// other subscribers.
	Isolation
	// Reentrant says that the bus may be used from callbacks.
	Reentrant
	// Contexts says that subscriptions end with their context.
	Contexts
	// Contains says that a panic of a callback costs one event and nothing else.
	Contains
	// StopDelivers says that Stop delivers what was published before it.
	StopDelivers
	// StopRefuses says that after Stop subscribing gives [eventbus.ErrClosed] and that
	// publishing does nothing.
	StopRefuses
	// Policies says that the bus is a [BoundedBus].
	Policies

	end
	// All is every feature.
	All = end - 1
)

var featureNames = [...]string{
	"Wildcards", "OneOrder", "Serial", "Isolation", "Reentrant", "Contexts", "Contains", "StopDelivers", "StopRefuses", "Policies",
}

// String returns the names of the features.
func (f Feature) String() string {
	var names []string
	for i, name := range featureNames {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, "|")
}

// Contract is one thing that a bus promises.
type Contract struct {
	Name  string
	Needs Feature // the features it is about; 0 for what every bus has to do
	check func(*run) error
}

// Check puts a new bus to the contract and stops it. It returns an error that says what
// the bus does wrong. What does not happen until ctx ends is taken never to happen.
func (c Contract) Check(ctx context.Context, bus Bus) (err error) {
	r := &run{ctx: ctx, bus: bus}
	defer func() {
		if v := recover(); v != nil {
			err = errors.Join(err, fmt.Errorf("panic: %v", v))
		}
		if e := bus.Stop(ctx); e != nil {
			err = errors.Join(err, fmt.Errorf("stop: %w", e))
		}
		err = errors.Join(err, r.failure())
	}()
	return c.check(r)
}

// Contracts returns what a bus with the given features promises.
func Contracts(features Feature) []Contract {
	var kept []Contract
	for _, c := range contracts {
		if c.Needs&^features == 0 {
			kept = append(kept, c)
		}
	}
	return kept
}

var contracts = []Contract{
	{"DeliversWhatMatches", 0, deliversWhatMatches},
	{"DeliversToEverySubscriber", 0, deliversToEverySubscriber},
	{"KeepsTheOrderOfAPublisher", 0, keepsTheOrderOfAPublisher},
	{"SubscribesAtOnce", 0, subscribesAtOnce},
	{"CloseEndsDelivery", 0, closeEndsDelivery},
	{"CloseLeavesOthersAlone", 0, closeLeavesOthersAlone},
	{"MatchesWildcards", Wildcards, matchesWildcards},
	{"ShowsAllSubscribersOneOrder", OneOrder, showsAllSubscribersOneOrder},
	{"CallsBackOneAtATime", Serial, callsBackOneAtATime},
	{"StuckSubscriberDelaysNobody", Isolation, stuckSubscriberDelaysNobody},
	{"ClosesFromACallback", Reentrant, closesFromACallback},
	{"PublishesFromACallback", Reentrant, publishesFromACallback},
	{"SubscribesFromACallback", Reentrant, subscribesFromACallback},
	{"EndsWithTheContext", Contexts, endsWithTheContext},
	{"RefusesAnEndedContext", Contexts, refusesAnEndedContext},
	{"ContainsPanics", Contains, containsPanics},
	{"StopDeliversWhatWasPublished", StopDelivers, stopDeliversWhatWasPublished},
	{"RefusesAfterStop", StopRefuses, refusesAfterStop},
	{"DropsTheOldest", Policies, drops(eventbus.DropOldest)},
	{"DropsTheNewest", Policies, drops(eventbus.DropNewest)},
	{"CancelsOnOverflow", Policies, drops(eventbus.CancelOnOverflow)},
}

// Implementation is what [Run] tests.
type Implementation struct {
	New      func() Bus // returns a running bus
	Features Feature
	Patience time.Duration // after which something is taken never to happen; 0 means 10 seconds

	_ struct{}
}

// Run tests an implementation, each contract with a bus of its own as a subtest.
func Run(t *testing.T, impl Implementation) {
	t.Helper()
	patience := impl.Patience
	if patience <= 0 {
		patience = 10 * time.Second
	}
	for _, c := range Contracts(impl.Features) {
		t.Run(c.Name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if err := c.Check(ctx, impl.New()); err != nil {
				t.Error(err)
			}
		})
	}
}
