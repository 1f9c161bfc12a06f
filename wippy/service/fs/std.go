// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"io/fs"
	"os"
)

// Std returns f as a filesystem of the standard library: names are as io/fs wants them, and files can only be read.
func Std(f FS) fs.FS { return std{f} }

type std struct{ fs FS }

// Open implements fs.FS.
func (s std) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, failed("open", name, fs.ErrInvalid)
	}
	return s.fs.OpenFile(name, os.O_RDONLY, 0)
}

// Stat implements fs.StatFS.
func (s std) Stat(name string) (fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, failed("stat", name, fs.ErrInvalid)
	}
	return s.fs.Stat(name)
}
