// SPDX-License-Identifier: Apache-2.0

package queue

import (
	"context"
	"sync/atomic"

	"github.com/wippyrun/kit/appctx"
)

// Current is where the frame of a function that handles a message has it, and the frames
// of the functions it calls; not those of the processes it starts.
var Current = appctx.NewFrameKey[*Delivery]("queue.delivery", appctx.Inherit())

// Propagate keeps a delivery out of processes: they may outlive it.
func (d *Delivery) Propagate() (*Delivery, bool) { return nil, false }

// Delivery is a message on its way to a function. It is settled once; the function is the
// first who may do that. All methods may be called concurrently.
type Delivery struct {
	Message *Message
	Attempt int // from 1

	settler Settler
	fail    func(ctx context.Context, d *Delivery, reason string, more ...any) error // set by the consumer
	settled atomic.Bool
	ended   atomic.Bool // the function has returned
}

// NewDelivery is for drivers.
func NewDelivery(m *Message, attempt int, s Settler) *Delivery {
	return &Delivery{Message: m, Attempt: attempt, settler: s}
}

// Settler returns what the driver made the delivery with. Whoever uses it settles past the
// consumer: it is for those that take messages from a driver themselves.
func (d *Delivery) Settler() Settler { return d.settler }

// Instant tells whether settling the delivery does not wait.
func (d *Delivery) Instant() bool {
	_, ok := d.settler.(Instant)
	return ok
}

// Released returns ErrReleased once the function that got the message has returned.
func (d *Delivery) Released() error {
	if d.ended.Load() {
		return ErrReleased
	}
	return nil
}

// Headers returns the headers as the function sees them. The map must not be changed.
func (d *Delivery) Headers() map[string]any {
	if d.Attempt < 2 {
		return d.Message.Headers
	}
	return withHeaders(d.Message.Headers, map[string]any{HeaderAttempts: int64(d.Attempt)})
}

// Header returns one of them, nil when there is none.
func (d *Delivery) Header(name string) any {
	if name == HeaderAttempts && d.Attempt > 1 {
		return int64(d.Attempt)
	}
	return d.Message.Headers[name]
}

// take makes the caller the one who settles.
func (d *Delivery) take() bool { return d.settled.CompareAndSwap(false, true) }

// Ack settles the message as done, on behalf of the function.
func (d *Delivery) Ack(ctx context.Context) error {
	if err := d.claim(); err != nil {
		return err
	}
	ctx, cancel := d.settling(ctx)
	defer cancel()
	return d.settler.Ack(ctx)
}

// settling is the context in which the delivery is settled: it does not end with the
// program that asked for it, but it ends.
func (d *Delivery) settling(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx = context.WithoutCancel(ctx)
	if d.Instant() {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, settleTime)
}

// Nack settles it as failed.
func (d *Delivery) Nack(ctx context.Context) error {
	if err := d.claim(); err != nil {
		return err
	}
	return d.fail(ctx, d, "rejected")
}

func (d *Delivery) claim() error {
	if err := d.Released(); err != nil {
		return err
	}
	if !d.take() {
		return ErrSettled
	}
	return nil
}

func withHeaders(headers, more map[string]any) map[string]any {
	all := make(map[string]any, len(headers)+len(more))
	for _, m := range []map[string]any{headers, more} {
		for k, v := range m {
			all[k] = v
		}
	}
	return all
}
