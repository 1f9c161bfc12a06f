// SPDX-License-Identifier: Apache-2.0

// Package mailbox is a worker pool for messages that must be handled in order per
// sender and in parallel otherwise, with a bound on what is waiting.
//
// # Basics
//
// A [Mailbox] has a fixed number of shards. A shard is a bounded queue and one
// worker. The sender's name, hashed with FNV-1a, chooses the shard:
//
//	m := mailbox.New(func(msg Order) { ... }, mailbox.Options{Workers: 4})
//	err := m.Send(ctx, order.Customer, order) // waits while the shard is full
//	...
//	err = m.Close(ctx) // handles what was accepted, then ends the workers
//
// # Guarantees
//
//   - Messages that one goroutine sends under one name are handled in that order
//     and one at a time (TestMessagesOfOneSenderAreHandledInOrder,
//     TestMessagesOfOneSenderAreHandledOneAtATime).
//   - A message that was accepted is handled once, or discarded once if Close gave
//     up; one that was refused is neither (TestNothingIsLostOrReordered, a property
//     test, TestConcurrentCancellationLosesNoMessage).
//   - No shard holds more than Capacity messages, those being handled included;
//     Send waits for room and is served in turn, TrySend never overtakes
//     (TestSendWaitsForRoomInTurn, TestTrySendDoesNotOvertakeWaitingSenders).
//   - Close handles what was accepted before it; senders that wait for room are told
//     that the mailbox is closed (TestCloseDrains).
//   - A panic of the handler, or a runtime.Goexit, costs one message, not the shard
//     (TestPanicDoesNotEndTheShard, TestGoexitDoesNotEndTheShard); nor does a panic of
//     a hook (TestPanicOfOnPanicDoesNotEndTheShard, TestPanicOfOnDiscardIsReported).
//   - A worker never sleeps while its queue holds a message
//     (TestConcurrentSendersNeverWaitForASleepingWorker; why is written down at the
//     state it concerns).
//   - What every call returns, what is handled in which order, and all counters are
//     those of a model, whatever the order of events (TestMailboxAgreesWithItsModel,
//     a property test).
//   - Sending and handling allocate nothing (TestSendDoesNotAllocate), and a handled
//     message is not kept alive (TestHandledMessagesAreNotKeptAlive).
//
// # Caveats
//
// Senders that share a shard wait for each other: a handler that blocks for one
// blocks for all of them. Room is given back once per batch ([Options.Batch]). The
// workers run until Close. A handler that uses Send on its own mailbox can wait for
// itself.
//
// # Cost
//
// A message takes about 30 ns from send to handled (BenchmarkSendHandled): the hash, one
// lock and unlock, one copy into the queue. An idle worker costs a goroutine and no
// processor time. A shard takes Capacity slots of memory with its first message.
package mailbox
