// SPDX-License-Identifier: Apache-2.0

// Package eventbus is an asynchronous publish/subscribe bus with wildcard patterns,
// on which neither a slow nor a stuck subscriber holds up anybody else.
//
// # Basics
//
// An [Event] names the System that speaks and the Kind of what happened. A [Pattern]
// selects by both, each a wildcard pattern of dotted segments ([CompilePattern]):
//
//	bus := eventbus.New()
//	sub, err := bus.Subscribe(ctx, eventbus.Pattern{System: "registry", Kind: "entry.*"},
//		func(ev eventbus.Event) { ... })
//	bus.Publish(eventbus.Event{System: "registry", Kind: "entry.create", Path: "app:db"})
//	err = bus.Stop(ctx)
//
// [Bus.Publish] appends to a queue and returns. One dispatcher goroutine takes events
// out, finds the matching subscriptions in an index, and appends to the queue of
// each. Callbacks run on goroutines that are started when there is something to do and
// shared as long as no callback blocks.
// Events are stored once and shared: what goes into queues are spans of them, so the
// cost of a further subscriber does not depend on the size of events.
//
// [Bus.SubscribeChan] delivers to a channel, [Router] gives several handlers one
// life, [Waiter] does request and response over the bus.
//
// # Guarantees
//
//   - A subscriber sees the matching events in publish order, one at a time, and two
//     subscribers see the same order (TestSubscriberSeesPublishOrder).
//   - It sees every event published after Subscribe returned and before Close was
//     called, but for those its own policy drops, which are counted
//     (TestBusAgreesWithItsModel, a property test).
//   - Publish never waits for a subscriber; a stuck one delays neither publishers nor
//     other subscribers (TestManyStuckSubscribersDelayNobody,
//     TestCallbacksMayWaitForEachOther) and with [Bounded] keeps a
//     bounded amount of memory (TestStuckSubscriberKeepsBoundedMemory).
//   - The cost of an event does not grow with the number of subscriptions that do not
//     match (BenchmarkPublishDeliveredAmong10000), and publishing to existing
//     subscribers allocates nothing (TestPublishDoesNotAllocate).
//   - A panic in a callback, or a runtime.Goexit, costs one event
//     (TestPanicIsContained, TestGoexitInCallbackDoesNotEndTheSubscription).
//   - Stop delivers what was published before it and then ends every subscription; no
//     goroutine is left (TestStopDeliversWhatWasPublished).
//   - A quiet bus keeps no event alive (TestQuietBusKeepsNoEventAlive).
//
// # Caveats
//
// The queue in front of the dispatcher is unbounded: there is no back-pressure on
// publishers, and a publisher that is faster than the dispatcher for ever fills the
// memory. So does a stuck subscriber whose queue is not [Bounded], which is the
// default. Data is shared between subscribers and must not be changed. Events are
// lost with the process; this is no message queue.
package eventbus
