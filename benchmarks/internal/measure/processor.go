// SPDX-License-Identifier: Apache-2.0

//go:build unix

package measure

import (
	"syscall"
	"time"
)

// Processor returns the processor time that this program has used so far, in the program
// itself and in the operating system on its behalf.
func Processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // cannot be: both arguments are valid
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
