// SPDX-License-Identifier: Apache-2.0

package compress

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
)

// errSize says that what is decoded is larger than allowed.
var errSize = errors.New("decompressed size exceeds limit")

// piece is how much is done between two looks at the context: a matter of milliseconds, except for brotli at its best,
// which takes 2 to 4 µs for a byte.
const piece = 64 << 10

var pieces = sync.Pool{New: func() any { return new([piece]byte) }}

// feed writes data to w.
func feed(ctx context.Context, w io.Writer, data string) error {
	buf := pieces.Get().(*[piece]byte)
	defer pieces.Put(buf)
	for data != "" {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := copy(buf[:], data)
		if _, err := w.Write(buf[:n]); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// drain reads r to its end. It fails as soon as there are more than limit bytes.
func drain(ctx context.Context, r io.Reader, limit int) (string, error) {
	buf := pieces.Get().(*[piece]byte)
	defer pieces.Put(buf)
	var out strings.Builder
	for {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		n, err := r.Read(buf[:min(piece, limit-out.Len()+1)])
		out.Write(buf[:n])
		switch {
		case out.Len() > limit:
			return "", errSize
		case err == io.EOF:
			return out.String(), nil
		case err != nil:
			return "", err
		}
	}
}

// encoder is what the libraries have in common.
type encoder interface {
	io.WriteCloser
	Reset(w io.Writer)
}

// encoders are the encoders of a format that are not in use, by level.
type encoders struct {
	open  func(level int) (encoder, error)
	pools []sync.Pool
}

func newEncoders(l levels, open func(level int) (encoder, error)) *encoders {
	return &encoders{open: open, pools: make([]sync.Pool, l.max+1)}
}

// encode compresses data.
func (e *encoders) encode(ctx context.Context, data string, o options) (string, error) {
	w, _ := e.pools[o.level].Get().(encoder)
	if w == nil {
		var err error
		if w, err = e.open(o.level); err != nil {
			return "", err
		}
	}
	var out strings.Builder
	w.Reset(&out)
	if err := feed(ctx, w, data); err != nil {
		return "", err // the encoder is in the middle of something, and not kept
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	w.Reset(io.Discard) // do not hold the result
	e.pools[o.level].Put(w)
	return out.String(), nil
}
