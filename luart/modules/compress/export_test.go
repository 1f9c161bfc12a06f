// SPDX-License-Identifier: Apache-2.0

package compress

import (
	"context"

	"github.com/klauspost/compress/dict"
)

// Codec is a codec as the tests see it.
type Codec struct{ c codec }

// Codecs returns all codecs by name.
func Codecs() map[string]Codec {
	all := map[string]Codec{}
	for _, c := range codecs() {
		all[c.name] = Codec{c}
	}
	return all
}

// Encode compresses at the usual level.
func (c Codec) Encode(ctx context.Context, data, dict string) (string, error) {
	return c.c.encode(ctx, data, options{level: c.c.levels.usual, dict: dict})
}

// Decode restores data.
func (c Codec) Decode(ctx context.Context, data, dict string, maxSize int) (string, error) {
	return c.c.decode(ctx, data, options{maxSize: maxSize, dict: dict})
}

// Train makes a dictionary.
func Train(samples [][]byte, size int) ([]byte, error) {
	return dict.BuildZstdDict(samples, dict.Options{MaxDictSize: size, HashBytes: matchLength, ZstdDictCompat: true, ZstdDictID: 1})
}
