// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// Embedded is files that a program or a pack carries. They can only be read.
type Embedded struct{ files fs.FS }

// errReadOnly is the reason for everything that would change an embedded filesystem.
var errReadOnly = fault.Wrap(fault.PermissionDenied, "the filesystem is read-only", fs.ErrPermission)

// NewEmbedded returns files as a filesystem.
func NewEmbedded(files fs.FS) *Embedded { return &Embedded{files} }

// OpenFile implements FS.
func (e *Embedded) OpenFile(name string, flag int, _ fs.FileMode) (File, error) {
	p, err := clean("open", name)
	if err != nil {
		return nil, err
	}
	if flag&(os.O_WRONLY|os.O_RDWR|os.O_CREATE|os.O_TRUNC|os.O_APPEND) != 0 {
		return nil, failed("open", name, errReadOnly)
	}
	f, err := e.files.Open(p)
	if err != nil {
		return nil, failed("open", name, err)
	}
	file := &embeddedFile{File: f, name: name}
	if _, seeks := f.(io.Seeker); !seeks {
		info, err := f.Stat()
		if err != nil {
			return nil, errors.Join(failed("open", name, err), f.Close())
		}
		return &forwardFile{embeddedFile: file, open: func() (fs.File, error) { return e.files.Open(p) }, size: info.Size()}, nil
	}
	return file, nil
}

// Stat implements FS.
func (e *Embedded) Stat(name string) (fs.FileInfo, error) {
	p, err := clean("stat", name)
	if err != nil {
		return nil, err
	}
	info, err := fs.Stat(e.files, p)
	return info, failed("stat", name, err)
}

// Mkdir implements FS; it fails.
func (e *Embedded) Mkdir(name string, _ fs.FileMode) error {
	return failed("mkdir", name, errReadOnly)
}

// MkdirAll implements FS; it fails unless the directory is there.
func (e *Embedded) MkdirAll(name string, _ fs.FileMode) error {
	if info, err := e.Stat(name); err == nil && info.IsDir() {
		return nil
	}
	return failed("mkdir", name, errReadOnly)
}

// Remove implements FS; it fails.
func (e *Embedded) Remove(name string) error { return failed("remove", name, errReadOnly) }

// embeddedFile adds to a file what it may lack.
type embeddedFile struct {
	fs.File
	name string
	mu   sync.Mutex // held by ReadAt while it moves the position
}

// Write fails.
func (f *embeddedFile) Write([]byte) (int, error) { return 0, failed("write", f.name, errReadOnly) }

// Sync has nothing to do.
func (f *embeddedFile) Sync() error { return nil }

// ReadDir reads a directory.
func (f *embeddedFile) ReadDir(n int) ([]fs.DirEntry, error) {
	d, ok := f.File.(fs.ReadDirFile)
	if !ok {
		return nil, failed("readdir", f.name, errors.New("not a directory"))
	}
	return d.ReadDir(n)
}

// Seek moves the position.
func (f *embeddedFile) Seek(offset int64, whence int) (int64, error) {
	return f.File.(io.Seeker).Seek(offset, whence)
}

// ReadAt reads at an offset; where the file has no such method it must not be read otherwise meanwhile.
func (f *embeddedFile) ReadAt(p []byte, offset int64) (n int, err error) {
	if r, ok := f.File.(io.ReaderAt); ok {
		return r.ReadAt(p, offset)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return readAt(f, p, offset)
}

// readAt reads at an offset and moves the position back.
func readAt(f io.ReadSeeker, p []byte, offset int64) (n int, err error) {
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, err
	}
	if _, err = f.Seek(offset, io.SeekStart); err == nil {
		if n, err = io.ReadFull(f, p); errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF
		}
	}
	if _, back := f.Seek(at, io.SeekStart); err == nil {
		err = back
	}
	return n, err
}
