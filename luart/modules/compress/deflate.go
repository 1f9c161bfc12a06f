// SPDX-License-Identifier: Apache-2.0

package compress

import (
	"context"
	"io"
	"strings"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
)

// deflateLevels are those of the three formats that are deflate inside.
var deflateLevels = levels{min: 1, max: 9, usual: 6}

const deflateLevelError = "compression level must be between 1 and 9"

func newGzip() codec {
	var readers sync.Pool
	return codec{
		name: "gzip", levels: deflateLevels, levelError: deflateLevelError,
		encode: newEncoders(deflateLevels, func(level int) (encoder, error) {
			return gzip.NewWriterLevel(nil, level)
		}).encode,
		decode: func(ctx context.Context, data string, o options) (string, error) {
			r, _ := readers.Get().(*gzip.Reader)
			if r == nil {
				r = new(gzip.Reader)
			}
			if err := r.Reset(strings.NewReader(data)); err != nil {
				return "", headerError{err}
			}
			out, err := drain(ctx, r, o.maxSize)
			readers.Put(r)
			return out, err
		},
		fault: headed("gzip"),
	}
}

func newZlib() codec {
	var readers sync.Pool
	return codec{
		name: "zlib", levels: deflateLevels, levelError: deflateLevelError,
		encode: newEncoders(deflateLevels, func(level int) (encoder, error) {
			return zlib.NewWriterLevel(nil, level)
		}).encode,
		decode: func(ctx context.Context, data string, o options) (string, error) {
			r, _ := readers.Get().(io.Reader)
			var err error
			if r == nil {
				r, err = zlib.NewReader(strings.NewReader(data))
			} else {
				err = r.(zlib.Resetter).Reset(strings.NewReader(data), nil)
			}
			if err != nil {
				return "", headerError{err}
			}
			out, err := drain(ctx, r, o.maxSize)
			readers.Put(r)
			return out, err
		},
		fault: headed("zlib"),
	}
}

func newDeflate() codec {
	readers := sync.Pool{New: func() any { return flate.NewReader(strings.NewReader("")) }}
	return codec{
		name: "deflate", levels: deflateLevels, levelError: deflateLevelError,
		encode: newEncoders(deflateLevels, func(level int) (encoder, error) {
			return flate.NewWriter(nil, level)
		}).encode,
		decode: func(ctx context.Context, data string, o options) (string, error) {
			r := readers.Get().(io.Reader)
			if err := r.(flate.Resetter).Reset(strings.NewReader(data), nil); err != nil {
				return "", err
			}
			out, err := drain(ctx, r, o.maxSize)
			readers.Put(r)
			return out, err
		},
		fault: headless("deflate"),
	}
}

// headerError says that the data is of another format altogether.
type headerError struct{ error }

// headed is the fault of formats that have a header: what has none is Invalid, what is wrong after it Internal.
func headed(name string) func(error) *engine.Error {
	return func(err error) *engine.Error {
		if h, ok := err.(headerError); ok {
			return invalidData(name, h.error)
		}
		return call.Fault(engine.KindInternal, name+" decode failed", err)
	}
}

// headless is the fault of formats that are not told from other data: everything is Invalid.
func headless(name string) func(error) *engine.Error {
	return func(err error) *engine.Error { return invalidData(name, err) }
}

func invalidData(name string, cause error) *engine.Error {
	return engine.NewError(engine.KindInvalid, "invalid "+name+" data").WithCause(cause)
}
