// SPDX-License-Identifier: Apache-2.0

// Package dispatch routes the commands that processes yield to the handlers
// that carry them out.
//
// # Basics
//
// A process asks for asynchronous work by yielding a [Command] together with a
// [Tag]. The worker that ran the process looks the command's id up in a
// [Registry] and calls the [Handler] it finds. The handler starts the work and
// reports the outcome later, from any goroutine, through the [Receiver] it was
// given.
//
// Handlers are registered while a program boots; then [Registry.Freeze] makes
// the table immutable. From there on a look-up is a plain array access for ids
// below 256 and a map read above, with no lock.
//
// # Guarantees
//
//   - Two handlers never share an id: the second registration panics and names
//     both owners (TestRegisterPanicsOnCollisionNamingBothOwners).
//   - A frozen registry never changes (TestRegisterPanicsAfterFreeze).
//   - A look-up in a frozen registry takes no lock and allocates nothing
//     (TestLookupDoesNotAllocate).
package dispatch

import "context"

// CommandID identifies a kind of command. Ids below 256 are looked up in an
// array and are meant for the system's own commands; the others are looked up
// in a map.
type CommandID uint16

// Tag identifies one yield of one process. The process chooses it; it must be
// unique among the yields of that process that are still open.
type Tag uint64

// Command is a request of a process for asynchronous work.
type Command interface {
	// CommandID returns the id under which the handler is registered. It must
	// return the same value every time.
	CommandID() CommandID
}

// Receiver accepts the outcome of a command.
type Receiver interface {
	// CompleteYield reports the outcome of the yield with the given tag. It may
	// be called from any goroutine, also before Handle has returned; it never
	// blocks. A handler calls it exactly once per yield it accepted; an outcome
	// that comes after the process ended is dropped and counted.
	CompleteYield(tag Tag, data any, err error)
}

// Handler carries out commands.
type Handler interface {
	// Handle starts the work for cmd. It is called on a scheduler worker and
	// must not block: work that takes long runs elsewhere. ctx is the context
	// of the process and ends when the process ends; a command that is a
	// [Canceler] hears of that more cheaply. A non-nil error completes the yield
	// with that error; the handler must then not call r.
	Handle(ctx context.Context, cmd Command, tag Tag, r Receiver) error
}

// Canceler is implemented by commands that hold something while they are open,
// such as a timer, a query on a server or a call to another process.
//
// Cancel tells that nobody waits for the outcome any more, because the process
// has ended or was replaced by its successor. It is called once at most, and only
// after Handle has accepted the command by returning nil; the handler need not
// complete the yield any more. It may coincide with the completion, or come shortly
// after it, and then must do nothing. It is called on a scheduler worker and must
// not block.
//
// Commands that need no such thing can watch the context given to Handle, or
// ignore the end of the process: an outcome that comes too late is dropped.
type Canceler interface {
	Cancel()
}

// HandlerFunc makes a function a [Handler].
type HandlerFunc func(ctx context.Context, cmd Command, tag Tag, r Receiver) error

// Handle calls f.
func (f HandlerFunc) Handle(ctx context.Context, cmd Command, tag Tag, r Receiver) error {
	return f(ctx, cmd, tag, r)
}
