// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"errors"
	"fmt"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/internal/suggest"
)

// Error is a failure of a stage or of a whole pipeline.
type Error struct {
	kind    string
	stage   string // of the failure of a stage as a whole
	msg     string
	cause   error
	details map[string]any
}

// Error returns the message and the cause.
func (e *Error) Error() string {
	if e.cause == nil {
		return e.msg
	}
	return e.msg + ": " + e.cause.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Kind returns the kind of the error, such as "Invalid".
func (e *Error) Kind() string { return e.kind }

// Retryable returns false: the same input fails again.
func (e *Error) Retryable() (retryable, known bool) { return false, true }

// Details returns further facts, or nil.
func (e *Error) Details() map[string]any { return e.details }

func invalidf(format string, args ...any) *Error {
	return &Error{kind: "Invalid", msg: fmt.Sprintf(format, args...)}
}

func notFoundf(format string, args ...any) *Error {
	return &Error{kind: "NotFound", msg: fmt.Sprintf(format, args...)}
}

// KeyError is what is wrong with one key of a configuration.
type KeyError struct {
	Key string
	// Position is "file:line:col", or "".
	Position string
	Err      error
	// Hint tells what could be done about it, or is "".
	Hint    string
	invalid bool
}

// Error returns "position: key: cause (hint)".
func (e *KeyError) Error() string {
	s := e.Key + ": " + e.Err.Error()
	if e.invalid {
		s = "invalid key " + s
	}
	if e.Position != "" {
		s = e.Position + ": " + s
	}
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// Unwrap returns the cause.
func (e *KeyError) Unwrap() error { return e.Err }

// kindOf returns the kind all errors share, else "Invalid".
func kindOf(errs []error) string {
	kind := ""
	for _, err := range errs {
		var k interface{ Kind() string }
		if !errors.As(err, &k) || (kind != "" && kind != k.Kind()) {
			return "Invalid"
		}
		kind = k.Kind()
	}
	return kind
}

// maxHints is how many guesses a stage makes: one takes some ten milliseconds among
// 10 000 entries, and whoever made a hundred mistakes made the same one a hundred times.
const maxHints = 20

// hints guesses what was meant, up to maxHints times.
type hints struct{ made int }

// id guesses which entry was meant by an ID that does not exist.
func (h *hints) id(id registry.ID, entries []registry.Entry) string {
	return h.text(id.String(), func(yield func(string) bool) {
		for _, e := range entries {
			if !yield(e.ID.String()) {
				return
			}
		}
	})
}

func (h *hints) text(text string, known func(yield func(string) bool)) string {
	if h.made++; h.made > maxHints {
		return ""
	}
	return suggest.Hint(text, known)
}
