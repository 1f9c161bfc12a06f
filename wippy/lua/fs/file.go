// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"bufio"
	"errors"
	"io"
	iofs "io/fs"
	"math"
	"sync/atomic"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/owned"
	files "github.com/wippyrun/kit/wippy/service/fs"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// file is the value behind a File. Other modules use it as a reader and writer, from any goroutine.
type file struct {
	f        files.File
	name     string
	readable bool
	closed   atomic.Bool
	open     *atomic.Int32 // of the process
	release  func() bool
}

// maxOpen is how many files one process may have open at a time: the operating system has a number for all of them
// together, and whoever accepts connections needs some, too.
const maxOpen = 1024

// openKey is where a process keeps how many it has.
type openKey struct{}

var errTooMany = errors.New("too many open files: a process may have 1024 at a time, close those that are done with")

// mayOpen tells whether p may open another file. It returns what counts them.
func mayOpen(p *engine.Process) (*atomic.Int32, error) {
	n, _ := p.Local(openKey{}).(*atomic.Int32)
	if n == nil {
		n = new(atomic.Int32)
		p.SetLocal(openKey{}, n)
	}
	if n.Load() >= maxOpen {
		return nil, errTooMany
	}
	return n, nil
}

// newFile makes f a file of the process p, which counts it.
func newFile(p *engine.Process, f files.File, name string, readable bool, open *atomic.Int32) *file {
	o := &file{f: f, name: name, readable: readable, open: open}
	open.Add(1)
	o.release = owned.Add(p, func() { _ = o.shut() }) // nobody is left to tell
	return o
}

// shut closes the file, once.
func (f *file) shut() error {
	if !f.closed.CompareAndSwap(false, true) {
		return nil
	}
	f.open.Add(-1)
	return named(f.name, f.f.Close())
}

// Readable reports whether the file can be read.
func (f *file) Readable() bool { return f.readable && !f.closed.Load() }

// Writable reports whether the file can be written.
func (f *file) Writable() bool { return !f.readable && !f.closed.Load() }

// failed is the error of an operation as programs see it.
func (f *file) failed(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	if f.closed.Load() {
		return iofs.ErrClosed
	}
	return named(f.name, err)
}

// Read implements io.Reader.
func (f *file) Read(p []byte) (int, error) {
	if f.closed.Load() {
		return 0, iofs.ErrClosed
	}
	n, err := f.f.Read(p)
	return n, f.failed(err)
}

// ReadAt implements io.ReaderAt.
func (f *file) ReadAt(p []byte, offset int64) (int, error) {
	if f.closed.Load() {
		return 0, iofs.ErrClosed
	}
	n, err := f.f.ReadAt(p, offset)
	return n, f.failed(err)
}

// Write implements io.Writer.
func (f *file) Write(p []byte) (int, error) {
	if f.closed.Load() {
		return 0, iofs.ErrClosed
	}
	n, err := f.f.Write(p)
	return n, f.failed(err)
}

// Seek implements io.Seeker.
func (f *file) Seek(offset int64, whence int) (int64, error) {
	if f.closed.Load() {
		return 0, iofs.ErrClosed
	}
	at, err := f.f.Seek(offset, whence)
	return at, f.failed(err)
}

// Stat returns what is known about the file.
func (f *file) Stat() (iofs.FileInfo, error) {
	if f.closed.Load() {
		return nil, iofs.ErrClosed
	}
	info, err := f.f.Stat()
	return info, f.failed(err)
}

func checkFile(L *lua.LState) *file { return engine.Check[*file](L, 1, "fs.File") }

func fileText(L *lua.LState) int {
	if checkFile(L).closed.Load() {
		L.Push(lua.LString("fs.File{closed}"))
	} else {
		L.Push(lua.LString("fs.File{}"))
	}
	return 1
}

func (m *module) fileMethods() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"read":    fileRead,
		"write":   fileWrite,
		"seek":    fileSeek,
		"stat":    fileStat,
		"sync":    done(syncFile),
		"close":   done(func(f *file) error { f.release(); return f.shut() }),
		"scanner": m.scanner,
	}
}

func syncFile(f *file) error {
	if f.closed.Load() {
		return iofs.ErrClosed
	}
	return f.failed(f.f.Sync())
}

// done makes a method that returns true, or false and an error.
func done(do func(*file) error) lua.LGFunction {
	return func(L *lua.LState) int {
		if err := do(checkFile(L)); err != nil {
			return failure(L, lua.LFalse, internal(err))
		}
		return success(L, lua.LTrue)
	}
}

const defaultRead = 4096

// fileRead implements file:read(size?).
func fileRead(L *lua.LState) int {
	f, size := checkFile(L), float64(L.OptNumber(2, defaultRead))
	if !(size >= 1) {
		return engine.PushError(L, invalid("size must be positive"))
	}
	buffer := make([]byte, f.room(int64(min(math.Trunc(size), maxFile))))
	n, err := io.ReadFull(f, buffer)
	switch {
	case n > 0:
		return success(L, lua.LString(buffer[:n]))
	case errors.Is(err, io.EOF):
		return engine.PushError(L, fault.New(fault.NotFound, "EOF"))
	}
	return engine.PushError(L, internal(err))
}

// room is how many bytes to make ready for a read of size: no more than the file has. What it gets meanwhile is for
// the next read.
func (f *file) room(size int64) int64 {
	if size <= piece {
		return size
	}
	info, err := f.f.Stat()
	if err != nil {
		return 1
	}
	at, err := f.f.Seek(0, io.SeekCurrent)
	if err != nil {
		return min(size, piece)
	}
	return max(1, min(size, info.Size()-at))
}

// fileWrite implements file:write(data).
func fileWrite(L *lua.LState) int {
	f, data := checkFile(L), L.CheckString(2)
	if data == "" {
		return failure(L, lua.LFalse, invalid("data required"))
	}
	if _, err := f.Write([]byte(data)); err != nil {
		return failure(L, lua.LFalse, internal(err))
	}
	return success(L, lua.LTrue)
}

var whences = map[string]int{"set": io.SeekStart, "cur": io.SeekCurrent, "end": io.SeekEnd}

// fileSeek implements file:seek(whence, offset).
func fileSeek(L *lua.LState) int {
	f, word, offset := checkFile(L), L.CheckString(2), L.CheckInt64(3)
	whence, ok := whences[word]
	if !ok {
		return engine.PushError(L, invalid("invalid whence: must be 'set', 'cur', or 'end'"))
	}
	at, err := f.Seek(offset, whence)
	if err != nil {
		return engine.PushError(L, internal(err))
	}
	return success(L, lua.LNumber(at))
}

// fileStat implements file:stat().
func fileStat(L *lua.LState) int {
	info, err := checkFile(L).Stat()
	if err != nil {
		return engine.PushError(L, internal(err))
	}
	return success(L, infoTable(info))
}

var splits = map[string]bufio.SplitFunc{
	"lines": bufio.ScanLines, "words": bufio.ScanWords, "bytes": bufio.ScanBytes, "runes": bufio.ScanRunes,
}

// scanner implements file:scanner(split?).
func (m *module) scanner(L *lua.LState) int {
	f, word := checkFile(L), L.OptString(2, "lines")
	split, ok := splits[word]
	if !ok {
		return engine.PushError(L, invalid("invalid split type: must be 'lines', 'words', 'bytes', or 'runes'"))
	}
	if f.closed.Load() {
		return engine.PushError(L, invalid("file is closed"))
	}
	s := bufio.NewScanner(f)
	s.Split(split)
	return success(L, m.scanners.New(s))
}

func checkScanner(L *lua.LState) *bufio.Scanner {
	return engine.Check[*bufio.Scanner](L, 1, "fs.Scanner")
}

var scannerMethods = map[string]lua.LGFunction{
	"scan": func(L *lua.LState) int { L.Push(lua.LBool(checkScanner(L).Scan())); return 1 },
	"text": func(L *lua.LState) int { L.Push(lua.LString(checkScanner(L).Text())); return 1 },
	"err": func(L *lua.LState) int {
		if err := checkScanner(L).Err(); err != nil {
			L.Push(engine.ErrorValue(internal(err)))
		} else {
			L.Push(lua.LNil)
		}
		return 1
	},
}
