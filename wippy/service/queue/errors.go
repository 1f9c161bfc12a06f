// SPDX-License-Identifier: Apache-2.0

package queue

import "github.com/wippyrun/kit/wippy/system/fault"

// Errors of Queues and drivers. None but those that say so are worth trying again.
var (
	ErrQueueNotFound  = fault.New(fault.NotFound, "queue not found").Final()
	ErrDriverNotFound = fault.New(fault.NotFound, "driver not found").Final()
	// ErrDown says that the driver of a queue does not run.
	ErrDown = fault.New(fault.Unavailable, "queue driver is not running").Transient()
	// ErrCodec says that a queue wants a form for its bodies that nobody knows.
	ErrCodec = fault.New(fault.Invalid, "unknown payload codec").Final()
)

// Errors of a delivery. The texts are those programs see.
var (
	ErrSettled  = fault.New(fault.Invalid, "queue.Message already settled").Final()
	ErrReleased = fault.New(fault.Invalid, "queue.Message released").Final()
)
