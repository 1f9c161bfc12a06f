// SPDX-License-Identifier: Apache-2.0

// Package fs gives programs and services the filesystems that entries declare: directories and what a program or a
// pack carries.
//
// # Basics
//
// A [Service] knows the filesystems by entry id; a [Listener] fills it. What is behind an [FS] is a [Directory] or
// [Embedded] files. Names use slashes; leading ones are dropped, "" and "." are the root.
//
// # Guarantees
//
//   - Nothing outside of a directory is reached: not by "..", not by absolute names, not by links that lead out, not
//     by exchanging directories while they are walked. Links that stay inside work.
//   - What the owner bits of a directory's mode leave out is refused with an error of kind PermissionDenied that is
//     fs.ErrPermission, whatever the operating system would allow.
//   - Only regular files and directories are opened: a named pipe or a device would wait for somebody.
//   - A directory that is replaced by another one of the same name, as deployments do, is used from then on.
//
// All types may be used concurrently, files as those of package os. Operations wait for the disk.
package fs

import (
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// FS is a filesystem. Errors are *fs.PathError with the name as it was given.
type FS interface {
	// OpenFile opens with the flags of package os. perm is that of a file that is made, within what the filesystem allows.
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	// Stat follows links.
	Stat(name string) (fs.FileInfo, error)
	// Mkdir makes one directory.
	Mkdir(name string, perm fs.FileMode) error
	// MkdirAll makes a directory and its parents. That it exists is no error.
	MkdirAll(name string, perm fs.FileMode) error
	// Remove removes a file or an empty directory.
	Remove(name string) error
}

// File is an open file or directory.
type File interface {
	fs.ReadDirFile
	io.Writer
	io.Seeker
	io.ReaderAt
	Sync() error
}

// ErrNotFound is what Get returns for an id nobody has.
var ErrNotFound = fault.New(fault.NotFound, "filesystem not found")

// errEscapes is the reason for names that lead out.
var errEscapes = fault.Wrap(fault.Invalid, "path leads out of the filesystem", fs.ErrInvalid)

// clean makes a name relative to the root, in the form io/fs wants it.
func clean(op, name string) (string, error) {
	p := path.Clean(strings.TrimLeft(name, "/"))
	switch {
	case strings.IndexByte(name, 0) >= 0:
		return "", failed(op, name, fault.Wrap(fault.Invalid, "path contains a null byte", fs.ErrInvalid))
	case p == ".." || strings.HasPrefix(p, "../"):
		return "", failed(op, name, errEscapes)
	}
	return p, nil
}

// failed is the error of an operation. The error of the operating system loses its path, which names places of the host.
func failed(op, name string, err error) error {
	switch e := err.(type) {
	case nil:
		return nil
	case *fs.PathError:
		err = e.Err
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// Service knows the filesystems. Its zero value has none.
type Service struct {
	mu    sync.RWMutex // guards known
	known map[string]FS
}

// Get returns the filesystem of an entry.
func (s *Service) Get(id string) (FS, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if f, ok := s.known[id]; ok {
		return f, nil
	}
	return nil, ErrNotFound.With("filesystem", id)
}

// Add makes f the filesystem of an entry. Who has the one before keeps it.
func (s *Service) Add(id string, f FS) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[string]FS{}
	}
	s.known[id] = f
}

// Remove forgets a filesystem. Who has it keeps it.
func (s *Service) Remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known, id)
}
