// SPDX-License-Identifier: Apache-2.0

package internode

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// kind says what a frame is. 0 is none, so that a stream of zeros is an error at once.
type kind byte

const (
	kindHello kind = iota + 1
	kindProof
	kindRefuse
	kindMessage
	kindAck
	kindBeat
	kindEnd // one more than the last
)

func (k kind) String() string {
	names := [kindEnd]string{"none", "hello", "proof", "refuse", "message", "ack", "beat"}
	if k < kindEnd {
		return names[k]
	}
	return fmt.Sprintf("kind %d", byte(k))
}

// A frame is a header, which is the length of the rest as four bytes, big-endian, and a
// byte for the kind; and a body. The length counts the kind.
const headerSize = 5

// beginFrame appends a header to b; endFrame fills its length in when the body, which is
// everything behind it, is there. start is len(b) before beginFrame.
func beginFrame(b []byte, k kind) []byte { return append(b, 0, 0, 0, 0, byte(k)) }

// endFrame returns b cut back to start, and ErrFrameSize, when the frame is longer than
// limit.
func endFrame(b []byte, start, limit int) ([]byte, error) {
	n := len(b) - start - headerSize + 1
	if n > limit {
		return b[:start], fmt.Errorf("%w: %d bytes, limit %d", ErrFrameSize, n, limit)
	}
	binary.BigEndian.PutUint32(b[start:], uint32(n))
	return b, nil
}

// frameReader takes frames out of a stream. It is used by one goroutine.
type frameReader struct {
	src   *bufio.Reader
	limit int // of a frame's length; may be changed between frames
	body  []byte
}

// step is by how much the room for a body grows before the bytes for it have arrived, at
// most: a header that claims a long body costs its sender that body.
const step = 64 << 10

// keepBody is the room for a body that is kept for the next one.
const keepBody = 1 << 20

// next returns the next frame. The body is valid until the next call. At the end of the
// stream between two frames the error is io.EOF, inside one io.ErrUnexpectedEOF.
func (r *frameReader) next() (kind, []byte, error) {
	var header [headerSize]byte
	if _, err := io.ReadFull(r.src, header[:]); err != nil {
		return 0, nil, err
	}
	length, k := binary.BigEndian.Uint32(header[:]), kind(header[4])
	switch {
	case length == 0:
		return 0, nil, fmt.Errorf("%w: no kind", ErrMalformed)
	case k == 0 || k >= kindEnd:
		return 0, nil, fmt.Errorf("%w: unknown %v", ErrMalformed, k)
	case uint64(length) > uint64(r.limit):
		return 0, nil, fmt.Errorf("%w: %v of %d bytes, limit %d", ErrFrameSize, k, length, r.limit)
	}
	body, err := r.fill(int(length) - 1)
	return k, body, err
}

// buffered reports whether next would return without reading from the stream below.
func (r *frameReader) buffered() bool {
	n := r.src.Buffered()
	if n < headerSize {
		return false
	}
	header, err := r.src.Peek(headerSize)
	return err == nil && uint64(n) >= headerSize-1+uint64(binary.BigEndian.Uint32(header))
}

// fill reads n bytes.
func (r *frameReader) fill(n int) ([]byte, error) {
	if cap(r.body) > keepBody && n <= keepBody {
		r.body = nil
	}
	b := r.body[:0]
	for len(b) < n {
		from := len(b)
		part := min(n-from, max(step, cap(b)-from))
		if cap(b)-from < part {
			b = append(make([]byte, 0, min(n, max(2*cap(b), from+part))), b...)
		}
		b = b[:from+part]
		if _, err := io.ReadFull(r.src, b[from:]); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	r.body = b
	return b, nil
}
