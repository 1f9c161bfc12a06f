// SPDX-License-Identifier: Apache-2.0

package internode

import "errors"

// Errors that end a connection. Those that come with a position or a reason wrap one of
// these.
var (
	// ErrMalformed says that what the other side sent is not of this protocol.
	ErrMalformed = errors.New("internode: malformed frame")
	// ErrFrameSize says that a frame is longer than what is allowed.
	ErrFrameSize = errors.New("internode: frame too long")
	// ErrVersion says that the other side speaks another version of the protocol.
	ErrVersion = errors.New("internode: protocol version differs")
	// ErrProof says that the other side does not know the secret.
	ErrProof = errors.New("internode: wrong proof of the secret")
	// ErrSameNode says that both sides have the same node name.
	ErrSameNode = errors.New("internode: both nodes have the same name")
	// ErrSilent says that nothing came from the other side for so long that it counts as
	// gone.
	ErrSilent = errors.New("internode: nothing heard from the other node")
	// ErrRefused says that the other side ended the handshake, and why.
	ErrRefused = errors.New("internode: refused by the other node")
)

// Errors of Listen.
var (
	// ErrConfig says what is wrong with the configuration.
	ErrConfig = errors.New("internode: invalid configuration")
)

// Reasons why a node counts as lost, beside the errors that end a connection.
var (
	// ErrNewRun says that the other node ended and was started again.
	ErrNewRun = errors.New("internode: the other node was started anew")
	// ErrTakenForLost says that the other node is back and has forgotten what was before.
	ErrTakenForLost = errors.New("internode: the other node took this one for lost")
	// ErrUnknownPeer says that a node that is not among the peers wanted to connect.
	ErrUnknownPeer = errors.New("internode: not a peer")
	// ErrSuperseded says that the other node made a new connection, or that a handshake was
	// overtaken by something else between the two.
	ErrSuperseded = errors.New("internode: superseded by another connection")
	// ErrStopped says that this side's transport was stopped.
	ErrStopped = errors.New("internode: transport stopped")
)

// Errors of sending a message, which stays the caller's then.
var (
	// ErrQueueFull says that too much waits for the other node already.
	ErrQueueFull = errors.New("internode: queue is full")
	// ErrPayload says that the data of a payload is neither a string nor a []byte: it
	// has to be converted first.
	ErrPayload = errors.New("internode: payload is not encoded")
)
