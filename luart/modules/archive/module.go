// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"io"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
)

// Config ties the module to its host. The zero value works: values are taken for what their Go values can do.
type Config struct {
	// Allowed decides about the actions archive.read and archive.write. nil allows both.
	Allowed func(p *engine.Process, action, resource string) bool
	// FS returns the file system that a value stands for. nil takes a userdata whose Go value is an FS.
	FS func(v lua.LValue) (FS, bool)
	// Stream makes the object that programs read an entry with. It owns r. Reads of r may come from any goroutine, one
	// at a time; size is -1 when it is not known. nil makes a plain object with the methods read, stat and close,
	// which do not yield.
	Stream func(L *lua.LState, r io.ReadCloser, size int64) lua.LValue

	_ struct{}
}

// module holds what the functions work with.
type module struct {
	config  Config
	builder *engine.Builder
	readers *engine.Class
	walkers *engine.Class
	writers *engine.Class
	streams *engine.Class
}

// Module returns the Lua module `archive`. No call yields but those of the streams of Config.Stream.
func Module(c Config) engine.Module {
	return engine.Module{
		Name:    "archive",
		Classes: []string{"encoding", "io", "nondeterministic"},
		Build: func(b *engine.Builder) error {
			m := &module{config: c, builder: b}
			text := func(s string) map[string]lua.LGFunction {
				return map[string]lua.LGFunction{"__tostring": func(L *lua.LState) int {
					L.Push(lua.LString(s))
					return 1
				}}
			}
			m.readers = b.Type("Reader", m.readerMethods(), text("archive.Reader{}"))
			m.walkers = b.Type("Walker", m.walkerMethods(), text("archive.Walker{}"))
			m.writers = b.Type("Writer", m.writerMethods(), text("archive.Writer{}"))
			m.streams = b.Type("Stream", streamMethods, text("archive.Stream{}"))
			b.Func("formats", func(L *lua.LState) int {
				L.Push(call.Array(formats))
				return 1
			})
			b.Func("open", m.open)
			b.Func("scan", m.scan)
			b.Func("create", m.create)
			return nil
		},
	}
}

// permit checks the permission to do action.
func (m *module) permit(L *lua.LState, action string) error {
	if m.config.Allowed != nil && !m.config.Allowed(engine.From(L), action, "") {
		return engine.NewError(engine.KindPermissionDenied, "permission denied: "+action)
	}
	return nil
}

// fileSystem returns the file system that a value stands for.
func (m *module) fileSystem(v lua.LValue) (FS, bool) {
	if m.config.FS != nil {
		return m.config.FS(v)
	}
	if ud, ok := v.(*lua.LUserData); ok {
		f, ok := ud.Value.(FS)
		return f, ok
	}
	return nil, false
}

// stream makes the object that an entry is read with.
func (m *module) stream(L *lua.LState, r io.ReadCloser, size int64) lua.LValue {
	if m.config.Stream != nil {
		return m.config.Stream(L, r, size)
	}
	return m.newStream(L, r, size)
}

// open implements archive.open(fs, path, opts?), archive.open(file, opts?) and archive.open(bytes, opts?).
func (m *module) open(L *lua.LState) int {
	r, err := m.openReader(L)
	if err != nil {
		return engine.PushError(L, fault(err))
	}
	L.Push(m.readers.New(r))
	return 1
}

// scan implements archive.scan(source, opts?).
func (m *module) scan(L *lua.LState) int {
	w, err := m.newWalker(L)
	if err != nil {
		return engine.PushError(L, fault(err))
	}
	L.Push(m.walkers.New(w))
	return 1
}

// create implements archive.create(fs, path, opts?), archive.create(file, opts?) and archive.create(stream, opts?).
func (m *module) create(L *lua.LState) int {
	w, err := m.newWriter(L)
	if err != nil {
		return engine.PushError(L, fault(err))
	}
	L.Push(m.writers.New(w))
	return 1
}
