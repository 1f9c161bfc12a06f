// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"io"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
	"github.com/wippyrun/kit/luart/modules/owned"
)

const (
	// chunk is what read returns at most when no size is given, maxChunk when one is.
	chunk    = 32 << 10
	maxChunk = 256 << 10
)

// plainStream is the value behind the Stream objects of hosts that have none of their own. It is an io.Reader, so that
// it can be the source of another archive.
type plainStream struct {
	r       io.ReadCloser
	size    int64
	at      int64
	closed  bool
	release func() bool
}

// newStream makes a Stream object.
func (m *module) newStream(L *lua.LState, r io.ReadCloser, size int64) lua.LValue {
	s := &plainStream{r: r, size: size}
	s.release = owned.Add(engine.From(L), s.shut)
	return m.streams.New(s)
}

var errStream = engine.NewError(engine.KindInternal, "stream is closed")

// Read implements io.Reader.
func (s *plainStream) Read(p []byte) (int, error) {
	if s.closed {
		return 0, errStream
	}
	n, err := s.r.Read(p)
	s.at += int64(n)
	return n, err
}

func (s *plainStream) shut() {
	s.closed = true
	_ = s.r.Close() // it was only read
}

func checkStream(L *lua.LState) *plainStream {
	return engine.Check[*plainStream](L, 1, "archive.Stream")
}

var streamMethods = map[string]lua.LGFunction{
	"read": func(L *lua.LState) int {
		s, size := checkStream(L), int64(L.OptNumber(2, 0))
		if size <= 0 {
			size = chunk
		}
		buffer := make([]byte, min(size, maxChunk))
		for {
			n, err := s.Read(buffer)
			switch {
			case n > 0:
				return call.Bytes(L, buffer[:n])
			case err == io.EOF:
				return call.Value(L, lua.LNil)
			case err != nil:
				return engine.PushError(L, engine.NewError(engine.KindInternal, err.Error()).WithCause(err))
			}
		}
	},
	"stat": func(L *lua.LState) int {
		s := checkStream(L)
		t := engine.NewObject(5)
		t.RawSetString("size", lua.LNumber(s.size))
		t.RawSetString("position", lua.LNumber(s.at))
		t.RawSetString("readable", lua.LBool(!s.closed))
		t.RawSetString("writable", lua.LFalse)
		t.RawSetString("seekable", lua.LFalse)
		return call.Value(L, t)
	},
	"close": func(L *lua.LState) int {
		if s := checkStream(L); s.release() {
			s.shut()
		}
		return call.Value(L, lua.LTrue)
	},
}
