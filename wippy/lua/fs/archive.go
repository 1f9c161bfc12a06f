// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"io"
	"io/fs"
	"os"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/archive"
	"github.com/wippyrun/kit/wippy/lua/stream"
)

// ArchiveModule returns the Lua module archive for programs that have this module and package stream: it takes FS objects,
// files and streams, and hands out streams. The fields FS and Stream of c are set.
func ArchiveModule(c archive.Config) engine.Module {
	var streams *stream.Class
	c.FS = archiveFS
	c.Stream = func(L *lua.LState, r io.ReadCloser, size int64) lua.LValue {
		return streams.New(engine.From(L), r, size)
	}
	m := archive.Module(c)
	build := m.Build
	m.Build = func(b *engine.Builder) error {
		streams = stream.Define(b)
		return build(b)
	}
	return m
}

// archiveFS returns the filesystem of an FS object. Paths mean there what they mean in its own methods.
func archiveFS(v lua.LValue) (archive.FS, bool) {
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
		return nil, engine.WrapError(err) // as it is: it is no error of the disk
	}
	return a.fs.OpenFile(name, os.O_RDONLY, 0)
}

// Create implements archive.FS.
func (a archived) Create(path string) (io.WriteCloser, error) {
	name, err := a.resolve(path)
	if err != nil {
		return nil, engine.WrapError(err) // as it is: it is no error of the disk
	}
	return a.fs.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, filePerm)
}

// MkdirAll implements archive.FS.
func (a archived) MkdirAll(path string) error {
	name, err := a.resolve(path)
	if err != nil {
		return engine.WrapError(err)
	}
	return a.fs.MkdirAll(name, dirPerm)
}
