// SPDX-License-Identifier: Apache-2.0

package compress

import (
	"context"
	"strings"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/klauspost/compress/zstd"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
)

// minWindow is the window that RFC 8878, section 3.1.1.1.2, asks every decoder to support.
const minWindow = 8 << 20

// maxDictionaries is how many dictionaries are kept ready. To prepare one takes 4 ms, some 300 times as long as to use
// it for a message (BenchmarkDictionary).
const maxDictionaries = 16

func newZstd() codec {
	l := levels{min: 1, max: 22, usual: 3}
	z := newZstdCodec("")
	dicts, _ := lru.New[string, *zstdCodec](maxDictionaries) // fails only when it may hold nothing
	with := func(dict string) *zstdCodec {
		if dict == "" {
			return z
		}
		d, ok := dicts.Get(dict)
		if !ok {
			d = newZstdCodec(dict)
			dicts.Add(dict, d)
		}
		return d
	}
	return codec{
		name: "zstd", levels: l, levelError: "zstd level must be between 1 and 22", dicts: true,
		encode: func(ctx context.Context, data string, o options) (string, error) {
			return with(o.dict).encode(ctx, data, o)
		},
		decode: func(_ context.Context, data string, o options) (string, error) {
			return with(o.dict).decode(data, o.maxSize)
		},
		fault: func(err error) *engine.Error {
			return call.Fault(engine.KindInternal, "zstd decode failed", err)
		},
	}
}

// strength maps the levels of the zstd tool to the four that the library has.
func strength(level int) zstd.EncoderLevel {
	switch {
	case level <= 3:
		return zstd.SpeedFastest
	case level <= 6:
		return zstd.SpeedDefault
	case level <= 9:
		return zstd.SpeedBetterCompression
	}
	return zstd.SpeedBestCompression
}

// zstdCodec is zstd with a dictionary, or without. It may be used by several goroutines.
type zstdCodec struct {
	dict     string
	encoders []sync.Pool // by strength
	decoders sync.Pool
}

func newZstdCodec(dict string) *zstdCodec {
	return &zstdCodec{dict: dict, encoders: make([]sync.Pool, zstd.SpeedBestCompression+1)}
}

// encoder returns an encoder that is not in use.
func (z *zstdCodec) encoder(level zstd.EncoderLevel) (*zstd.Encoder, error) {
	if w, ok := z.encoders[level].Get().(*zstd.Encoder); ok {
		return w, nil
	}
	settings := []zstd.EOption{zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(1)}
	if z.dict != "" {
		settings = append(settings, zstd.WithEncoderDict([]byte(z.dict)))
	}
	return zstd.NewWriter(nil, settings...)
}

func (z *zstdCodec) encode(ctx context.Context, data string, o options) (string, error) {
	level := strength(o.level)
	w, err := z.encoder(level)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	w.ResetContentSize(&out, int64(len(data)))
	if err := feed(ctx, w, data); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	w.Reset(nil)
	z.encoders[level].Put(w)
	return out.String(), nil
}

// decoder returns a decoder that is not in use.
func (z *zstdCodec) decoder() (*zstd.Decoder, error) {
	if r, ok := z.decoders.Get().(*zstd.Decoder); ok {
		return r, nil
	}
	settings := []zstd.DOption{zstd.WithDecoderConcurrency(1)}
	if z.dict != "" {
		settings = append(settings, zstd.WithDecoderDicts([]byte(z.dict)))
	}
	return zstd.NewReader(nil, settings...)
}

func (z *zstdCodec) decode(data string, maxSize int) (string, error) {
	r, err := z.decoder()
	if err != nil {
		return "", err
	}
	// The limit is on windows, too, and small data may well have a large one.
	limit := zstd.WithDecoderMaxMemory(uint64(max(maxSize, minWindow)))
	if err := r.ResetWithOptions(nil, limit); err != nil {
		return "", err
	}
	out, err := r.DecodeAll([]byte(data), nil)
	z.decoders.Put(r)
	if err != nil {
		return "", err
	}
	if len(out) > maxSize {
		return "", errSize
	}
	return string(out), nil
}
