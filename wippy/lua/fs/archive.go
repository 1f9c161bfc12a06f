// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"io"
	"io/fs"
	"os"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/modules/archive"
)

// Archive returns the filesystem of an FS object for the module archive. Paths mean there what they mean in the
// object's own methods.
func Archive(v lua.LValue) (archive.FS, bool) {
	if ud, ok := v.(*lua.LUserData); ok {
		if v, ok := ud.Value.(*volume); ok {
			return archived{v}, true
		}
	}
	return nil, false
}

type archived struct{ *volume }

// Open implements archive.FS.
func (a archived) Open(path string) (fs.File, error) {
	name, err := a.resolve(path)
	if err != nil {
		return nil, err
	}
	return a.fs.OpenFile(name, os.O_RDONLY, 0)
}

// Create implements archive.FS.
func (a archived) Create(path string) (io.WriteCloser, error) {
	name, err := a.resolve(path)
	if err != nil {
		return nil, err
	}
	return a.fs.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, filePerm)
}

// MkdirAll implements archive.FS.
func (a archived) MkdirAll(path string) error {
	name, err := a.resolve(path)
	if err != nil {
		return err
	}
	return a.fs.MkdirAll(name, dirPerm)
}
