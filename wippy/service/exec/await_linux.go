// SPDX-License-Identifier: Apache-2.0

package exec

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// awaitExit returns when p has ended, with nil: collecting it is left to the caller.
func awaitExit(p *os.Process) *os.ProcessState {
	for {
		err := unix.Waitid(unix.P_PID, p.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return nil
		}
	}
}
