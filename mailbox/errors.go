// SPDX-License-Identifier: Apache-2.0

package mailbox

// mailboxError is a sentinel error with a kind.
type mailboxError struct {
	text, kind string
	retryable  bool
}

// Error returns the text.
func (e *mailboxError) Error() string { return e.text }

// Kind returns the kind of the error.
func (e *mailboxError) Kind() string { return e.kind }

// Retryable reports whether trying again may help.
func (e *mailboxError) Retryable() (retryable, known bool) { return e.retryable, true }

// Errors of Send and TrySend. An ended context gives its own error instead.
var (
	// ErrClosed says that the mailbox was closed.
	ErrClosed error = &mailboxError{text: "mailbox: closed", kind: "Unavailable"}
	// ErrFull says that the sender's shard has no room.
	ErrFull error = &mailboxError{text: "mailbox: full", kind: "RateLimited", retryable: true}
)
