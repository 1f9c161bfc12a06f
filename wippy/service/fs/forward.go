// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"io"
	"io/fs"
	"sync"
)

// forwardFile seeks in a file that can only be read from its beginning, as compressed files of a pack. Moving costs
// nothing until the next read, which goes through what lies between: from the beginning when the way leads back.
type forwardFile struct {
	*embeddedFile
	open func() (fs.File, error)
	size int64

	mu   sync.Mutex // guards all below, and File
	at   int64      // where the file is
	want int64      // where it is to be
	gone bool       // closed
}

// Read implements io.Reader.
func (f *forwardFile) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.read(p)
}

func (f *forwardFile) read(p []byte) (int, error) {
	if f.gone {
		return 0, failed("read", f.name, fs.ErrClosed)
	}
	if f.want < f.at {
		again, err := f.open()
		if err != nil {
			return 0, failed("read", f.name, err)
		}
		_ = f.File.Close() // it was only read
		f.File, f.at = again, 0
	}
	if f.want > f.at {
		if f.want >= f.size {
			return 0, io.EOF
		}
		n, err := io.CopyN(io.Discard, f.File, f.want-f.at)
		if f.at += n; err != nil {
			return 0, err
		}
	}
	n, err := f.File.Read(p)
	f.at += int64(n)
	f.want = f.at
	return n, err
}

// Seek moves the position.
func (f *forwardFile) Seek(offset int64, whence int) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seek(offset, whence)
}

func (f *forwardFile) seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += f.want
	case io.SeekEnd:
		offset += f.size
	}
	if f.gone {
		return 0, failed("seek", f.name, fs.ErrClosed)
	}
	if offset < 0 || whence < io.SeekStart || whence > io.SeekEnd {
		return 0, failed("seek", f.name, fs.ErrInvalid)
	}
	f.want = offset
	return offset, nil
}

// ReadAt reads at an offset.
func (f *forwardFile) ReadAt(p []byte, offset int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return readAt(unlocked{f}, p, offset)
}

// unlocked is the file for who has the lock.
type unlocked struct{ f *forwardFile }

func (u unlocked) Read(p []byte) (int, error)                   { return u.f.read(p) }
func (u unlocked) Seek(offset int64, whence int) (int64, error) { return u.f.seek(offset, whence) }

// Close closes the file.
func (f *forwardFile) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gone = true
	return f.File.Close()
}
