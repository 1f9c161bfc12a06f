// SPDX-License-Identifier: Apache-2.0

package supervisor

import (
	"context"
	"errors"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// Errors of Register, Remove, Begin, Commit and Discard.
var (
	// ErrOutsideTransaction says that services are only registered and removed between Begin and Commit.
	ErrOutsideTransaction = fault.New(fault.Invalid, "action received outside of transaction")
	// ErrInTransaction says that Begin was called twice.
	ErrInTransaction = fault.New(fault.Conflict, "transaction already in progress")
	// ErrNoID says that a service was registered without an id.
	ErrNoID = fault.New(fault.Invalid, "service ID required")
	// ErrNoService says that nil was registered as a service.
	ErrNoService = fault.New(fault.Invalid, "service cannot be nil")
)

// Errors of Start, Stop, State and Shutdown.
var (
	// ErrNotFound says that there is no such service; the detail service_id names it.
	ErrNotFound = fault.New(fault.NotFound, "service not found")
	// ErrStopped says that the supervisor was shut down.
	ErrStopped = fault.New(fault.Unavailable, "supervisor is stopped")
	// ErrStartTimedOut says that a service did not start within its time or its attempts. Its cause is
	// what the last attempt failed with.
	ErrStartTimedOut = fault.New(fault.Timeout, "service start timed out").Transient()
	// ErrStopTimedOut says that a service did not stop in time; the detail timeout says how long that was.
	ErrStopTimedOut = fault.New(fault.Timeout, "service stop timed out").Final()
	// ErrStartFailed wraps what a service could not start with.
	ErrStartFailed = fault.New(fault.Internal, "failed to start service").Transient()
	// ErrStopFailed wraps what a service returned from Stop.
	ErrStopFailed = fault.New(fault.Internal, "failed to stop service")
	// ErrManyStartsFailed and ErrManyStopsFailed stand for several failures; their details are
	// failed_count and first_error, their cause holds all of them.
	ErrManyStartsFailed = fault.New(fault.Internal, "start failed for multiple services").Transient()
	ErrManyStopsFailed  = fault.New(fault.Internal, "stop failed for multiple services")
	// ErrCycle says that services depend on each other in a circle; the detail cycle is the way round.
	ErrCycle = fault.New(fault.Internal, "failed to determine start dependency levels")
	// ErrStartCanceled says that somebody stopped the service while it was starting.
	ErrStartCanceled = fault.New(fault.Canceled, "service start canceled")
)

// errEnded is the detail of a service that went away without saying why.
var errEnded = fault.New(fault.Internal, "service ended unexpectedly")

// IsTerminal reports whether err means that a service ended for good, so that starting it again is of no
// use: a cancelled context, a termination or exit sentinel, or any error that says it is not retryable.
func IsTerminal(err error) bool {
	if err == nil {
		return false
	}
	if retryable, known := fault.RetryableOf(err); known {
		return !retryable
	}
	switch fault.KindOf(err) {
	case fault.Terminated, fault.Exited:
		return true
	}
	return errors.Is(err, context.Canceled)
}

// isNormalEnd reports whether err merely says that the service is done.
func isNormalEnd(err error) bool {
	return fault.KindOf(err) == fault.Exited || errors.Is(err, context.Canceled)
}

// ErrExit is the exit sentinel: a service that reports it is done and did well.
var ErrExit = fault.New(fault.Exited, "exit")
