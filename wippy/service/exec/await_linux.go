// SPDX-License-Identifier: Apache-2.0

package exec

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// awaitExit returns when p has ended, with nil: collecting it is left to the caller. It waits in the poller
// of the Go runtime, so that no thread waits for a command; where the kernel has no descriptors of
// processes, or they have run out, it takes a thread.
func awaitExit(p *os.Process) *os.ProcessState {
	if !pollExit(p.Pid) {
		for errors.Is(unix.Waitid(unix.P_PID, p.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil), unix.EINTR) {
		}
	}
	return nil
}

// pollExit reports whether it could wait. The process is not collected before it returns, so its id is its own.
func pollExit(pid int) bool {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err != nil {
		return false
	}
	f := os.NewFile(uintptr(fd), "pidfd")
	defer func() { _ = f.Close() }()
	conn, err := f.SyscallConn()
	if err != nil {
		return false
	}
	// The poller calls back once at first, and then whenever the descriptor becomes readable.
	err = conn.Read(func(fd uintptr) bool {
		ready, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		return ready > 0 || err != nil && !errors.Is(err, unix.EINTR)
	})
	return err == nil
}
