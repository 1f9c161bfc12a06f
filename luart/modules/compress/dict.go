// SPDX-License-Identifier: Apache-2.0

package compress

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/klauspost/compress/dict"
	"github.com/klauspost/compress/zstd"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
)

const (
	minDict     = 256
	maxDict     = 1 << 20
	defaultDict = 112 << 10
	// maxSamples is how many bytes of samples training looks at. It keeps about 60 bytes for each of them, and samples
	// of a hundred times the size of the dictionary are what zstd recommends.
	maxSamples = 16 << 20
	// minSample is the shortest sample that says anything.
	minSample = 8
	// blockSize is the size of the blocks of zstd (RFC 8878, section 3.1.1.2.4), in which the trainer takes samples:
	// it panics for longer ones.
	blockSize = 128 << 10
	// matchLength is the hint that suits most data, by the trainer's documentation.
	matchLength = 6
)

// trainDict implements compress.zstd.train_dict(samples, options).
func trainDict(L *lua.LState) int {
	samples, err := sampleList(call.Table(L, 1))
	if err != nil {
		return call.Invalid(L, err.Error())
	}
	o, err := dictOptions(call.Table(L, 2))
	if err != nil {
		return call.Invalid(L, err.Error())
	}
	out, err := dict.BuildZstdDict(samples, o)
	if err != nil {
		return call.Failed(L, "zstd dict training failed", err)
	}
	return call.Bytes(L, out)
}

func sampleList(t *lua.LTable) ([][]byte, error) {
	if t == nil {
		return nil, errors.New("samples must be a table of strings")
	}
	if t.Len() == 0 {
		return nil, errors.New("samples table cannot be empty")
	}
	samples := make([][]byte, 0, t.Len())
	long, total := false, 0
	for i := 1; i <= t.Len(); i++ {
		s, ok := t.RawGetInt(i).(lua.LString)
		if !ok {
			return nil, errors.New("samples entries must be strings")
		}
		if s == "" {
			return nil, errors.New("samples entries cannot be empty")
		}
		if total += len(s); total > maxSamples {
			return nil, fmt.Errorf("samples have more than %d bytes", maxSamples)
		}
		samples = slices.AppendSeq(samples, slices.Chunk([]byte(s), blockSize))
		long = long || len(s) >= minSample
	}
	if !long {
		return nil, errors.New("at least one sample must be 8 bytes or longer")
	}
	return samples, nil
}

func dictOptions(t *lua.LTable) (dict.Options, error) {
	o := dict.Options{MaxDictSize: defaultDict, HashBytes: matchLength, ZstdDictCompat: true}
	if t == nil {
		return o, nil
	}
	if size, ok := integer(t, "size"); ok {
		if size < minDict || size > maxDict {
			return o, errors.New("dict size must be between 256 and 1048576")
		}
		o.MaxDictSize = int(size)
	}
	if id, ok := integer(t, "id"); ok {
		if id < 0 || id > math.MaxUint32 {
			return o, errors.New("dict id must fit in uint32")
		}
		o.ZstdDictID = uint32(id)
	}
	if level, ok := integer(t, "level"); ok {
		if level < 1 || level > 22 {
			return o, errors.New("level must be between 1 and 22")
		}
		o.ZstdLevel = strength(int(level))
	}
	return o, nil
}

// inspectDict implements compress.zstd.inspect_dict(dict).
func inspectDict(L *lua.LState) int {
	s, ok := call.Text(L, 1)
	switch {
	case !ok:
		return call.Invalid(L, "dictionary must be a string")
	case s == "":
		return call.Invalid(L, "dictionary cannot be empty")
	}
	d, err := zstd.InspectDictionary([]byte(s))
	if err != nil {
		return engine.PushError(L, engine.NewError(engine.KindInvalid, "invalid zstd dictionary").WithCause(err))
	}
	t := engine.NewObject(2)
	t.RawSetString("id", lua.LNumber(d.ID()))
	t.RawSetString("content_size", lua.LNumber(d.ContentSize()))
	return call.Value(L, t)
}
