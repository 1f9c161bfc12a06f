// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"strings"
	"sync"

	lua "github.com/yuin/gopher-lua"
)

// FS is a file system of a program. Paths are as the program wrote them, or put together from what it wrote and the
// names of entries; they use slashes. It is used by one goroutine.
type FS interface {
	// Open opens a file for reading. It can be read at random when it is an io.ReaderAt or an io.Seeker.
	Open(path string) (fs.File, error)
	// Create opens a file for writing, empty: it makes it or truncates it.
	Create(path string) (io.WriteCloser, error)
	// MkdirAll makes a directory and its parents. That it exists is no error.
	MkdirAll(path string) error
}

// source is an archive with random access.
type source struct {
	io.ReaderAt
	size  int64
	name  string    // of the file, "" when there is none
	close io.Closer // nil when the program closes it
}

// randomSource finds the source that the first arguments of open describe, and the index of the argument after them.
func (m *module) randomSource(L *lua.LState) (s source, next int, err error) {
	if files, ok := m.fileSystem(L.Get(1)); ok {
		name := L.CheckString(2)
		f, err := files.Open(name)
		if err != nil {
			return source{}, 0, device(err)
		}
		if s, err = sourceOf(f); err != nil {
			_ = f.Close() // the other error is the one to tell
			return source{}, 0, err
		}
		s.name, s.close = name, f
		return s, 3, nil
	}
	switch v := L.Get(1).(type) {
	case lua.LString:
		return source{ReaderAt: strings.NewReader(string(v)), size: int64(len(v))}, 2, nil
	case *lua.LUserData:
		s, err := sourceOf(v.Value)
		return s, 2, err
	}
	return source{}, 0, invalid("archive source must be a string, a file or a file system, got %s", L.Get(1).Type())
}

// sourceOf makes a source of a Go value that has random access.
func sourceOf(v any) (source, error) {
	if _, ok := v.(io.Reader); !ok {
		return source{}, invalid("archive source must be a string, a file or a file system")
	}
	seeker, seeks := v.(io.Seeker)
	if seeks {
		size, err := seeker.Seek(0, io.SeekEnd)
		if err != nil {
			return source{}, unavailable("archive source is not seekable: use archive.scan")
		}
		if at, ok := v.(io.ReaderAt); ok {
			return source{ReaderAt: tagged{at}, size: size}, nil
		}
		return source{ReaderAt: &seekReader{r: v.(io.ReadSeeker)}, size: size}, nil
	}
	at, ok := v.(io.ReaderAt)
	f, stats := v.(interface{ Stat() (fs.FileInfo, error) })
	if !ok || !stats {
		return source{}, unavailable("archive source is not seekable: use archive.scan")
	}
	info, err := f.Stat()
	if err != nil {
		return source{}, device(err)
	}
	return source{ReaderAt: tagged{at}, size: info.Size()}, nil
}

// tagged marks the errors of a source as its own.
type tagged struct{ r io.ReaderAt }

// ReadAt implements io.ReaderAt.
func (t tagged) ReadAt(p []byte, off int64) (int, error) {
	n, err := t.r.ReadAt(p, off)
	if err != nil && err != io.EOF {
		err = device(err)
	}
	return n, err
}

// seekReader reads at random by seeking. Entries may be read by several goroutines.
type seekReader struct {
	mu sync.Mutex // guards the position of r
	r  io.ReadSeeker
}

// ReadAt implements io.ReaderAt.
func (s *seekReader) ReadAt(p []byte, off int64) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.r.Seek(off, io.SeekStart); err != nil {
		return 0, device(err)
	}
	n, err := io.ReadFull(s.r, p)
	switch err {
	case nil, io.EOF:
		return n, err
	case io.ErrUnexpectedEOF:
		return n, io.EOF
	}
	return n, device(err)
}

// reader returns the reader behind a value: a string, a file or a stream.
func reader(v lua.LValue) (io.Reader, bool) {
	switch v := v.(type) {
	case lua.LString:
		return strings.NewReader(string(v)), true
	case *lua.LUserData:
		r, ok := v.Value.(io.Reader)
		if readable, says := v.Value.(interface{ Readable() bool }); says {
			ok = ok && readable.Readable()
		}
		return r, ok
	}
	return nil, false
}

// writer returns the writer behind a file or a stream.
func writer(v lua.LValue) (io.Writer, bool) {
	ud, ok := v.(*lua.LUserData)
	if !ok {
		return nil, false
	}
	w, ok := ud.Value.(io.Writer)
	if writable, says := ud.Value.(interface{ Writable() bool }); says {
		ok = ok && writable.Writable()
	}
	return w, ok
}

// sourceReader reads a source of a program until ctx ends. Its errors are marked as the source's.
type sourceReader struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (s *sourceReader) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, device(err)
	}
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		err = device(err)
	}
	return n, err
}

// targetWriter writes to a destination of a program until ctx ends. Its errors are marked as the destination's.
type targetWriter struct {
	ctx context.Context
	w   io.Writer
}

// Write implements io.Writer.
func (t *targetWriter) Write(p []byte) (int, error) {
	if err := t.ctx.Err(); err != nil {
		return 0, device(err)
	}
	n, err := t.w.Write(p)
	return n, device(err)
}

// sizeOf returns the number of bytes left in a reader, -1 when it is not known.
func sizeOf(r io.Reader) int64 {
	switch r := r.(type) {
	case *strings.Reader:
		return int64(r.Len())
	case *bytes.Reader:
		return int64(r.Len())
	}
	if s, ok := r.(io.Seeker); ok {
		at, err := s.Seek(0, io.SeekCurrent)
		if err != nil {
			return -1
		}
		end, err := s.Seek(0, io.SeekEnd)
		if err != nil {
			return -1
		}
		if _, err := s.Seek(at, io.SeekStart); err != nil {
			return -1
		}
		return end - at
	}
	return -1
}
