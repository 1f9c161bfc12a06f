// SPDX-License-Identifier: Apache-2.0

package topology

import "github.com/wippyrun/kit/wippy/system/fault"

// Errors of Register, Monitor, Link, Watch and RegisterName.
var (
	// ErrAlreadyRegistered says that the process is known already.
	ErrAlreadyRegistered = fault.New(fault.AlreadyExists, "pid already registered")
	// ErrNotRegistered says that the process is not known: it never lived here or has ended.
	ErrNotRegistered = fault.New(fault.NotFound, "pid not registered")
	// ErrAlreadyMonitoring says that the caller monitors the process already.
	ErrAlreadyMonitoring = fault.New(fault.AlreadyExists, "already monitoring pid")
	// ErrNameTaken says that another living process has the name; the detail existing_pid is its id as text.
	ErrNameTaken = fault.New(fault.AlreadyExists, "name already registered")
	// ErrEmptyName says that a name has no characters.
	ErrEmptyName = fault.New(fault.Invalid, "name cannot be empty")
)

// Errors a process ends with because of others.
var (
	// ErrLinkedFailed is what a process fails with when one it is linked to failed and it does not trap links.
	ErrLinkedFailed = fault.New(fault.Internal, "linked process failed")
)

// unresolved is the error of Resolve.
func unresolved(dest string) error {
	return fault.New(fault.NotFound, "could not resolve '"+dest+"' as PID or registered name").Final()
}
