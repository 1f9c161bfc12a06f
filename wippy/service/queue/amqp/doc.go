// SPDX-License-Identifier: Apache-2.0

// Package amqp is the queue driver for brokers that speak AMQP 0-9-1, such as RabbitMQ.
//
// # Guarantees
//
//   - A message that Publish has accepted was confirmed by the broker, which keeps it on
//     disk when the queue is durable (TestBrokerRestartedUnderLoad).
//   - When the connection is lost, the driver connects again, waiting longer each time,
//     declares its queues and takes messages again; publishing fails meanwhile, with an
//     error that says to try again (TestBrokerRestartedUnderLoad).
//   - A message whose attempt has failed stays with the driver for its delay, then it is
//     published again, with the number of the next attempt, and acknowledged: it may come
//     twice when the program ends between the two, and never not at all. What a driver
//     holds when it ends the broker hands out again (TestRetriesAndDeadLetters).
//   - A queue that exists at the broker with other arguments is used as it is
//     (TestQueueWithOtherArguments).
//
// With auto_ack the broker forgets messages when it sends them: each comes once at most.
//
// Dead letters are published to the dead-letter queue by the consumer that gives up; the
// broker is told of the same queue, so that messages that expire or do not fit go there
// too. Removing a queue leaves it at the broker when it holds messages.
package amqp
