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
// [Bus.Publish] appends to a queue and returns. One goroutine at a time is the dispatcher:
// it takes events out, finds the matching subscriptions in an index, and appends to the
// queue of each. Callbacks run on goroutines that are started when there is something to
// do and shared as long as no callback blocks. Events are stored once and shared: what
// goes into queues are spans of them, so the cost of a further subscriber does not depend
// on the size of events.
//
// [Bus.SubscribeChan] delivers to a channel, [Bounded] limits a queue, [Router] gives
// several handlers one life, [Waiter] does request and response over the bus, [Bus.Stats]
// and [WithMetrics] tell what goes on. Package eventbustest is the contract as a suite.
//
// # Guarantees
//
//   - A subscriber sees the matching events in publish order, one at a time, and two
//     subscribers see the same order (TestSubscriberSeesPublishOrder).
//   - It sees every event published after Subscribe returned and before it ended, but for
//     those its own policy drops, which are counted (TestBusAgreesWithItsModel,
//     TestBoundedQueueAgreesWithItsModel, TestConcurrentChurnLosesNothingUncounted).
//   - Publish never waits for a subscriber; a stuck one delays neither publishers nor
//     other subscribers (TestManyStuckSubscribersDelayNobody,
//     TestCallbacksMayWaitForEachOther) and with [Bounded] keeps a bounded amount of
//     memory (TestSubscriberStuckForEverKeepsWhatItsPolicySays).
//   - A pattern matches by definition (FuzzMatch, TestMatchFollowsTheDefinition), and so
//     does the index that stands for all of them (FuzzIndex,
//     TestIndexAgreesWithScanningUnderChurn).
//   - The cost of an event does not grow with the number of subscriptions that do not
//     match (BenchmarkPublishDeliveredAmong10000). It allocates nothing
//     (TestPublishDoesNotAllocate), not even when its topic is new
//     (TestFindingNewTopicsDoesNotAllocate), and topics without end do not grow the memory
//     (TestFloodOfTopicsDoesNotGrowMemory).
//   - A subscription ends with its context (TestSubscriptionEndsWithItsContext) and may be
//     closed from its callback, which then is the last (TestCloseFromCallback); after Done
//     there is none (TestConcurrentChurnLosesNothingUncounted).
//   - A panic in a callback, or a runtime.Goexit, costs one event and is reported with its
//     stack (TestPanicIsContained, TestGoexitInCallbackDoesNotEndTheSubscription); one in
//     a [Metrics] costs nothing else (TestPanicInMetricsIsContained).
//   - Stop delivers what was published before it (TestStopDeliversWhatWasPublished) and
//     waits for every callback, also of subscriptions that have ended
//     (TestStopWaitsForCallbacksOfClosedSubscriptions); no goroutine is left
//     (TestStopLeavesNoGoroutine). Afterwards subscribing gives [ErrClosed] and events are
//     dropped and counted (TestSubscribeRefusals, TestStatsAddUp).
//   - A quiet bus keeps neither events nor the room for them alive
//     (TestQuietBusKeepsNoEventAlive, TestIdleSubscriptionsKeepNoChunkAlive,
//     TestBurstLeavesNothingBehind).
//   - A reply reaches who waits for it, or the wait ends with an error
//     (TestConcurrentAwaitsGetTheirOwnReplies, TestConcurrentAwaitsAllEndWithTheBus).
//
// # Caveats
//
// The queue in front of the dispatcher is unbounded: there is no back-pressure on
// publishers, and a publisher that is faster than the dispatcher for ever fills the
// memory. So does a stuck subscriber whose queue is not [Bounded], which is the
// default. Data is shared between subscribers and must not be changed. Events are
// lost with the process; this is no message queue.
//
// Publish hands a sleeping bus over to Go's scheduler and goes on. A publisher that then
// computes instead of waiting for something keeps its processor, and the event waits until
// another one is free or awake.
//
// A bus that was used keeps up to two goroutines until it is stopped.
package eventbus
