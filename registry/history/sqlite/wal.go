// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// The write-ahead log, as described in https://www.sqlite.org/fileformat2.html#walformat:
// a header, then frames of one page each. A frame counts when its salts are those of the
// header and its checksum, which runs over everything before it, is right; the last frame
// of a transaction carries the size of the database, the others zero there.
const (
	walHeader   = 32
	frameHeader = 24
	walMagic    = 0x377f0682 // the lowest bit tells the byte order of the checksums
)

// checkWAL looks for damage in the write-ahead log of a database that is synced at every
// commit. SQLite takes the first bad frame for the end of the log, since a commit that a
// crash cut short looks like that, and would forget every later version without a word.
// But at most one transaction is unfinished when every commit is synced: if two or more
// were written from the bad frame on, all but the last of them had been reported, and
// are damaged.
//
// What it cannot tell from an unfinished transaction is damage in the last one only, and
// a log cut off at its end.
func checkWAL(path string) error {
	found, err := damagedFrame(path + "-wal")
	if err != nil || found < 0 {
		return err
	}
	// A process that is writing at this moment can be caught between two frames. Damage
	// stays where it is.
	again, err := damagedFrame(path + "-wal")
	if err != nil || again != found {
		return err
	}
	return damage(fmt.Errorf("frame %d of the write-ahead log does not match its checksum, and versions stored from there on would be lost", found+1))
}

// damagedFrame returns the index of the first damaged frame, or -1.
func damagedFrame(path string) (int, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return -1, nil
	}
	if err != nil {
		return -1, fmt.Errorf("sqlite history: %w", err)
	}
	if len(raw) < walHeader+frameHeader {
		return -1, nil
	}
	w := newWAL(raw)
	if !w.headerValid() {
		// A header is written in one piece, before any frame. Zeros are a file whose
		// content never reached the disk.
		if w.zeroHeader() {
			return -1, nil
		}
		return 0, nil
	}
	good := w.goodFrames()
	if w.commitsFrom(good) < 2 {
		return -1, nil
	}
	return good, nil
}

// wal is a write-ahead log in memory.
type wal struct {
	raw   []byte
	order binary.ByteOrder // of the words that are summed
	page  int
	s     [2]uint32 // running checksum
}

func newWAL(raw []byte) *wal {
	w := &wal{raw: raw, order: binary.LittleEndian, page: int(binary.BigEndian.Uint32(raw[8:]))}
	if raw[3]&1 != 0 {
		w.order = binary.BigEndian
	}
	return w
}

// sum continues the checksum with b, whose length is a multiple of eight.
func (w *wal) sum(b []byte) {
	for ; len(b) >= 8; b = b[8:] {
		w.s[0] += w.order.Uint32(b) + w.s[1]
		w.s[1] += w.order.Uint32(b[4:]) + w.s[0]
	}
}

func (w *wal) summedTo(b []byte) bool {
	return w.s[0] == binary.BigEndian.Uint32(b) && w.s[1] == binary.BigEndian.Uint32(b[4:])
}

func (w *wal) headerValid() bool {
	magic := binary.BigEndian.Uint32(w.raw)
	if magic&^1 != walMagic || w.page < 512 || w.page > 65536 || w.page&(w.page-1) != 0 {
		return false
	}
	w.sum(w.raw[:24])
	return w.summedTo(w.raw[24:])
}

func (w *wal) zeroHeader() bool {
	for _, b := range w.raw[:walHeader] {
		if b != 0 {
			return false
		}
	}
	return true
}

// frame returns the frame with this index, or nil behind the last whole one.
func (w *wal) frame(i int) []byte {
	size := frameHeader + w.page
	at := walHeader + i*size
	if at+size > len(w.raw) {
		return nil
	}
	return w.raw[at : at+size]
}

// salted reports whether the frame belongs to this log and not to one before it in the
// same file.
func (w *wal) salted(f []byte) bool { return string(f[8:16]) == string(w.raw[16:24]) }

// goodFrames returns the number of frames before the first that does not count.
func (w *wal) goodFrames() int {
	for i := 0; ; i++ {
		f := w.frame(i)
		if f == nil || !w.salted(f) {
			return i
		}
		w.sum(f[:8])
		w.sum(f[frameHeader:])
		if !w.summedTo(f[16:]) {
			return i
		}
	}
}

// commitsFrom counts the ends of transactions from a frame on. The salts of that frame may
// be what is damaged: one of the two is enough then, which no frame of an older log has.
func (w *wal) commitsFrom(first int) int {
	n := 0
	for i := first; ; i++ {
		f := w.frame(i)
		if f == nil {
			return n
		}
		ours := w.salted(f)
		if i == first {
			ours = string(f[8:12]) == string(w.raw[16:20]) || string(f[12:16]) == string(w.raw[20:24])
		}
		if ours && binary.BigEndian.Uint32(f[4:]) != 0 {
			n++
		}
	}
}
