// SPDX-License-Identifier: Apache-2.0

package schedulertest

import (
	"context"
	"slices"
	"sync"

	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/dispatch"
)

// Func is a process made of its Step.
type Func func(events []scheduler.Event, out *scheduler.Output) error

// Init does nothing.
func (f Func) Init(context.Context, string, any) error { return nil }

// Step calls f.
func (f Func) Step(events []scheduler.Event, out *scheduler.Output) error { return f(events, out) }

// Close does nothing.
func (f Func) Close() {}

// Recorder is a process that remembers what it is given. Its methods may be
// called concurrently.
type Recorder struct {
	mu     sync.Mutex // guards the fields below
	events []scheduler.Event
	closed int
}

// Init does nothing.
func (p *Recorder) Init(context.Context, string, any) error { return nil }

// Step records the events and waits for more.
func (p *Recorder) Step(events []scheduler.Event, _ *scheduler.Output) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events = append(p.events, events...)
	return nil
}

// Close counts.
func (p *Recorder) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed++
}

// Events returns the events so far.
func (p *Recorder) Events() []scheduler.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.events)
}

// Closed returns how often Close was called.
func (p *Recorder) Closed() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// Held is a command handler that keeps every yield open until the test completes
// it. The zero value is ready for use; its methods may be called concurrently.
type Held struct {
	mu    sync.Mutex // guards queue
	queue []HeldYield
}

// HeldYield is an open yield: what Handle was given.
type HeldYield struct {
	// Context is the context of the process.
	Context context.Context
	// Command is what was yielded.
	Command dispatch.Command
	// Tag identifies the yield.
	Tag dispatch.Tag
	// Receiver takes the outcome.
	Receiver dispatch.Receiver
}

// Complete gives the yield its outcome.
func (y HeldYield) Complete(data any, err error) { y.Receiver.CompleteYield(y.Tag, data, err) }

// Handle implements [dispatch.Handler].
func (h *Held) Handle(ctx context.Context, cmd dispatch.Command, tag dispatch.Tag, r dispatch.Receiver) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.queue = append(h.queue, HeldYield{Context: ctx, Command: cmd, Tag: tag, Receiver: r})
	return nil
}

// Len returns the number of open yields.
func (h *Held) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.queue)
}

// Take removes and returns the i-th oldest open yield.
func (h *Held) Take(i int) HeldYield {
	h.mu.Lock()
	defer h.mu.Unlock()
	y := h.queue[i]
	h.queue = slices.Delete(h.queue, i, i+1)
	return y
}

// Command is a command that is nothing but its id.
type Command dispatch.CommandID

// CommandID implements [dispatch.Command].
func (c Command) CommandID() dispatch.CommandID { return dispatch.CommandID(c) }
