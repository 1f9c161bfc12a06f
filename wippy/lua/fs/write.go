// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"io"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/lua/stream"
	files "github.com/wippyrun/kit/wippy/service/fs"
)

// writeFile implements vol:writefile(path, data, mode?).
func writeFile(L *lua.LState) int {
	v, p, data, mode := checkVolume(L), L.CheckString(2), L.Get(3), L.OptString(4, "w")
	if data == lua.LNil {
		return failure(L, lua.LFalse, invalid("data argument required"))
	}
	flag, ok := flags[mode]
	if !ok || mode == "r" {
		return failure(L, lua.LFalse, invalid("invalid mode; must be 'w', 'wx' or 'a'"))
	}
	name, err := v.resolve(p)
	if err != nil {
		return failure(L, lua.LFalse, err)
	}
	f, err := v.fs.OpenFile(name, flag, filePerm)
	if err != nil {
		return failure(L, lua.LFalse, notFound(err))
	}
	if text, ok := data.(lua.LString); ok {
		_, err = io.WriteString(f, string(text))
		return written(L, name, finish(f, err))
	}
	source, waits, err := sourceOf(data)
	if err != nil {
		_ = f.Close() // it is as it was opened
		return failure(L, lua.LFalse, err)
	}
	process := engine.From(L)
	if !waits {
		_, err = copyFile(process, f, source)
		return written(L, name, finish(f, err))
	}
	return fill(L, f, name, source)
}

// fill writes all of r into a file and closes it, while the coroutine is suspended.
func fill(L *lua.LState, f files.File, name string, r io.Reader) int {
	suspended := false
	defer func() {
		if !suspended { // the coroutine cannot be: an error is on its way
			_ = f.Close()
		}
	}()
	n := stream.Await(L, func() (any, error) {
		_, err := io.Copy(plainWriter{f}, r)
		return nil, finish(f, err)
	}, func(_ *lua.LState, _ any, err error) []lua.LValue {
		if err != nil {
			return []lua.LValue{lua.LFalse, engine.ErrorValue(internal(named(name, err)))}
		}
		return []lua.LValue{lua.LTrue, lua.LNil}
	})
	suspended = true
	return n
}

// finish closes a file that was written. An error from before is the one to tell.
func finish(f files.File, err error) error {
	if closing := f.Close(); err == nil {
		err = closing
	}
	return err
}

// written pushes the results of writing.
func written(L *lua.LState, name string, err error) int {
	if err != nil {
		return failure(L, lua.LFalse, internal(named(name, err)))
	}
	return success(L, lua.LTrue)
}

// sourceOf returns the reader behind a value: a file, or something that waits for others.
func sourceOf(v lua.LValue) (r io.Reader, waits bool, err error) {
	ud, ok := v.(*lua.LUserData)
	if !ok {
		return nil, false, invalid("data must be a string, a file or a stream, got " + v.Type().String())
	}
	r, ok = ud.Value.(io.Reader)
	if says, is := ud.Value.(interface{ Readable() bool }); is {
		ok = ok && says.Readable()
	}
	if !ok {
		return nil, false, invalid("data must be a string, a file or a stream that can be read")
	}
	_, isFile := r.(*file)
	return r, !isFile, nil
}

// piece is how much is copied at once.
const piece = 64 << 10

// copyFile copies as io.Copy does, until the process is to end.
func copyFile(p *engine.Process, w io.Writer, r io.Reader) (int64, error) {
	return io.CopyBuffer(plainWriter{w}, &untilEnd{p, r}, make([]byte, piece))
}

// untilEnd is a reader that ends with a process.
type untilEnd struct {
	p *engine.Process
	r io.Reader
}

// Read implements io.Reader.
func (u *untilEnd) Read(b []byte) (int, error) {
	if err := u.p.Context().Err(); err != nil {
		return 0, err
	}
	return u.r.Read(b)
}

// plainWriter hides what would make io.Copy do without pieces.
type plainWriter struct{ io.Writer }
