// SPDX-License-Identifier: Apache-2.0

// Package background does what a Lua function has to wait for, away from the workers of the scheduler.
package background

import (
	"fmt"
	"runtime/debug"

	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// Complete runs f on a goroutine of its own and completes the yield of that tag with its outcome. A panic in f is an
// Internal error of the command, with the stack in its details; it ends neither the program nor the process.
func Complete(r dispatch.Receiver, tag dispatch.Tag, f func() (any, error)) {
	go func() {
		data, err := contained(f)
		r.CompleteYield(tag, data, err)
	}()
}

func contained(f func() (any, error)) (data any, err error) {
	defer func() {
		if v := recover(); v != nil {
			data, err = nil, fault.New(fault.Internal, fmt.Sprintf("panic: %v", v)).With("stack", string(debug.Stack())).Final()
		}
	}()
	return f()
}
