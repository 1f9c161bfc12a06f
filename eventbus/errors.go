// SPDX-License-Identifier: Apache-2.0

package eventbus

// busError is a sentinel error with a kind.
type busError struct {
	text, kind string
	retryable  bool
}

// Error returns the text.
func (e *busError) Error() string { return e.text }

// Kind returns the kind of the error.
func (e *busError) Kind() string { return e.kind }

// Retryable reports whether trying again may help.
func (e *busError) Retryable() (retryable, known bool) { return e.retryable, true }

// Errors of subscribing. An ended context gives its own error instead.
var (
	// ErrClosed says that the bus was stopped. It is also what Subscription.Err
	// returns when the bus ended the subscription.
	ErrClosed error = &busError{text: "bus is closed", kind: "Unavailable"}
	// ErrTooMany says that the limit of WithMaxSubscriptions is reached.
	ErrTooMany error = &busError{text: "eventbus subscribers cap reached", kind: "LimitExceeded", retryable: true}
	// ErrNilChannel says that SubscribeChan was given no channel.
	ErrNilChannel error = &busError{text: "nil channel provided", kind: "Invalid"}
	// ErrNilHandler says that Subscribe, or a handler of a Router, has no function.
	ErrNilHandler error = &busError{text: "nil handler provided", kind: "Invalid"}
)

// Errors that Subscription.Err returns, besides ErrClosed and the error of the
// subscription's context.
var (
	// ErrUnsubscribed says that Subscription.Close was called.
	ErrUnsubscribed error = &busError{text: "unsubscribed", kind: "Canceled"}
	// ErrOverflow says that the queue was full and the policy is CancelOnOverflow.
	ErrOverflow error = &busError{text: "subscription canceled: queue is full", kind: "LimitExceeded"}
)

// Errors of waiting for a reply. An ended context gives its own error instead.
var (
	// ErrAwaitTimeout says that no matching event came in time.
	ErrAwaitTimeout error = &busError{text: "await timeout waiting for event", kind: "Timeout", retryable: true}
)

// Errors of a Router.
var (
	// ErrRouterStarted says that Start was called twice.
	ErrRouterStarted error = &busError{text: "router already started", kind: "InvalidState"}
)
