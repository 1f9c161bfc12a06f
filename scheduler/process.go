// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"

	"github.com/wippyrun/kit/scheduler/dispatch"
)

// Process is a state machine that the scheduler drives.
//
// The methods of one process never run concurrently with each other, and what
// one call wrote the next one sees, whichever worker it runs on.
type Process interface {
	// Init prepares the process. It runs on the goroutine that calls Submit.
	// ctx ends with the process and is cancelled by Terminate; checking
	// ctx.Err() costs one atomic load, so a long Step should do it now and then.
	Init(ctx context.Context, method string, input any) error

	// Step handles the events that arrived, in order, and says through out what
	// happens next. The first call and a call after out.Continue may come
	// without events. The slice is valid only during the call. A non-nil error
	// ends the process with that error.
	//
	// Step must not block: work that waits is yielded as a command. A Step that
	// runs for long delays nobody else, but costs a spare worker.
	Step(events []Event, out *Output) error

	// Close releases what the process holds. It is called exactly once for
	// every process whose Init returned nil, after its last Step.
	Close()
}

// EventKind says what an [Event] is.
type EventKind uint8

const (
	// YieldComplete is the outcome of a yield: Tag, Data and Err are set.
	YieldComplete EventKind = iota + 1
	// MessageEvent is a message given to Send: Data is set.
	MessageEvent

	// wakeEvent makes a process ready without an event for Step.
	wakeEvent
)

// String returns the name of the kind.
func (k EventKind) String() string {
	switch k {
	case YieldComplete:
		return "yield-complete"
	case MessageEvent:
		return "message"
	default:
		return "invalid"
	}
}

// Event is something that happened to a process.
type Event struct {
	Data any
	Err  error
	Tag  dispatch.Tag
	Kind EventKind

	gen uint32 // of completions: the incarnation of the process they are for
}

// Yield is one command a Step asked for.
type Yield struct {
	Command dispatch.Command
	Tag     dispatch.Tag
}

// Status is what a Step asked to happen next.
type Status uint8

const (
	// StatusWait runs the process again when an event arrives.
	StatusWait Status = iota
	// StatusContinue runs the process again after the others that are ready.
	StatusContinue
	// StatusDone ends the process.
	StatusDone
	// StatusUpgrade replaces the process by another one.
	StatusUpgrade
)

// Output collects what a Step asks for. It belongs to the Step call it was
// given to: it must not be kept, nor used from another goroutine. The zero
// value is ready for use, so that a Step can be tested without a scheduler.
type Output struct {
	worker  *worker // the worker running the Step, nil outside a scheduler
	ref     *Ref
	yields  []Yield
	status  Status
	result  any
	next    upgrade
	scratch any // see Scratch
}

type upgrade struct {
	create func(ctx context.Context) (Process, error)
	method string
	input  any
}

// Yield asks for cmd to be carried out. Its outcome arrives as a YieldComplete
// event with the same tag. A process may have any number of open yields.
func (o *Output) Yield(cmd dispatch.Command, tag dispatch.Tag) {
	o.yields = append(o.yields, Yield{Command: cmd, Tag: tag})
}

// Continue asks for another Step even when no event arrives.
func (o *Output) Continue() { o.status = StatusContinue }

// Done ends the process with the given result after this Step.
func (o *Output) Done(result any) {
	o.status = StatusDone
	o.result = result
}

// Upgrade replaces the process after this Step by the one that create returns,
// which is then initialised with method and input. The Ref, its queued messages
// and its counters stay; outcomes of yields of the replaced process are
// dropped. The new process starts with a Step without events. When create or
// Init fails the process ends with an error that begins with "upgrade: ".
func (o *Output) Upgrade(create func(ctx context.Context) (Process, error), method string, input any) {
	o.status = StatusUpgrade
	o.next = upgrade{create: create, method: method, input: input}
}

// Send is [Ref.Send] for use inside a Step: it is cheaper than the plain form
// and makes the target run next on the worker that runs the sender, while the
// message is still in its cache.
func (o *Output) Send(to *Ref, msg any) error { return to.SendFrom(o, msg) }

// Scratch returns a place that the Steps on one worker share, one after the other: for
// buffers that are too dear to be made each time. What a Step finds there was left by any
// process, and a later Step may run on another worker, whose place is another one. Reset
// leaves it alone.
func (o *Output) Scratch() *any { return &o.scratch }

// Ref returns the process the Step belongs to, nil outside a scheduler.
func (o *Output) Ref() *Ref { return o.ref }

// Yields returns what was yielded so far. The slice is valid only as long as
// the Output.
func (o *Output) Yields() []Yield { return o.yields }

// Status returns what was asked to happen next.
func (o *Output) Status() Status { return o.status }

// Result returns the value given to Done.
func (o *Output) Result() any { return o.result }

// Reset makes the Output empty again. Only code that calls Step itself needs it.
func (o *Output) Reset() {
	clear(o.yields)
	o.yields = o.yields[:0]
	o.status = StatusWait
	o.result = nil
	if o.next.create != nil {
		o.next = upgrade{}
	}
}
