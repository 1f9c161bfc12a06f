// SPDX-License-Identifier: Apache-2.0

// Package fault is the error value that crosses component borders: a kind, a message, whether trying
// again may help, details and a cause.
//
// # Basics
//
// A component declares its errors as package variables and refines copies of them where they happen:
//
//	var ErrHostNotFound = fault.New(fault.NotFound, "host not found")
//
//	return ErrHostNotFound.With("host_id", id)
//
// [errors.Is] matches by kind and message, so the refined copy still is ErrHostNotFound. Consumers that
// do not know the concrete type ask for the parts: [KindOf], [RetryableOf], [DetailsOf]. These also
// understand errors of other modules that offer the methods Kind, Retryable and Details, and the two
// context errors.
//
// # Guarantees
//
//   - An [Error] is immutable: With, Final, Transient and Because return copies (TestRefiningLeavesTheOriginalAlone).
//   - What an Error leaves open is answered by its cause: an unknown kind, an unspecified retry flag,
//     missing details (TestOpenPartsComeFromTheCause).
//   - Matching walks the whole chain, including joined errors (TestMatchingWalksTheChain).
package fault

import "maps"

// Kind classifies an error. The spelling is part of the public contract: Lua programs compare it.
type Kind string

// The kinds. Unknown is the empty string; [Kind.String] prints it as "Unknown".
const (
	Unknown          Kind = ""
	NotFound         Kind = "NotFound"
	AlreadyExists    Kind = "AlreadyExists"
	Invalid          Kind = "Invalid"
	PermissionDenied Kind = "PermissionDenied"
	Unavailable      Kind = "Unavailable"
	Internal         Kind = "Internal"
	Canceled         Kind = "Canceled"
	Conflict         Kind = "Conflict"
	Timeout          Kind = "Timeout"
	RateLimited      Kind = "RateLimited"
	LimitExceeded    Kind = "LimitExceeded"
	InvalidState     Kind = "InvalidState"
	Terminated       Kind = "Terminated"
	Exited           Kind = "Exited"
)

// String returns the kind's text, "Unknown" for the empty kind.
func (k Kind) String() string {
	if k == Unknown {
		return "Unknown"
	}
	return string(k)
}

// tri is a boolean that may be unspecified.
type tri uint8

const (
	unspecified tri = iota
	yes
	no
)

// Error is an immutable error with a kind. The zero value is not useful; make one with [New] or [Wrap].
// All methods may be called concurrently.
type Error struct {
	kind    Kind
	msg     string
	cause   error
	retry   tri
	details map[string]any // never written after construction
}

// New returns an error of the given kind. Its retry flag is unspecified.
func New(kind Kind, msg string) *Error { return &Error{kind: kind, msg: msg} }

// Wrap returns an error of the given kind caused by cause. With kind [Unknown] the result has the kind of
// its cause. A nil cause gives the same as [New].
func Wrap(kind Kind, msg string, cause error) *Error {
	return &Error{kind: kind, msg: msg, cause: cause}
}

// Error returns the message, followed by ": " and the cause's text when there is a cause.
func (e *Error) Error() string {
	if e.cause == nil {
		return e.msg
	}
	return e.msg + ": " + e.cause.Error()
}

// Message returns the error's own text, without the cause.
func (e *Error) Message() string { return e.msg }

// Unwrap returns the cause, nil when there is none.
func (e *Error) Unwrap() error { return e.cause }

// Kind returns the kind's text: the error's own or, when that is unknown, the kind of its cause.
func (e *Error) Kind() string {
	if e.kind != Unknown || e.cause == nil {
		return string(e.kind)
	}
	return string(KindOf(e.cause))
}

// Retryable reports whether trying again may help, and whether that is known at all. An unspecified flag
// is answered by the cause.
func (e *Error) Retryable() (retryable, known bool) {
	switch {
	case e.retry != unspecified:
		return e.retry == yes, true
	case e.cause != nil:
		return RetryableOf(e.cause)
	}
	return false, false
}

// Details returns the details of the error and of its cause; on equal keys the outer one wins. The result
// is nil when there are none and must not be modified.
func (e *Error) Details() map[string]any {
	if e.cause == nil {
		return e.details
	}
	inner := DetailsOf(e.cause)
	switch {
	case len(inner) == 0:
		return e.details
	case len(e.details) == 0:
		return inner
	}
	merged := maps.Clone(inner)
	maps.Copy(merged, e.details)
	return merged
}

// Is reports whether target is an [*Error] with the same own kind and message. It is the rule
// [errors.Is] applies to every link of a chain.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.kind == e.kind && t.msg == e.msg
}

// With returns a copy that also carries the detail key = value.
func (e *Error) With(key string, value any) *Error {
	c := *e
	c.details = make(map[string]any, len(e.details)+1)
	maps.Copy(c.details, e.details)
	c.details[key] = value
	return &c
}

// Because returns a copy caused by cause.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// Final returns a copy that says: trying again does not help.
func (e *Error) Final() *Error { return e.withRetry(no) }

// Transient returns a copy that says: trying again may help.
func (e *Error) Transient() *Error { return e.withRetry(yes) }

func (e *Error) withRetry(t tri) *Error {
	c := *e
	c.retry = t
	return &c
}

// compile-time check of the structural contract other modules rely on.
var _ interface {
	error
	Kind() string
	Retryable() (bool, bool)
	Details() map[string]any
} = (*Error)(nil)
