// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Kinds of errors, as returned by [Error.Kind].
const (
	KindNotFound    = "NotFound"
	KindInvalid     = "Invalid"
	KindConflict    = "Conflict"
	KindTimeout     = "Timeout"
	KindCanceled    = "Canceled"
	KindUnavailable = "Unavailable"
	KindInternal    = "Internal"
)

// Sentinels for errors.Is. The errors returned carry more text than these.
var (
	// ErrNotFound is returned by Get for an ID that has no entry.
	ErrNotFound = &Error{kind: KindNotFound, msg: "entry not found"}
	// ErrVersionNotFound is returned for a version that history does not know.
	ErrVersionNotFound = &Error{kind: KindNotFound, msg: "version not found"}
	// ErrHistoryDisabled is returned by everything that needs past versions when the
	// registry keeps none.
	ErrHistoryDisabled = &Error{kind: KindUnavailable, msg: "version history not available: registry configured with history disabled (enable_history=false)"}
	// ErrRollbackDisabled is returned by ApplyVersion when the registry keeps no history.
	ErrRollbackDisabled = &Error{kind: KindUnavailable, msg: "version rollback not supported: registry configured with history disabled (enable_history=false)"}
	// ErrReentrant is returned by Apply, ApplyVersion and LoadState when they are
	// called by a listener with the context of the running transaction.
	ErrReentrant = &Error{kind: KindConflict, msg: "registry: change requested by a listener of the running transaction"}
	// ErrClosed is returned by changes after Close.
	ErrClosed = &Error{kind: KindUnavailable, msg: "registry: closed"}
)

// Error is an error with a kind. Two of them are the same for errors.Is when kind
// and message are equal; subject, details and cause do not count.
type Error struct {
	kind    string
	msg     string
	subject string
	cause   error
	details map[string]any
	retry   *bool
}

// Error returns the message, followed by the subject and the cause if there are any.
func (e *Error) Error() string {
	s := e.msg
	if e.subject != "" {
		s += ": " + e.subject
	}
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is reports equality of kind and message.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.kind == e.kind && t.msg == e.msg
}

// Kind returns one of the Kind constants.
func (e *Error) Kind() string { return e.kind }

// Retryable tells whether trying again may help; known is false when nobody said.
func (e *Error) Retryable() (retryable, known bool) {
	if e.retry == nil {
		return false, false
	}
	return *e.retry, true
}

// Details returns further facts, or nil. The map must not be changed.
func (e *Error) Details() map[string]any { return e.details }

var yes, no = true, false

func wrap(kind, msg string, cause error) *Error {
	return &Error{kind: kind, msg: msg, cause: cause, retry: &no}
}

func retryable(kind, msg string, cause error) *Error {
	return &Error{kind: kind, msg: msg, cause: cause, retry: &yes}
}

func invalidf(format string, args ...any) *Error {
	return &Error{kind: KindInvalid, msg: fmt.Sprintf(format, args...), retry: &no}
}

func notFound(id ID) *Error {
	s := id.String()
	return &Error{kind: KindNotFound, msg: ErrNotFound.msg, subject: s, retry: &no, details: map[string]any{"path": s}}
}

// PanicError is a panic of a listener or observer, turned into an error.
type PanicError struct {
	// Value is the value given to panic, Stack the stack of the goroutine.
	Value any
	Stack []byte
}

// Error returns the panic value and the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.Value, e.Stack) }

// Kind returns KindInternal.
func (e *PanicError) Kind() string { return KindInternal }

// EntryError is what is wrong with one entry.
type EntryError struct {
	ID ID
	// Position is "file:line:column", or "" when the entry does not come from a file.
	Position string
	Err      error
	// Hint tells what could be done about it, or is "".
	Hint string
}

// Error returns "position: id: cause (hint)".
func (e *EntryError) Error() string {
	var b strings.Builder
	if e.Position != "" {
		b.WriteString(e.Position)
		b.WriteString(": ")
	}
	b.WriteString(e.ID.String())
	b.WriteString(": ")
	b.WriteString(e.Err.Error())
	if e.Hint != "" {
		b.WriteString(" (")
		b.WriteString(e.Hint)
		b.WriteByte(')')
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *EntryError) Unwrap() error { return e.Err }

// EntryErrors returns every EntryError in the tree of err, in order.
func EntryErrors(err error) []*EntryError {
	var out []*EntryError
	walkErrors(err, func(err error) bool {
		if e, ok := err.(*EntryError); ok {
			out = append(out, e)
			return false
		}
		return true
	})
	return out
}

// walkErrors visits err and everything it wraps; f returns false to go no deeper.
func walkErrors(err error, f func(error) bool) {
	if err == nil || !f(err) {
		return
	}
	switch u := err.(type) {
	case interface{ Unwrap() error }:
		walkErrors(u.Unwrap(), f)
	case interface{ Unwrap() []error }:
		for _, e := range u.Unwrap() {
			walkErrors(e, f)
		}
	}
}

// isNotFound reports whether any error of the tree has the kind NotFound.
func isNotFound(err error) bool {
	found := false
	walkErrors(err, func(err error) bool {
		if k, ok := err.(interface{ Kind() string }); ok && k.Kind() == KindNotFound {
			found = true
		}
		return !found
	})
	return found
}

// kindOf returns the kind of the first error in the chain that has one.
func kindOf(err error) string {
	var k interface{ Kind() string }
	if errors.As(err, &k) {
		return k.Kind()
	}
	return ""
}

// compare orders errors the way a person reads files: by file, line and column.
func (e *EntryError) compare(o *EntryError) int {
	f1, l1, c1 := splitPosition(e.Position)
	f2, l2, c2 := splitPosition(o.Position)
	return cmp.Or(strings.Compare(f1, f2), cmp.Compare(l1, l2), cmp.Compare(c1, c2), e.ID.Compare(o.ID))
}

func splitPosition(p string) (file string, line, col int) {
	file = p
	number := func() int {
		i := strings.LastIndexByte(file, ':')
		if i < 0 {
			return 0
		}
		n, err := strconv.Atoi(file[i+1:])
		if err != nil {
			return 0
		}
		file = file[:i]
		return n
	}
	col = number()
	line = number()
	return file, line, col
}
