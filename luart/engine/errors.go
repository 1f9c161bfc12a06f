// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"errors"
	"maps"
	"strings"
)

// The kinds of errors, as programs see them. The set is open: a program may make
// errors of other kinds.
const (
	// KindUnknown is the kind of an error that says nothing about itself.
	KindUnknown = ""
	// KindInvalid says that an argument or a definition is wrong.
	KindInvalid = "Invalid"
	// KindNotFound says that what was named does not exist.
	KindNotFound = "NotFound"
	// KindAlreadyExists says that the name is taken.
	KindAlreadyExists = "AlreadyExists"
	// KindPermissionDenied says that the caller may not do that.
	KindPermissionDenied = "PermissionDenied"
	// KindUnavailable says that the other side cannot answer now.
	KindUnavailable = "Unavailable"
	// KindInternal says that something failed that should not, a raised string
	// among others.
	KindInternal = "Internal"
	// KindCanceled says that the caller gave up.
	KindCanceled = "Canceled"
	// KindConflict says that the state changed, or that two things contradict.
	KindConflict = "Conflict"
	// KindTimeout says that it took too long.
	KindTimeout = "Timeout"
	// KindRateLimited says that there were too many calls.
	KindRateLimited = "RateLimited"
	// KindLimitExceeded says that a limit on size, depth or number was reached.
	KindLimitExceeded = "LimitExceeded"
	// KindInvalidState says that the object cannot do that now.
	KindInvalidState = "InvalidState"
)

// StackFrame is one call of a Lua stack, innermost first in a slice of them.
type StackFrame struct {
	// Source is the id of the source, Line the line being executed, 0 when
	// unknown.
	Source string
	Line   int
	// Name is the name the function was called by, "" when it had none.
	Name string
	// What is "Lua", "Go" or "main".
	What string
}

// Error is the error object of Lua programs and the error a failed process ends
// with. It is immutable: methods that change it return a copy. It may be shared
// between processes and goroutines.
type Error struct {
	kind      string
	message   string
	retryable tristate
	details   map[string]any
	cause     error
	contexts  []string
	frames    []StackFrame
	goStack   string
	hint      string
}

type tristate uint8

const (
	unspecified tristate = iota
	no
	yes
)

func tristateOf(value, known bool) tristate {
	switch {
	case !known:
		return unspecified
	case value:
		return yes
	}
	return no
}

// NewError makes an error of a kind, not retryable. It is what modules return:
//
//	return engine.PushError(L, engine.NewError(engine.KindInvalid, "empty key"))
func NewError(kind, message string) *Error {
	return &Error{kind: kind, message: message, retryable: no}
}

// WrapError turns any error into an Error that keeps the kind, the retry flag and
// the details the error carries, and has it as its cause. An *Error is returned
// as it is. It returns nil for nil.
func WrapError(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := err.(*Error); ok {
		return e
	}
	e := &Error{message: err.Error(), cause: err}
	if k, ok := errors.AsType[interface {
		error
		Kind() string
	}](err); ok {
		e.kind = k.Kind()
	}
	if r, ok := errors.AsType[interface {
		error
		Retryable() (retryable, known bool)
	}](err); ok {
		e.retryable = tristateOf(r.Retryable())
	}
	if d, ok := errors.AsType[interface {
		error
		Details() map[string]any
	}](err); ok {
		e.details = d.Details()
	}
	if f, ok := errors.AsType[*Error](err); ok {
		e.frames, e.contexts, e.goStack, e.hint = f.frames, f.contexts, f.goStack, f.hint
	}
	return e
}

// With returns a copy with a detail added.
func (e *Error) With(key string, value any) *Error {
	c := *e
	c.details = maps.Clone(e.details)
	if c.details == nil {
		c.details = make(map[string]any, 1)
	}
	c.details[key] = value
	return &c
}

// WithRetryable returns a copy that says whether trying again may help.
func (e *Error) WithRetryable(retryable bool) *Error {
	c := *e
	c.retryable = tristateOf(retryable, true)
	return &c
}

// WithCause returns a copy that wraps a Go error; the message stays.
func (e *Error) WithCause(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// Kind returns the kind, "" when it is unknown.
func (e *Error) Kind() string { return e.kind }

// Message returns the text without traceback, the same as Error.
func (e *Error) Message() string { return e.message }

// Error returns the message.
func (e *Error) Error() string { return e.message }

// Retryable reports whether trying again may help, and whether that is known.
func (e *Error) Retryable() (retryable, known bool) {
	return e.retryable == yes, e.retryable != unspecified
}

// Details returns the details, nil when there are none. They must not be
// changed.
func (e *Error) Details() map[string]any { return e.details }

// Frames returns the Lua stack where the error came to be, innermost call first.
func (e *Error) Frames() []StackFrame { return e.frames }

// GoStack returns the stack of the Go panic that caused the error, "" when there
// was none.
func (e *Error) GoStack() string { return e.goStack }

// Hint says what may help, such as the name that was probably meant, "" when that
// is not known.
func (e *Error) Hint() string { return e.hint }

// WithHint returns a copy that says what may help.
func (e *Error) WithHint(hint string) *Error {
	c := *e
	c.hint = hint
	return &c
}

// Unwrap returns the Go error behind e.
func (e *Error) Unwrap() error { return e.cause }

// Stack returns the message, the contexts added by errors.wrap, innermost first,
// the hint and the Lua traceback.
func (e *Error) Stack() string {
	var b strings.Builder
	b.WriteString(e.message)
	for _, c := range e.contexts {
		b.WriteString("\n\t")
		b.WriteString(c)
	}
	if e.hint != "" {
		b.WriteString("\n  hint: ")
		b.WriteString(e.hint)
	}
	if len(e.frames) > 0 {
		b.WriteByte('\n')
		writeTraceback(&b, e.frames)
	}
	return b.String()
}

// withFrames returns e when it has a stack, else a copy with the given one.
func (e *Error) withFrames(frames []StackFrame) *Error {
	if len(e.frames) > 0 || len(frames) == 0 {
		return e
	}
	c := *e
	c.frames = frames
	return &c
}

// textError is the error of a plain Lua string that was raised. Whether trying
// again helps is not known: a supervisor may restart what failed with it.
func textError(message string) *Error {
	return &Error{kind: KindInternal, message: message}
}
