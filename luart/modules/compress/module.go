// SPDX-License-Identifier: Apache-2.0

package compress

import (
	"context"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
)

// Module returns the Lua module `compress`. No call yields. Encoders and decoders are shared by all programs of the
// engine that the module is registered with.
func Module() engine.Module {
	return engine.Module{
		Name:    "compress",
		Classes: []string{"encoding", "deterministic"},
		Build: func(b *engine.Builder) error {
			for _, c := range codecs() {
				t := b.Table(c.name)
				t.Func("encode", c.luaEncode)
				t.Func("decode", c.luaDecode)
			}
			zstd := b.Table("zstd")
			zstd.Func("train_dict", trainDict)
			zstd.Func("inspect_dict", inspectDict)
			return nil
		},
	}
}

// codec is one format. Its functions may be used by several goroutines.
type codec struct {
	name string
	// levels are those that may be asked for, levelError what is said about any other.
	levels     levels
	levelError string
	dicts      bool // the format has dictionaries
	// encode compresses data.
	encode func(ctx context.Context, data string, o options) (string, error)
	// decode restores data of at most o.maxSize bytes.
	decode func(ctx context.Context, data string, o options) (string, error)
	// fault is the error of the module for one of decode.
	fault func(err error) *engine.Error
}

// levels are the strengths of an encoder.
type levels struct{ min, max, usual int }

func codecs() []codec {
	return []codec{newGzip(), newDeflate(), newZlib(), newBrotli(), newZstd()}
}

// data takes the data from the first argument. When it is no good, the two results of the call are pushed.
func data(L *lua.LState) (string, bool) {
	s, ok := call.Text(L, 1)
	switch {
	case !ok:
		call.Invalid(L, "string expected")
	case s == "":
		call.Invalid(L, "input data cannot be empty")
	}
	return s, s != ""
}

func (c codec) luaEncode(L *lua.LState) int {
	s, ok := data(L)
	if !ok {
		return 2
	}
	o, ok := c.options(L)
	if !ok {
		return 2
	}
	out, err := c.encode(engine.From(L).Context(), s, o)
	if err != nil {
		return call.Failed(L, c.name+" encode failed", err)
	}
	return call.Value(L, lua.LString(out))
}

func (c codec) luaDecode(L *lua.LState) int {
	s, ok := data(L)
	if !ok {
		return 2
	}
	o, ok := c.options(L)
	if !ok {
		return 2
	}
	out, err := c.decode(engine.From(L).Context(), s, o)
	if err != nil {
		return engine.PushError(L, c.fault(err))
	}
	return call.Value(L, lua.LString(out))
}
