// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"archive/zip"
	"bufio"
	"compress/flate"
	"encoding/binary"
	"errors"
	"hash"
	"hash/crc32"
	"io"
	"time"
)

// sequence is an archive that is read once, from its start to its end. It is used by one goroutine at a time.
type sequence interface {
	// next goes to the next entry and returns io.EOF behind the last one.
	next() (*entry, error)
	// Read reads the current entry.
	io.Reader
	// close gives up what reading takes.
	close()
}

// zipScan reads a zip archive by the headers in front of its entries, without the directory at the end.
type zipScan struct {
	r       *bufio.Reader
	inflate io.ReadCloser // reused for all entries
	current zipBody
	count   int
}

// zipBody is the entry being read.
type zipBody struct {
	header     zip.FileHeader
	descriptor bool             // the sizes follow the data
	raw        io.LimitedReader // what the archive contains; not with a descriptor
	r          io.Reader        // what it is unpacked to; nil when it cannot be
	crc        hash.Hash32
	size       uint64 // unpacked so far
	end        error  // what Read returns from now on
	deflated   *counted
}

func newZipScan(r *bufio.Reader) *zipScan {
	s := &zipScan{r: r}
	s.current.end = io.EOF
	return s
}

func (s *zipScan) close() {}

// next implements sequence.
func (s *zipScan) next() (*entry, error) {
	if err := s.skip(); err != nil {
		return nil, err
	}
	var fixed [30]byte
	if _, err := io.ReadFull(s.r, fixed[:4]); err != nil {
		return nil, cut(err)
	}
	le := binary.LittleEndian
	switch le.Uint32(fixed[:]) {
	case sigLocal:
	case sigDirectory, sigEnd, sigEnd64, sigExtra:
		return nil, io.EOF
	default:
		return nil, zip.ErrFormat
	}
	if _, err := io.ReadFull(s.r, fixed[4:]); err != nil {
		return nil, cut(err)
	}
	h := zip.FileHeader{
		ReaderVersion:      le.Uint16(fixed[4:]),
		Flags:              le.Uint16(fixed[6:]),
		Method:             le.Uint16(fixed[8:]),
		Modified:           dosTime(le.Uint16(fixed[12:]), le.Uint16(fixed[10:])),
		CRC32:              le.Uint32(fixed[14:]),
		CompressedSize64:   uint64(le.Uint32(fixed[18:])),
		UncompressedSize64: uint64(le.Uint32(fixed[22:])),
	}
	text := make([]byte, int(le.Uint16(fixed[26:]))+int(le.Uint16(fixed[28:])))
	if _, err := io.ReadFull(s.r, text); err != nil {
		return nil, cut(err)
	}
	n := le.Uint16(fixed[26:])
	h.Name, h.Extra = string(text[:n]), text[n:]
	h.SetMode(0o644)
	zip64Sizes(&h)
	if err := s.start(h); err != nil {
		return nil, err
	}
	s.count++
	return zipEntry(&h, s.count-1), nil
}

// cut makes an end that comes too early an error.
func cut(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// dosTime is the time of an MS-DOS date and time.
func dosTime(date, t uint16) time.Time {
	return time.Date(int(date>>9)+1980, time.Month(date>>5&0xf), int(date&0x1f), int(t>>11), int(t>>5&0x3f), int(t&0x1f)*2, 0, time.UTC)
}

// zip64Sizes takes sizes that do not fit into the header from the extra field.
func zip64Sizes(h *zip.FileHeader) {
	le := binary.LittleEndian
	for extra := h.Extra; len(extra) >= 4; {
		id, size := le.Uint16(extra), int(le.Uint16(extra[2:]))
		if extra = extra[4:]; size > len(extra) {
			return
		}
		if id == 1 {
			field := extra[:size]
			for _, n := range []*uint64{&h.UncompressedSize64, &h.CompressedSize64} {
				if *n == 1<<32-1 && len(field) >= 8 {
					*n, field = le.Uint64(field), field[8:]
				}
			}
		}
		extra = extra[size:]
	}
}

// start prepares reading the entry of a header.
func (s *zipScan) start(h zip.FileHeader) error {
	b := &s.current
	*b = zipBody{header: h, descriptor: h.Flags&8 != 0, crc: crc32.NewIEEE()}
	b.raw = io.LimitedReader{R: s.r, N: clip(h.CompressedSize64)}
	encrypted := h.Flags&1 != 0
	switch {
	case b.descriptor && (h.Method != zip.Deflate || encrypted):
		return invalid("entry has no size in front of its data and cannot be scanned: %s", h.Name)
	case encrypted:
		b.end = invalid("entry is encrypted: %s", h.Name)
	case h.Method == zip.Store:
		b.r = &b.raw
	case h.Method == zip.Deflate && b.descriptor:
		b.deflated = &counted{r: s.r}
		b.r = s.inflater(b.deflated)
	case h.Method == zip.Deflate:
		b.r = s.inflater(&b.raw)
	default:
		b.end = invalid("entry has an unknown method: %s", h.Name)
	}
	return nil
}

// inflater returns the decompressor, reading from r. It reads no further than the compressed data when r is an
// io.ByteReader.
func (s *zipScan) inflater(r io.Reader) io.Reader {
	if s.inflate == nil {
		s.inflate = flate.NewReader(r)
		return s.inflate
	}
	if err := s.inflate.(flate.Resetter).Reset(r, nil); err != nil {
		return errorReader{err}
	}
	return s.inflate
}

type errorReader struct{ err error }

// Read implements io.Reader.
func (e errorReader) Read([]byte) (int, error) { return 0, e.err }

// counted counts what is read of compressed data.
type counted struct {
	r *bufio.Reader
	n uint64
}

// Read implements io.Reader.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += uint64(n)
	return n, err
}

// ReadByte implements io.ByteReader.
func (c *counted) ReadByte() (byte, error) {
	b, err := c.r.ReadByte()
	if err == nil {
		c.n++
	}
	return b, err
}

// Read implements sequence.
func (s *zipScan) Read(p []byte) (int, error) {
	b := &s.current
	if b.end != nil {
		return 0, b.end
	}
	n, err := b.r.Read(p)
	b.crc.Write(p[:n])
	b.size += uint64(n)
	if err == io.EOF {
		err = s.finish()
	}
	if err != nil {
		b.end = err
	}
	return n, err
}

// finish checks an entry that was read to its end. It returns io.EOF when all is well.
func (s *zipScan) finish() error {
	b := &s.current
	if b.descriptor {
		return s.descriptor()
	}
	if b.size != b.header.UncompressedSize64 || b.header.Method == zip.Store && b.raw.N > 0 {
		return io.ErrUnexpectedEOF
	}
	if b.crc.Sum32() != b.header.CRC32 {
		return zip.ErrChecksum
	}
	return io.EOF
}

// descriptor reads what follows the data: a signature, which may be missing, the checksum and the sizes, of four or
// eight bytes each. What fits the data is taken.
func (s *zipScan) descriptor() error {
	b := &s.current
	le := binary.LittleEndian
	for _, signature := range []int{4, 0} {
		for _, width := range []int{4, 8} {
			text, err := s.r.Peek(signature + 4 + 2*width)
			if err != nil {
				if err == io.EOF {
					continue
				}
				return err
			}
			if signature > 0 && le.Uint32(text) != sigDescriptor {
				continue
			}
			text = text[signature:]
			compressed, size := uint64(le.Uint32(text[4:])), uint64(le.Uint32(text[8:]))
			if width == 8 {
				compressed, size = le.Uint64(text[4:]), le.Uint64(text[12:])
			}
			if le.Uint32(text) != b.crc.Sum32() || !same(compressed, b.deflated.n, width) || !same(size, b.size, width) {
				continue
			}
			if _, err := s.r.Discard(signature + 4 + 2*width); err != nil {
				return err
			}
			return io.EOF
		}
	}
	return zip.ErrChecksum
}

// same compares a size as it is written in width bytes with the true one.
func same(written, size uint64, width int) bool {
	if width == 4 {
		size = uint64(uint32(size))
	}
	return written == size
}

// skip goes behind the current entry.
func (s *zipScan) skip() error {
	b := &s.current
	if b.raw.R != nil && !b.descriptor {
		// Nobody wants to know what it is: it need not be unpacked.
		if _, err := io.Copy(io.Discard, plainReader{&b.raw}); err != nil {
			return err
		}
		if b.raw.N > 0 {
			return io.ErrUnexpectedEOF
		}
		return nil
	}
	for b.end == nil {
		if _, err := io.Copy(io.Discard, plainReader{s}); err != nil {
			return err
		}
	}
	if errors.Is(b.end, io.EOF) {
		return nil
	}
	return b.end
}
