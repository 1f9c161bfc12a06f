// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"io"
	"math"
	"sync"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

// Sizes in bytes. A piece is what a read without a size returns at most and what is read and written at once; most is
// the bound of a read with a size.
const (
	piece = 32 << 10
	most  = 16 << 20
)

// Class makes stream objects.
type Class struct{ streams, scanners *engine.Class }

// Define adds the class to the module that is being built.
func Define(b *engine.Builder) *Class {
	c := &Class{}
	c.scanners = b.Type("Scanner", map[string]lua.LGFunction{"scan": scan, "text": scanText, "err": scanError}, nil)
	c.streams = b.Type("Stream", map[string]lua.LGFunction{
		"read": read, "write": write, "seek": seek, "flush": flush, "stat": stat, "close": shutdown, "scanner": c.scanner,
	}, map[string]lua.LGFunction{"__tostring": text})
	return c
}

// New makes a stream object of v for the process p, which owns it from now on: it closes v when it ends, if v is an
// io.Closer. size is the number of bytes there are, -1 when that is not known.
func (c *Class) New(p *engine.Process, v any, size int64, options ...Option) lua.LValue {
	return c.streams.New(newStream(p, v, size, options))
}

// From returns the stream behind a Lua value.
func From(v lua.LValue) (*Stream, bool) {
	if ud, ok := v.(*lua.LUserData); ok {
		s, ok := ud.Value.(*Stream)
		return s, ok
	}
	return nil, false
}

func check(L *lua.LState) *Stream { return engine.Check[*Stream](L, 1, "stream") }

func text(L *lua.LState) int {
	if check(L).closed.Load() {
		L.Push(lua.LString("Stream{closed}"))
	} else {
		L.Push(lua.LString("Stream{}"))
	}
	return 1
}

// fault makes the error object of an error of a stream.
func fault(err error) lua.LValue {
	if e, ok := err.(*engine.Error); ok && e.Kind() == engine.KindInternal {
		return engine.ErrorValue(e)
	}
	return engine.ErrorValue(engine.NewError(engine.KindInternal, err.Error()).WithCause(err))
}

// yield runs f in a lane. The call returns what f does, or failure and the error.
func yield(L *lua.LState, l *lane, failure lua.LValue, f func() (lua.LValue, error)) int {
	return engine.Yield(L, &operation{lane: l, run: func(done func(any, error)) { done(f()) }}, results(failure))
}

func results(failure lua.LValue) engine.Resume {
	return func(_ *lua.LState, data any, err error) []lua.LValue {
		if err != nil {
			return []lua.LValue{failure, fault(err)}
		}
		return []lua.LValue{data.(lua.LValue), lua.LNil}
	}
}

// read implements stream:read(size?).
func read(L *lua.LState) int {
	s, size := check(L), float64(L.OptNumber(2, 0))
	if !(size >= 1) {
		size = piece
	}
	return yield(L, s.in, lua.LNil, func() (lua.LValue, error) {
		text, err := s.take(int(min(math.Trunc(size), most)))
		if err == io.EOF {
			return lua.LNil, nil
		}
		return lua.LString(text), err
	})
}

// buffers are what reads go into before they become a string: many programs read many pieces.
var buffers = sync.Pool{New: func() any { return new([2 * piece]byte) }}

// take reads at most size bytes, and at least one before the end. Where a read does not wait for somebody, which is
// where the stream can seek, it goes on until there are as many; else it returns what there is.
func (s *Stream) take(size int) (string, error) {
	pooled := buffers.Get().(*[2 * piece]byte)
	defer buffers.Put(pooled)
	buffer := pooled[:min(size, len(pooled))]
	n, empty := 0, 0
	for {
		got, err := s.read(buffer[n:])
		n += got
		if got == 0 && err == nil {
			if empty++; empty > 100 {
				return "", io.ErrNoProgress
			}
			continue
		}
		switch {
		case n > 0 && (err != nil || n == size || s.seeker == nil):
			return string(buffer[:n]), nil // an error that lasts is the next call's
		case err != nil:
			return "", err
		case n == len(buffer):
			grown := make([]byte, n+min(size-n, n))
			copy(grown, buffer)
			buffer = grown
		}
	}
}

// write implements stream:write(data).
func write(L *lua.LState) int {
	s, data := check(L), L.CheckString(2)
	return yield(L, s.out, lua.LNumber(0), func() (lua.LValue, error) {
		buffer := make([]byte, min(len(data), 2*piece))
		for rest := data; ; {
			n, err := s.write(buffer[:copy(buffer, rest)])
			if err != nil {
				return nil, err
			}
			if rest = rest[n:]; rest == "" {
				return lua.LNumber(len(data)), nil
			}
			if n == 0 {
				return nil, io.ErrShortWrite
			}
		}
	})
}

var whences = map[string]int{"set": io.SeekStart, "cur": io.SeekCurrent, "end": io.SeekEnd}

// seek implements stream:seek(whence?, offset?).
func seek(L *lua.LState) int {
	s, word, offset := check(L), L.OptString(2, "set"), L.OptInt64(3, 0)
	whence, ok := whences[word]
	if !ok {
		L.ArgError(2, "invalid whence: must be 'set', 'cur' or 'end'")
	}
	return yield(L, s.in, lua.LNumber(-1), func() (lua.LValue, error) {
		at, err := s.seek(offset, whence)
		return lua.LNumber(at), err
	})
}

// flush implements stream:flush().
func flush(L *lua.LState) int {
	s := check(L)
	return yield(L, s.out, lua.LFalse, func() (lua.LValue, error) { return lua.LTrue, s.flush() })
}

// stat implements stream:stat(). It answers at once, also while an operation is under way.
func stat(L *lua.LState) int {
	s := check(L)
	if s.closed.Load() {
		return engine.PushError(L, errClosed)
	}
	t := engine.NewObject(5)
	t.RawSetString("size", lua.LNumber(s.length()))
	t.RawSetString("position", lua.LNumber(s.position.Load()))
	t.RawSetString("readable", lua.LBool(s.reader != nil))
	t.RawSetString("writable", lua.LBool(s.writer != nil))
	t.RawSetString("seekable", lua.LBool(s.seeker != nil))
	L.Push(t)
	L.Push(lua.LNil)
	return 2
}

// shutdown implements stream:close().
func shutdown(L *lua.LState) int {
	s := check(L)
	n := engine.Yield(L, &operation{run: func(done func(any, error)) {
		s.shut(func(err error) { done(lua.LTrue, err) })
	}}, results(lua.LFalse))
	s.release() // not where the coroutine cannot be suspended: then the process still closes it
	return n
}
