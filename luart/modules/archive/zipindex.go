// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
)

// index is an archive with random access. It may be used by several goroutines.
type index interface {
	// entries returns all entries in the order of the archive.
	entries() []*entry
	// open returns a reader of what a file contains.
	open(e *entry) (io.ReadCloser, error)
}

type zipIndex struct {
	files []*zip.File
	list  []*entry
}

// Package archive/zip holds the whole directory of an archive, which may have directoryBytes, and directoryShare more
// for each entry that is allowed: names and what else is known of it. A directory of the shortest headers then becomes
// 200 MB before it is refused for having too many.
const (
	directoryBytes = 4 << 20
	directoryShare = 256
)

func newZipIndex(s source, o *options) (index, error) {
	if err := checkCount(s, o); err != nil {
		return nil, err
	}
	d := &directory{ReaderAt: s, left: directoryBytes + min(o.maxEntries, 1<<32)*directoryShare}
	r, err := zip.NewReader(d, s.size)
	d.opened = true
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, err
	}
	if int64(len(r.File)) > o.maxEntries {
		return nil, errEntries(o)
	}
	z := &zipIndex{files: r.File, list: make([]*entry, len(r.File))}
	for i, f := range r.File {
		z.list[i] = zipEntry(&f.FileHeader, i)
	}
	return z, nil
}

func errEntries(o *options) error {
	return invalid("archive has more than max_entries (%d) entries", o.maxEntries)
}

// zipEntry makes the entry of a header. The sizes of a zip64 archive may be too large for int64.
func zipEntry(h *zip.FileHeader, i int) *entry {
	e := &entry{
		name:       h.Name,
		size:       clip(h.UncompressedSize64),
		compressed: clip(h.CompressedSize64),
		mode:       h.Mode(),
		modified:   h.Modified,
		method:     "deflate",
		crc:        h.CRC32,
		index:      i,
	}
	if h.Method == zip.Store {
		e.method = "store"
	}
	if n := len(e.name); n > 0 && e.name[n-1] == '/' {
		e.mode |= fs.ModeDir
	}
	return e
}

func clip(n uint64) int64 { return int64(min(n, 1<<63-1)) }

func (z *zipIndex) entries() []*entry { return z.list }

func (z *zipIndex) open(e *entry) (io.ReadCloser, error) {
	f := z.files[e.index]
	if f.Flags&1 != 0 {
		return nil, invalid("entry is encrypted: %s", e.name)
	}
	return f.Open()
}

// The signatures of a zip archive.
const (
	sigLocal      = 0x04034b50
	sigDirectory  = 0x02014b50
	sigEnd        = 0x06054b50
	sigEnd64      = 0x06064b50
	sigLocator64  = 0x07064b50
	sigDescriptor = 0x08074b50
	sigExtra      = 0x08064b50 // archive extra data
)

// directory reads an archive for archive/zip. It limits how much is read before opened is set.
type directory struct {
	io.ReaderAt
	left   int64
	opened bool
}

// ReadAt implements io.ReaderAt.
func (d *directory) ReadAt(p []byte, off int64) (int, error) {
	if !d.opened {
		if d.left -= int64(len(p)); d.left < 0 {
			return 0, invalid("the directory of the archive is too long")
		}
	}
	return d.ReaderAt.ReadAt(p, off)
}

// checkCount refuses an archive that says it has too many entries: archive/zip makes room for them at once. Only in
// the records of zip64, whose place is said near the end, the number can be large.
func checkCount(s source, o *options) error {
	tail := make([]byte, min(s.size, 20+22+1<<16)) // the locator, the record at the end and its comment
	base := s.size - int64(len(tail))
	if _, err := s.ReadAt(tail, base); err != nil && err != io.EOF {
		return err
	}
	le := binary.LittleEndian
	locator := le.AppendUint32(nil, sigLocator64)
	for {
		i := bytes.Index(tail, locator)
		if i < 0 || len(tail)-i < 20 {
			return nil
		}
		var record [56]byte
		n, err := s.ReadAt(record[:], clip(le.Uint64(tail[i+8:])))
		switch {
		case n == len(record):
			if le.Uint32(record[:]) == sigEnd64 && clip(le.Uint64(record[32:])) > o.maxEntries {
				return errEntries(o)
			}
		case err != nil && err != io.EOF:
			return err
		}
		tail = tail[i+4:]
	}
}
