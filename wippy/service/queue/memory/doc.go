// SPDX-License-Identifier: Apache-2.0

// Package memory is the queue driver that needs no broker: queues in memory, kept on disk
// as well when the driver has a path.
//
// # Guarantees
//
//   - Order: a queue hands out messages in the order they were accepted; those of one
//     publisher are accepted in the order it published them (TestOrder). A message that
//     failed comes again behind what is waiting by then; one that was taken and never
//     handled comes first (TestRetryGoesToTheEnd, TestReturnGoesToTheFront).
//   - Order per key: messages with the same header partition_key are handed out one at a
//     time, each when the one before it is done, and a failed one again before those that
//     follow it; other messages do not wait for them (TestPartitionsComeOneAtATime).
//   - Bounds: publishers wait while a queue holds as much as it may, and are let in in the
//     order they came. What comes back is always taken, and so are dead letters
//     (TestFullQueueMakesPublishersWait).
//   - The model (TestLineModel): nothing is lost, nothing comes twice that is done.
//
// With a path, a message that Publish has accepted is on disk, and so is the end of one
// for which Ack has returned. When the program is killed, messages that were not done come
// again, in their order and with the number of attempts that had failed; those that were
// being handled as well. The ends of messages that functions do not settle themselves are
// written shortly afterwards, in order: after a kill such a message may come again, but
// not without those of its key that follow it (TestKilledQueueLosesNothing). A message that
// failed and waits for its time waits for the rest of it, by the clock of the machine, when
// the program starts again (TestDelaysOutliveTheProgram, TestDelaysOutliveAKill).
//
// # Costs
//
// Without a path publishing and taking a message cost a short lock each. With one, all
// that happens while a transaction is written goes into the next: many publishers share
// one write to the disk, a single one waits for one per message.
package memory
