// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package terminal

import (
	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// makeRaw is term.MakeRaw with output processing left on, so that "\n" still
// begins a new line at its start.
func makeRaw(fd int) (*term.State, error) {
	saved, err := term.MakeRaw(fd)
	if err != nil {
		return nil, err
	}
	mode, err := unix.IoctlGetTermios(fd, getTermios)
	if err == nil {
		mode.Oflag |= unix.OPOST
		err = unix.IoctlSetTermios(fd, setTermios, mode)
	}
	if err != nil {
		_ = term.Restore(fd, saved)
		return nil, err
	}
	return saved, nil
}
