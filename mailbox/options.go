// SPDX-License-Identifier: Apache-2.0

package mailbox

import (
	"fmt"
	"log/slog"
)

// Defaults of [Options].
const (
	// DefaultWorkers is the number of shards when Options.Workers is 0.
	DefaultWorkers = 16
	// DefaultCapacity is the room per shard when Options.Capacity is 0.
	DefaultCapacity = 1024
	// DefaultBatch is the limit of a batch when Options.Batch is 0. Anything from 8 to
	// 128 is within a tenth in BenchmarkSendHandled; the smaller it is, the sooner
	// waiting senders get room.
	DefaultBatch = 16
)

// Options configures a [Mailbox]. The zero value is the default.
type Options struct {
	// Workers is the number of shards, each with one worker goroutine and one queue:
	// how many senders can be served at the same time. Default DefaultWorkers. More
	// workers cost Capacity slots each.
	Workers int

	// Capacity is the number of messages that one shard holds, those of the batch
	// being handled included. Default DefaultCapacity. The memory, of one T per slot,
	// is taken when the shard receives its first message.
	Capacity int

	// Batch is the number of messages that a worker takes out of its queue at once.
	// Default DefaultBatch, at most a quarter of Capacity. A larger batch costs a
	// little less per message; senders that wait for room wait until a batch is done.
	// With a handler that takes long, 1 costs nothing and gives room after each message.
	Batch int

	// OnPanic is told about a panic of the handler. The default logs through
	// log/slog; so is a panic of OnPanic itself. It runs on the worker: the shard
	// waits for it.
	OnPanic func(PanicReport)

	// OnDiscard is given every message that was accepted but will not be handled,
	// because the context of Close ended first. Default: they are forgotten. It runs
	// on the worker. Its panic is reported like one of the handler.
	OnDiscard func(message any)

	_ struct{}
}

// PanicReport describes a panic of the handler.
type PanicReport struct {
	Shard   int    // the shard whose worker ran the handler
	Message any    // the message being handled
	Value   any    // the argument of panic
	Stack   []byte // the stack of the goroutine that panicked

	_ struct{}
}

// withDefaults fills in the defaults and clamps what makes no sense.
func (o Options) withDefaults() Options {
	if o.Workers <= 0 {
		o.Workers = DefaultWorkers
	}
	if o.Capacity <= 0 {
		o.Capacity = DefaultCapacity
	}
	if o.Batch <= 0 {
		o.Batch = DefaultBatch
	}
	o.Batch = max(min(o.Batch, o.Capacity/4), 1)
	if o.OnPanic == nil {
		o.OnPanic = logPanic
	}
	return o
}

func logPanic(r PanicReport) {
	slog.Error("panic in mailbox handler", "shard", r.Shard, "panic", fmt.Sprint(r.Value), "stack", string(r.Stack))
}
