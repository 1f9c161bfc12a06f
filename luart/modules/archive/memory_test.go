// SPDX-License-Identifier: Apache-2.0

package archive_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/archive"
	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
)

// memory is a file system in memory that notes what is open.
type memory struct {
	files map[string][]byte
	dirs  map[string]bool
	open  int
	// readOnly makes writing fail, plain makes opened files ones without random access.
	readOnly, plain bool
}

func newMemory() *memory { return &memory{files: map[string][]byte{}, dirs: map[string]bool{}} }

func (m *memory) Open(name string) (fs.File, error) {
	data, ok := m.files[clean(name)]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	f, err := fstest.MapFS{"f": {Data: data, Mode: 0o600}}.Open("f")
	if err != nil {
		return nil, err
	}
	m.open++
	if m.plain {
		return struct{ fs.File }{&opened{f, m}}, nil
	}
	return &seekable{opened{f, m}}, nil
}

type opened struct {
	fs.File
	m *memory
}

func (o *opened) Close() error {
	o.m.open--
	return o.File.Close()
}

// seekable is an opened file with random access.
type seekable struct{ opened }

func (s *seekable) Seek(offset int64, whence int) (int64, error) {
	return s.File.(io.Seeker).Seek(offset, whence)
}

func (m *memory) Create(name string) (io.WriteCloser, error) {
	if m.readOnly {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrPermission}
	}
	if dir := path.Dir(clean(name)); dir != "." && !m.dirs[dir] {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrNotExist}
	}
	m.open++
	return &created{m: m, name: clean(name)}, nil
}

type created struct {
	bytes.Buffer
	m    *memory
	name string
}

func (c *created) Close() error {
	c.m.open--
	c.m.files[c.name] = c.Bytes()
	return nil
}

func (m *memory) MkdirAll(name string) error {
	for d := clean(name); d != "."; d = path.Dir(d) {
		if _, ok := m.files[d]; ok {
			return &fs.PathError{Op: "mkdir", Path: d, Err: errors.New("not a directory")}
		}
		m.dirs[d] = true
	}
	return nil
}

func clean(name string) string { return strings.TrimPrefix(path.Clean(name), "/") }

// list returns all files and directories, sorted.
func (m *memory) list() string {
	var all []string
	for name, data := range m.files {
		all = append(all, fmt.Sprintf("%s=%s", name, data))
	}
	for name := range m.dirs {
		all = append(all, name+"/")
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// device is a Lua module whose values are files: fs, ro, fs:list(), device.file(text), device.stream(text),
// device.buffer(), device.text(buffer), device.broken().
func device(m *memory) engine.Module {
	return engine.Module{Name: "device", Build: func(b *engine.Builder) error {
		volume := b.Type("FS", nil, nil)
		file := b.Type("File", nil, nil)
		b.Func("fs", func(L *lua.LState) int { L.Push(volume.New(m)); return 1 })
		b.Func("read_only", func(L *lua.LState) int {
			L.Push(volume.New(&memory{files: m.files, dirs: m.dirs, readOnly: true}))
			return 1
		})
		b.Func("plain", func(L *lua.LState) int {
			L.Push(volume.New(&memory{files: m.files, dirs: m.dirs, plain: true}))
			return 1
		})
		b.Func("list", func(L *lua.LState) int { L.Push(lua.LString(m.list())); return 1 })
		b.Func("is_open", func(L *lua.LState) int { L.Push(lua.LNumber(m.open)); return 1 })
		b.Func("clear", func(L *lua.LState) int { clear(m.files); clear(m.dirs); return 0 })
		b.Func("put", func(L *lua.LState) int { m.files[L.CheckString(1)] = []byte(L.CheckString(2)); return 0 })
		b.Func("get", func(L *lua.LState) int { L.Push(lua.LString(m.files[L.CheckString(1)])); return 1 })
		b.Func("file", func(L *lua.LState) int { L.Push(file.New(bytes.NewReader([]byte(L.CheckString(1))))); return 1 })
		b.Func("seeker", func(L *lua.LState) int {
			L.Push(file.New(struct{ io.ReadSeeker }{strings.NewReader(L.CheckString(1))}))
			return 1
		})
		b.Func("stream", func(L *lua.LState) int {
			L.Push(file.New(struct{ io.Reader }{strings.NewReader(L.CheckString(1))}))
			return 1
		})
		b.Func("buffer", func(L *lua.LState) int { L.Push(file.New(new(bytes.Buffer))); return 1 })
		b.Func("text", func(L *lua.LState) int {
			L.Push(lua.LString(engine.Check[*bytes.Buffer](L, 1, "buffer").String()))
			return 1
		})
		b.Func("broken", func(L *lua.LState) int { L.Push(file.New(broken{})); return 1 })
		b.Func("deaf", func(L *lua.LState) int { L.Push(file.New(deaf{})); return 1 })
		return nil
	}}
}

// broken can be neither read nor written.
type broken struct{}

var errBroken = errors.New("the disk is broken")

func (broken) Read([]byte) (int, error)           { return 0, errBroken }
func (broken) Write([]byte) (int, error)          { return 0, errBroken }
func (broken) ReadAt([]byte, int64) (int, error)  { return 0, errBroken }
func (broken) Seek(_ int64, _ int) (int64, error) { return 100, nil }

// deaf says that it cannot be written.
type deaf struct{ bytes.Buffer }

func (deaf) Write([]byte) (int, error) { panic("written") }
func (deaf) Writable() bool            { return false }

func newBench(tb testing.TB) (*moduletest.Bench, *memory) {
	m := newMemory()
	return moduletest.New(tb, archive.Module(archive.Config{}), device(m)), m
}

// helpers are functions for the programs of the tests.
const helpers = `
	local function eq(got, want) if got ~= want then error("got " .. tostring(got) .. "\nwant " .. tostring(want), 2) end end
	local function make(format, entries)
		local out = device.buffer()
		local w = assert(archive.create(out, {format = format}))
		for _, e in ipairs(entries) do
			if e[2] == nil then assert(w:add_dir(e[1])) else assert(w:add(e[1], e[2], e[3])) end
		end
		assert(w:close() == true)
		return device.text(out)
	end
	local function names(r)
		local all = {}
		for e in r:entries() do all[#all + 1] = e.name end
		return table.concat(all, " ")
	end
	local function all(stream)
		local parts = {}
		while true do
			local part, err = stream:read()
			if err then return nil, err end
			if not part then return table.concat(parts) end
			parts[#parts + 1] = part
		end
	end
`
