// SPDX-License-Identifier: Apache-2.0

//go:build unix

package exec

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup makes a command the leader of a process group.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// endGroup signals the group that p leads or led. An error means that nothing is left of it.
func endGroup(p *os.Process, force bool) {
	s := syscall.SIGTERM
	if force {
		s = syscall.SIGKILL
	}
	_ = syscall.Kill(-p.Pid, s)
}

// groupAlive reports whether a group whose leader was collected has other processes. While it
// has, its id is not given to a new process.
func groupAlive(id int) bool { return syscall.Kill(-id, 0) == nil }

// descriptors is how many files this program may have open.
func descriptors() int {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 1024
	}
	return int(min(uint64(limit.Cur), 1<<20))
}
