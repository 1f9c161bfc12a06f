// SPDX-License-Identifier: Apache-2.0

// Package queue carries messages from programs to functions: queues and their consumers
// are entries, drivers keep the messages.
//
// # Basics
//
// [Queues] knows the queues of the application. A message that is published goes to the
// driver of its queue. A consumer takes messages from a queue, calls a function with the
// body of each, and settles it: a message is done when the function returned, and comes
// again when it failed or returned false, later each time. One that has failed as often as
// it may goes to the dead-letter queue.
//
// # Guarantees
//
//   - At least once: a message that was accepted is handed to a function until one attempt
//     succeeds or the attempts are used up, as long as its driver keeps it. A driver that
//     keeps messages on disk or at a broker keeps them when this program is killed
//     (wippy/service/queue/memory: TestKilledQueueLosesNothing).
//   - A message is settled once, by whoever comes first (TestSettledOnce).
//   - A consumer that stops takes no more messages, lets running functions finish while
//     there is time, then cancels them; a message whose function was cancelled comes again
//     and no attempt is counted (TestStopDrains, TestStopCancelsWhatTakesTooLong).
//   - A message that has used up its attempts is never dropped without a trace: without a
//     dead-letter queue it is logged (TestAttemptsWithoutDeadLetterQueue).
//
// Messages may come more than once, so functions have to tolerate it.
package queue
