// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// Directory is a directory of the host as a filesystem.
//
// Each operation opens the directory anew, which costs about half as much again as the operation itself. A handle kept
// open would be cheaper, but would go on to show what was there when it was opened: nothing, once a build has removed
// the directory and made it again.
type Directory struct {
	path string
	mode fs.FileMode
}

// The owner bits of a mode.
const (
	canRead     fs.FileMode = 0o400
	canWrite    fs.FileMode = 0o200
	canTraverse fs.FileMode = 0o100
)

var (
	errMode   = fault.Wrap(fault.PermissionDenied, "the mode of the filesystem forbids it", fs.ErrPermission)
	errKind   = errors.New("neither a regular file nor a directory")
	errRoot   = fault.Wrap(fault.Invalid, "the root of the filesystem stays", fs.ErrInvalid)
	errNoRoot = errors.New("the directory of the filesystem is gone")
)

// NewDirectory returns the directory at path, which must be absolute. With create it is made when it is missing.
func NewDirectory(path string, mode fs.FileMode, create bool) (*Directory, error) {
	if create {
		if err := os.MkdirAll(path, mode|0o700); err != nil {
			return nil, err
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: path, Err: syscall.ENOTDIR}
	}
	return &Directory{path: filepath.Clean(path), mode: mode}, nil
}

// String names the directory for logs.
func (d *Directory) String() string { return fmt.Sprintf("%s (mode %#o)", d.path, d.mode) }

// within does op on name in the directory when the mode allows it.
func (d *Directory) within(op, name string, need fs.FileMode, do func(root *os.Root, name string) error) error {
	p, err := clean(op, name)
	if err != nil {
		return err
	}
	if p != "." {
		need |= canTraverse
	}
	if d.mode&need != need {
		return failed(op, name, errMode)
	}
	root, err := os.OpenRoot(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return failed(op, name, errors.Join(errNoRoot, fs.ErrNotExist))
	}
	if err != nil {
		return failed(op, name, err)
	}
	defer root.Close()
	return failed(op, name, do(root, filepath.FromSlash(p)))
}

// OpenFile implements FS.
func (d *Directory) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	need := canRead
	switch flag & (os.O_RDONLY | os.O_WRONLY | os.O_RDWR) {
	case os.O_WRONLY:
		need = canWrite
	case os.O_RDWR:
		need = canRead | canWrite
	}
	var file File
	err := d.within("open", name, need, func(root *os.Root, name string) error {
		f, err := root.OpenFile(name, flag|openFlags, perm&d.mode.Perm())
		if err != nil {
			return err
		}
		info, err := f.Stat()
		if err == nil && !info.Mode().IsRegular() && !info.IsDir() {
			err = errKind
		}
		if err != nil {
			return errors.Join(err, f.Close())
		}
		file = f
		return nil
	})
	return file, err
}

// Stat implements FS.
func (d *Directory) Stat(name string) (info fs.FileInfo, err error) {
	err = d.within("stat", name, 0, func(root *os.Root, name string) (err error) {
		info, err = root.Stat(name)
		return err
	})
	return info, err
}

// Mkdir implements FS.
func (d *Directory) Mkdir(name string, perm fs.FileMode) error {
	return d.within("mkdir", name, canWrite, func(root *os.Root, name string) error {
		return root.Mkdir(name, perm&d.mode.Perm())
	})
}

// MkdirAll implements FS.
func (d *Directory) MkdirAll(name string, perm fs.FileMode) error {
	return d.within("mkdir", name, canWrite, func(root *os.Root, name string) error {
		return root.MkdirAll(name, perm&d.mode.Perm())
	})
}

// Remove implements FS.
func (d *Directory) Remove(name string) error {
	return d.within("remove", name, canWrite, func(root *os.Root, name string) error {
		if name == "." {
			return errRoot
		}
		return root.Remove(name)
	})
}
