// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"errors"
	"maps"
)

// Errors of ParsePID.
var (
	// ErrPIDBraces says that the text is not enclosed in braces.
	ErrPIDBraces = newError("Invalid", "invalid pid format: missing braces")
	// ErrPIDPipe says that nothing separates the host from the unique part.
	ErrPIDPipe = newError("Invalid", "invalid pid format: missing pipe")
	// ErrPIDLength says that the text is longer than 4 GiB.
	ErrPIDLength = newError("Invalid", "invalid pid format: text too long")
)

// Errors of Send, on a Node and on a Router.
var (
	// ErrNilMessage says that there was no message to send.
	ErrNilMessage = newError("Invalid", "cannot send nil package")
	// ErrHostNotFound says that the node has no host of that id. The error
	// returned carries the details host_id and node_id.
	ErrHostNotFound = newError("NotFound", "host not found")
	// ErrForeignNode says that a Node got a message for another node.
	ErrForeignNode = newError("Unavailable", "cannot route to external node")
	// ErrNodeNotFound says that a Router knows no way to the node.
	ErrNodeNotFound = newError("NotFound", "node not found")
)

// Errors of Node.Register.
var (
	// ErrHostExists says that the host id is taken.
	ErrHostExists = newError("AlreadyExists", "host already exists")
	// ErrNilHost says that the host is nil.
	ErrNilHost = newError("Invalid", "host cannot be nil")
)

// Errors of Router.AddPeer.
var (
	// ErrPeerExists says that the peer name is taken.
	ErrPeerExists = newError("AlreadyExists", "peer node already registered")
	// ErrPeerIsLocal says that the peer has the name of this node.
	ErrPeerIsLocal = newError("Conflict", "peer node conflicts with local node")
	// ErrEmptyPeer says that the peer has no name.
	ErrEmptyPeer = newError("Invalid", "nodeID cannot be empty")
	// ErrNilPeer says that the peer's Sender is nil.
	ErrNilPeer = newError("Invalid", "peer sender cannot be nil")
)

// Errors of MailboxHost.
var (
	// ErrAttached says that the process has a receiver already.
	ErrAttached = newError("AlreadyExists", "receiver already attached")
	// ErrNilReceiver says that the receiver is nil.
	ErrNilReceiver = newError("Invalid", "receiver cannot be nil")
	// ErrStopped says that the mailbox host was stopped.
	ErrStopped = newError("Unavailable", "mailbox host stopped")
)

// Error is the error of this package. Two of them match under errors.Is when
// kind and message are equal, whatever their details and causes, so a returned
// error can be compared with the sentinels above.
type Error struct {
	kind    string
	message string
	details map[string]any
	cause   error
}

func newError(kind, message string) *Error { return &Error{kind: kind, message: message} }

// with returns a copy of e that carries details, given as key, value, key, ...
func (e *Error) with(keyValues ...string) *Error {
	c := *e
	c.details = make(map[string]any, len(keyValues)/2)
	for i := 0; i+1 < len(keyValues); i += 2 {
		c.details[keyValues[i]] = keyValues[i+1]
	}
	return &c
}

// because returns a copy of e with a cause.
func (e *Error) because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// Error returns the message, followed by the cause if there is one.
func (e *Error) Error() string {
	if e.cause != nil {
		return e.message + ": " + e.cause.Error()
	}
	return e.message
}

// Kind returns the error class: NotFound, AlreadyExists, Invalid, Unavailable,
// Conflict or Internal.
func (e *Error) Kind() string { return e.kind }

// Retryable reports whether trying again later may help, and whether that is
// known. It is known for bad input, which stays bad; a missing node or host may
// come up.
func (e *Error) Retryable() (retryable, known bool) { return false, e.kind == "Invalid" }

// Details returns a copy of the details, nil when there are none.
func (e *Error) Details() map[string]any { return maps.Clone(e.details) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is an Error of the same kind and message.
func (e *Error) Is(target error) bool {
	t, ok := errors.AsType[*Error](target)
	return ok && t.kind == e.kind && t.message == e.message
}
