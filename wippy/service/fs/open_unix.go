// SPDX-License-Identifier: Apache-2.0

//go:build unix

package fs

import "syscall"

// openFlags keeps opening from waiting: the open of a named pipe otherwise lasts until somebody opens its other end.
const openFlags = syscall.O_NONBLOCK
