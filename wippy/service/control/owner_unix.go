// SPDX-License-Identifier: Apache-2.0

//go:build unix

package control

import (
	"io/fs"
	"os"
	"syscall"
)

// owned tells whether a file belongs to the user of this program.
func owned(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Getuid()
}
