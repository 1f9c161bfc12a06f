// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"archive/tar"
	"io"
	"io/fs"
	"strings"
)

// tarIndex is where the entries of a tar archive are, found by one pass over their headers.
type tarIndex struct {
	s       source
	list    []*entry
	offsets []int64 // of what they contain; -1 for a file with holes
}

func newTarIndex(j *job, s source) (index, error) {
	o := j.opts
	section := io.NewSectionReader(s, 0, s.size)
	r := tar.NewReader(&seekable{sourceReader{j.ctx, section}, section})
	t := &tarIndex{s: s}
	names := int64(0)
	for {
		h, err := r.Next()
		if err == io.EOF {
			return t, nil
		}
		if err != nil {
			return nil, err
		}
		e := tarEntry(h, len(t.list))
		if names += int64(len(e.name)); names > directoryBytes+min(o.maxEntries, 1<<32)*directoryShare {
			return nil, invalid("the names of the archive are too long")
		}
		if int64(len(t.list)) >= o.maxEntries {
			return nil, errEntries(o)
		}
		at, err := section.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		if hasHoles(h) {
			at = -1
		}
		t.list, t.offsets = append(t.list, e), append(t.offsets, at)
	}
}

// seekable lets archive/tar skip what it does not read.
type seekable struct {
	sourceReader
	io.Seeker
}

// hasHoles reports whether the contents of an entry are put together from parts.
func hasHoles(h *tar.Header) bool {
	if h.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// tarEntry makes the entry of a header.
func tarEntry(h *tar.Header, i int) *entry {
	e := &entry{name: h.Name, size: h.Size, compressed: h.Size, mode: h.FileInfo().Mode(), modified: h.ModTime, method: "store", index: i}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse, tar.TypeDir:
	case tar.TypeSymlink, tar.TypeLink:
		e.mode |= fs.ModeSymlink
	default:
		if e.mode.IsRegular() {
			e.mode |= fs.ModeIrregular
		}
	}
	return e
}

func (t *tarIndex) entries() []*entry { return t.list }

func (t *tarIndex) open(e *entry) (io.ReadCloser, error) {
	if at := t.offsets[e.index]; at >= 0 {
		return io.NopCloser(io.NewSectionReader(exact{t.s}, at, e.size)), nil
	}
	// A file with holes is rare: it is found again from the start.
	section := io.NewSectionReader(t.s, 0, t.s.size)
	r := tar.NewReader(section)
	for range e.index + 1 {
		if _, err := r.Next(); err != nil {
			return nil, err
		}
	}
	return io.NopCloser(r), nil
}

// exact reads an archive that may end before what it says it contains.
type exact struct{ s source }

// ReadAt implements io.ReaderAt.
func (x exact) ReadAt(p []byte, off int64) (int, error) {
	n, err := x.s.ReadAt(p, off)
	if err == io.EOF && n < len(p) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
