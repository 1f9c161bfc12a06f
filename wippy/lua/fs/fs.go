// SPDX-License-Identifier: Apache-2.0

// Package fs is the Lua module fs: the files of the filesystems that entries declare.
//
// All calls are immediate but one: they wait for the disk on the worker, which hands its other processes to a spare
// one when that takes long. writefile from anything but a string or a file waits for somebody else and yields.
//
// An FS object has a working directory of its own. What a program opens is closed when it ends. Files are io.Reader,
// io.Writer, io.Seeker and io.ReaderAt for modules that take userdata as a source or destination.
package fs

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/lua/access"
	files "github.com/wippyrun/kit/wippy/service/fs"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// Filesystems is where the module finds them, by entry id. An unknown one is an error of kind NotFound.
type Filesystems interface {
	Get(id string) (files.FS, error)
}

type module struct {
	known                                Filesystems
	allow                                access.Check
	volumes, files, scanners, iterations *engine.Class
	next                                 *lua.LFunction
}

// Module returns the Lua module. allow decides on the action fs.get for each filesystem.
func Module(known Filesystems, allow access.Check) engine.Module {
	return engine.Module{
		Name:    "fs",
		Classes: []string{"storage", "io", "nondeterministic"},
		Build: func(b *engine.Builder) error {
			m := &module{known: known, allow: allow}
			m.volumes = b.Type("FS", m.volumeMethods(), map[string]lua.LGFunction{"__tostring": volumeText})
			m.files = b.Type("File", m.fileMethods(), map[string]lua.LGFunction{"__tostring": fileText})
			m.scanners = b.Type("Scanner", scannerMethods, nil)
			m.iterations = b.Type("Iteration", nil, nil)
			m.next = b.Function("readdir", next)
			b.Func("get", m.get)
			t := b.Table("type")
			t.Value("FILE", lua.LString(typeFile))
			t.Value("DIR", lua.LString(typeDirectory))
			t = b.Table("seek")
			for name, word := range map[string]string{"SET": "set", "CUR": "cur", "END": "end"} {
				t.Value(name, lua.LString(word))
			}
			return nil
		},
	}
}

// get implements fs.get(id).
func (m *module) get(L *lua.LState) int {
	p, id := engine.From(L), L.CheckString(1)
	if id == "" {
		return engine.PushError(L, engine.NewError(engine.KindInvalid, "filesystem name required"))
	}
	if !m.allow.Allowed(p, "fs.get", id) {
		return engine.PushError(L, access.Denied("not allowed to access filesystem: "+id))
	}
	f, err := m.known.Get(id)
	if err != nil {
		return engine.PushError(L, engine.NewError(engine.KindNotFound, "filesystem not found: "+id).WithCause(err))
	}
	return success(L, m.volumes.New(&volume{fs: f, cwd: "."}))
}

// success pushes the results of a call that worked.
func success(L *lua.LState, v lua.LValue) int {
	L.Push(v)
	L.Push(lua.LNil)
	return 2
}

// failure pushes those of one that did not: a first value and the error.
func failure(L *lua.LState, v lua.LValue, err error) int {
	L.Push(v)
	L.Push(engine.ErrorValue(err))
	return 2
}

// invalid and the next make the errors of the module, which do not say whether trying again may help.
func invalid(text string) error { return fault.New(fault.Invalid, text) }

// notFound is the error for a file that cannot be opened, for whatever reason.
func notFound(err error) error { return cause(fault.NotFound, err) }

// internal is the error for everything that fails later.
func internal(err error) error { return cause(fault.Internal, err) }

// cause gives err a kind and leaves its text as it is.
func cause(kind fault.Kind, err error) error { return &caused{err, kind} }

type caused struct {
	error
	kind fault.Kind
}

func (c *caused) Kind() string  { return string(c.kind) }
func (c *caused) Unwrap() error { return c.error }

// Retryable tells that it is not known whether trying again may help.
func (c *caused) Retryable() (retryable, known bool) { return false, false }
