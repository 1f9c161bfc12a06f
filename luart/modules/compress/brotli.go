// SPDX-License-Identifier: Apache-2.0

package compress

import (
	"context"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
)

func newBrotli() codec {
	l := levels{min: 0, max: 11, usual: 6}
	readers := sync.Pool{New: func() any { return brotli.NewReader(nil) }}
	return codec{
		name: "brotli", levels: l, levelError: "brotli quality must be between 0 and 11",
		encode: newEncoders(l, func(level int) (encoder, error) {
			return brotli.NewWriterLevel(nil, level), nil
		}).encode,
		decode: func(ctx context.Context, data string, o options) (string, error) {
			r := readers.Get().(*brotli.Reader)
			if err := r.Reset(strings.NewReader(data)); err != nil {
				return "", err
			}
			out, err := drain(ctx, r, o.maxSize)
			readers.Put(r)
			return out, err
		},
		fault: headless("brotli"),
	}
}
