// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package terminal

import (
	"errors"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// wakeup ends a wait for input, which a read could not be taken out of.
type wakeup struct{ in, out *os.File }

func newWakeup() (*wakeup, error) {
	in, out, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	return &wakeup{in: in, out: out}, nil
}

// wake ends the wait that runs, or the next one. It is called once.
func (w *wakeup) wake() { _ = w.out.Close() }

// close is called by whoever waits, after the last wait.
func (w *wakeup) close() { _ = w.in.Close() }

// wait returns when there is input, when wake was called or, with impatience, when nothing came for a moment.
func (w *wakeup) wait(i *Input, impatient bool) arrival {
	timeout := -1
	if impatient {
		timeout = int(escapeDelay.Milliseconds())
	}
	files := []unix.PollFd{
		{Fd: int32(i.file.Fd()), Events: unix.POLLIN},
		{Fd: int32(w.in.Fd()), Events: unix.POLLIN},
	}
	for {
		n, err := unix.Poll(files, timeout)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case files[1].Revents != 0:
			return woken
		case err == nil && n == 0:
			return quiet
		}
		return ready // an error shows again when reading
	}
}

// sizeChanges returns a channel that gets something when the size of the terminal may have changed.
func sizeChanges() (<-chan os.Signal, func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, unix.SIGWINCH)
	return c, func() { signal.Stop(c) }
}
