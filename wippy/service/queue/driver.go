// SPDX-License-Identifier: Apache-2.0

package queue

import (
	"context"
	"time"

	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// Spec is what an entry says of a queue.
type Spec struct {
	ID         string         // of the entry
	Name       string         // at the broker
	Codec      payload.Format // of bodies, where they have to be encoded
	Driver     string         // id of its driver
	Options    any            // what the driver's QueueOptions has read
	DeadLetter DeadLetter
}

// DeadLetter says when messages of a queue are given up, and where they go.
type DeadLetter struct {
	Queue       string // id; "" for none
	Name        string // of that queue at the broker, when it has the same driver
	MaxAttempts int    // 0: not said
}

// Driver keeps the messages of some queues. It is a service; queues are declared before it
// starts, and more while it runs. All methods but those of the service may be called
// concurrently.
type Driver interface {
	supervisor.Service
	// Name is the key of the driver's part of driver_options.
	Name() string
	// QueueOptions and ConsumerOptions read that part. Problems go to the reader.
	QueueOptions(r *fields.Reader) any
	ConsumerOptions(r *fields.Reader) any
	// Declare makes a queue exist. Declaring it again keeps its messages.
	Declare(ctx context.Context, s Spec) error
	// Remove forgets a queue, with its messages where they are the driver's own.
	Remove(ctx context.Context, id string) error
	// Publish accepts a message. It waits while the queue is full, until ctx ends.
	Publish(ctx context.Context, id string, m *Message) error
	// Consume begins to take messages.
	Consume(ctx context.Context, id string, o ConsumeOptions) (Subscription, error)
	// Info says how a queue is doing.
	Info(ctx context.Context, id string) (Info, error)
}

// Immediate is implemented by drivers that mostly need not wait.
type Immediate interface {
	Driver
	// TryPublish accepts a message if it can without waiting.
	TryPublish(id string, m *Message) (accepted bool, err error)
	// InfoNow is Info without waiting.
	InfoNow(id string) (Info, error)
}

// ConsumeOptions say how a consumer takes messages.
type ConsumeOptions struct {
	Prefetch int // most messages taken and not settled, 0 when the entry does not say
	Workers  int // how many are handled at once
	AutoAck  bool
	Options  any // what the driver's ConsumerOptions has read
}

// Subscription is a consumer at its queue. Its methods may be called concurrently.
type Subscription interface {
	// Receive waits for the next message, until ctx ends or the subscription has; then the
	// error says why.
	Receive(ctx context.Context) (*Delivery, error)
	// Close gives back what was taken and not received. What was received can still be
	// settled.
	Close() error
}

// Settler ends a delivery. One method is called, once.
type Settler interface {
	// Ack says that the message is done.
	Ack(ctx context.Context) error
	// Retry gives it back after a failed attempt. It comes again once delay has passed,
	// behind what is waiting then.
	Retry(ctx context.Context, delay time.Duration) error
	// Return gives it back as if it had not been delivered.
	Return(ctx context.Context) error
}

// Mover is a Settler that can put a message into another queue of its driver in the same
// step.
type Mover interface {
	Settler
	// Move publishes m to the queue with id to, which does not wait for room, and settles
	// the delivery. ok is false when it cannot: then nothing has happened.
	Move(ctx context.Context, to string, m *Message) (ok bool, err error)
}

// Lazy is a Settler that can end a delivery without anybody waiting for it.
type Lazy interface {
	Settler
	// AckLater says that the message is done. report hears whether that was written; until
	// then the message may come again when the program is killed.
	AckLater(report func(err error))
}

// Instant is a Settler whose methods do not wait. Instant does nothing.
type Instant interface {
	Settler
	Instant()
}

// Info is how a queue is doing. A number a driver does not know is -1.
type Info struct {
	Messages  int // waiting
	Ready     int // those a consumer could have now or as soon as it is their turn
	Consumers int
	InFlight  int // taken and not settled
}
