// SPDX-License-Identifier: Apache-2.0

//go:build !linux && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package terminal

import "os"

// wakeup waits for input where a wait cannot be ended: the reader ends with the next input, which stays in the buffer
// for who reads next. An escape is taken for the key of that name at once.
type wakeup struct{}

func newWakeup() (*wakeup, error) { return &wakeup{}, nil }

func (w *wakeup) wake() {}

func (w *wakeup) close() {}

func (w *wakeup) wait(i *Input, impatient bool) arrival {
	if impatient {
		return quiet
	}
	_, _ = i.stdin.Peek(1) // an error shows again when reading
	return ready
}

// sizeChanges returns a channel that never gets anything: nobody tells when the size changes.
func sizeChanges() (<-chan os.Signal, func()) { return nil, func() {} }
