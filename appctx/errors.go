// SPDX-License-Identifier: Apache-2.0

package appctx

import (
	"errors"
	"fmt"
)

// Errors of FrameKey.Set and Frame.SetAll.
var (
	// ErrFrameSealed says that the frame is read-only: it was sealed, forked or
	// released.
	ErrFrameSealed error = invalid("frame is sealed")
	// ErrZeroKey says that a key was not made with NewFrameKey.
	ErrZeroKey error = invalid("frame key was not made with NewFrameKey")
)

// invalid is a sentinel error of kind Invalid.
type invalid string

// Error returns the text.
func (e invalid) Error() string { return string(e) }

// Kind returns "Invalid".
func (e invalid) Kind() string { return "Invalid" }

// Retryable reports that trying again cannot help.
func (e invalid) Retryable() (retryable, known bool) { return false, true }

// FrameError is a failed operation on one key of a [Frame].
type FrameError struct {
	Op  string // the operation: "set"
	Key string // the key's name; empty for the zero key
	Err error  // the cause: ErrFrameSealed or ErrZeroKey

	_ struct{}
}

// Error returns the text of the error with the key's name.
func (e *FrameError) Error() string {
	if errors.Is(e.Err, ErrFrameSealed) {
		return "cannot " + e.Op + " key in sealed frame: " + e.Key
	}
	return "cannot " + e.Op + " key: " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *FrameError) Unwrap() error { return e.Err }

// Kind returns "Invalid".
func (e *FrameError) Kind() string { return "Invalid" }

// Retryable reports that trying again cannot help.
func (e *FrameError) Retryable() (retryable, known bool) { return false, true }

// PanicError is the panic of the Close of a frame value, contained by Frame.Release.
type PanicError struct {
	Key   string // the key's name
	Value any    // the argument of panic
	Stack []byte // the stack of the goroutine that panicked

	_ struct{}
}

// Error returns the key's name and the panic value; the stack is in the Stack field.
func (e *PanicError) Error() string {
	return fmt.Sprintf("appctx: panic while closing %s: %v", e.Key, e.Value)
}

// Unwrap returns the panic value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Kind returns "Internal".
func (e *PanicError) Kind() string { return "Internal" }

// Retryable reports that trying again cannot help.
func (e *PanicError) Retryable() (retryable, known bool) { return false, true }
