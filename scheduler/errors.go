// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"runtime/debug"

	"github.com/wippyrun/kit/scheduler/dispatch"
)

// Returned by [New].
var (
	// ErrWorkers means that Config.Workers or the argument of SetWorkers is negative.
	ErrWorkers error = &kindError{kind: "Invalid", text: "workers must be greater than 0"}
	// ErrQueueSize means that Config.QueueSize is negative.
	ErrQueueSize error = &kindError{kind: "Invalid", text: "queue size must be greater than 0"}
	// ErrLocalQueueSize means that Config.LocalQueueSize is negative.
	ErrLocalQueueSize error = &kindError{kind: "Invalid", text: "local queue size must be greater than 0"}
)

// Returned by [Scheduler.Submit].
var (
	// ErrStopping means that Stop was called; no process is accepted any more.
	ErrStopping error = &kindError{kind: "InvalidState", text: "scheduler is stopping"}
	// ErrMaxProcesses means that Config.MaxProcesses processes are alive.
	ErrMaxProcesses error = &kindError{kind: "LimitExceeded", text: "max processes limit exceeded"}
)

// Returned by the methods of [Ref].
var (
	// ErrProcessClosed means that the process has ended and takes no more events.
	ErrProcessClosed error = &kindError{kind: "InvalidState", text: "process closed"}
	// ErrQueueFull means that Config.MaxQueue messages are waiting for the process.
	ErrQueueFull error = &kindError{kind: "LimitExceeded", text: "process queue is full"}
)

// Outcomes of processes.
var (
	// ErrTerminated is the outcome of a process that was ended by Terminate.
	ErrTerminated error = &kindError{kind: "Internal", text: "process terminated"}
)

// kindError is a sentinel that carries a kind for the error mapping of callers.
type kindError struct {
	kind, text string
}

func (e *kindError) Error() string { return e.text }

// Kind returns the error's kind.
func (e *kindError) Kind() string { return e.kind }

// unknownCommand is the outcome of a yield whose command has no handler.
type unknownCommand dispatch.CommandID

func (e unknownCommand) Error() string { return "unknown command" }

// Kind returns the error's kind.
func (e unknownCommand) Kind() string { return "NotFound" }

// Details returns the id of the command.
func (e unknownCommand) Details() map[string]any {
	return map[string]any{"command_id": int(e)}
}

// PanicError reports a panic that the scheduler contained.
type PanicError struct {
	// Op says what panicked: "init", "step", "handler", "cancel", "close" or "hook".
	Op string
	// Value is the value given to panic.
	Value any
	// Stack is the stack of the panicking goroutine, as text.
	Stack []byte
}

func newPanicError(op string, value any) *PanicError {
	return &PanicError{Op: op, Value: value, Stack: debug.Stack()}
}

// Error returns the operation and the panic value, without the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("panic in %s: %v", e.Op, e.Value) }

// Kind returns the error's kind, Internal.
func (e *PanicError) Kind() string { return "Internal" }

// Unwrap returns the panic value when it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
