// SPDX-License-Identifier: Apache-2.0

// Package loader is the Lua module loader: the entries that files of a filesystem define, as tables. It makes nothing
// live; a program hands the tables to the module registry, or looks at them.
//
// Files are read as the runtime reads its own: file:// values are replaced, every problem is told with its place, and
// paths do not leave the directory that is loaded. Both methods yield.
package loader

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/source"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/lua/stream"
	files "github.com/wippyrun/kit/wippy/service/fs"
)

// Filesystems is where the module finds them, by entry id.
type Filesystems interface {
	Get(id string) (files.FS, error)
}

// maxFile is how many bytes one file may have.
const maxFile = 16 << 20

// Module returns the Lua module. allow decides on the action fs.get for each filesystem. The methods of loaders need
// the handlers of package stream.
func Module(known Filesystems, allow access.Check) engine.Module {
	return engine.Module{
		Name:    "loader",
		Classes: []string{"storage", "io"},
		Build: func(b *engine.Builder) error {
			class := b.Type("Loader", map[string]lua.LGFunction{
				"load_directory": method(directory), "load_file": method(file),
			}, map[string]lua.LGFunction{"__tostring": func(L *lua.LState) int {
				L.Push(lua.LString("loader.Loader{}"))
				return 1
			}})
			b.Func("new", func(L *lua.LState) int {
				p, id := engine.From(L), L.CheckString(1)
				if id == "" {
					return engine.PushError(L, engine.NewError(engine.KindInvalid, "filesystem name required"))
				}
				if !allow.Allowed(p, "fs.get", id) {
					return engine.PushError(L, access.Denied("not allowed to access filesystem: "+id))
				}
				f, err := known.Get(id)
				if err != nil {
					return engine.PushError(L, engine.NewError(engine.KindNotFound, "filesystem not found: "+id).WithCause(err))
				}
				L.Push(class.New(&loader{f}))
				L.Push(lua.LNil)
				return 2
			})
			return nil
		},
	}
}

// loader is the value behind a Loader.
type loader struct{ fs files.FS }

// method makes a method that loads what is at a path.
func method(load func(ctx context.Context, f files.FS, name string) ([]registry.Entry, error)) lua.LGFunction {
	return func(L *lua.LState) int {
		l, at := engine.Check[*loader](L, 1, "loader"), L.CheckString(2)
		ctx := engine.From(L).Context()
		return stream.Await(L, func() (any, error) {
			name := path.Clean(strings.TrimLeft(at, "/"))
			if !fs.ValidPath(name) {
				return nil, engine.NewError(engine.KindInvalid, "path traversal not allowed")
			}
			return load(ctx, l.fs, name)
		}, func(_ *lua.LState, data any, err error) []lua.LValue {
			if err != nil {
				return []lua.LValue{lua.LNil, engine.ErrorValue(fault(err))}
			}
			return []lua.LValue{tables(data.([]registry.Entry)), lua.LNil}
		})
	}
}

// directory loads all files below a directory.
func directory(ctx context.Context, f files.FS, name string) ([]registry.Entry, error) {
	info, err := f.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, engine.NewError(engine.KindInvalid, "not a directory: "+name)
	}
	sub, err := fs.Sub(files.Std(f), name)
	if err != nil {
		return nil, err
	}
	return source.LoadFS(ctx, &bounded{FS: sub}, name, source.Options{Parallel: 1})
}

var extensions = []string{".yaml", ".yml", ".json"}

// file loads one file. Its directory is what file:// values are looked up in.
func file(ctx context.Context, f files.FS, name string) ([]registry.Entry, error) {
	info, err := f.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() || !slices.Contains(extensions, path.Ext(name)) {
		return nil, engine.NewError(engine.KindInvalid, "not a file of entries, which ends in .yaml, .yml or .json: "+name)
	}
	sub, err := fs.Sub(files.Std(f), path.Dir(name))
	if err != nil {
		return nil, err
	}
	return source.LoadFS(ctx, &bounded{FS: sub, only: path.Base(name)}, path.Dir(name), source.Options{Parallel: 1})
}

// bounded is a filesystem without large files. With only it lists that one.
type bounded struct {
	fs.FS
	only string
}

// Open implements fs.FS.
func (b *bounded) Open(name string) (fs.File, error) {
	f, err := b.FS.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Mode().IsRegular() && info.Size() > maxFile {
		err = &fs.PathError{Op: "open", Path: name, Err: errors.New("the file has more than 16 MiB")}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// ReadDir implements fs.ReadDirFS.
func (b *bounded) ReadDir(name string) ([]fs.DirEntry, error) {
	if b.only == "" {
		return fs.ReadDir(b.FS, name)
	}
	info, err := fs.Stat(b.FS, b.only)
	if err != nil {
		return nil, err
	}
	return []fs.DirEntry{fs.FileInfoToDirEntry(info)}, nil
}

// fault makes the error object of an error.
func fault(err error) *engine.Error {
	if e, ok := errors.AsType[*engine.Error](err); ok {
		return e
	}
	kind := engine.KindInternal
	switch _, problems := errors.AsType[source.Problems](err); {
	case problems:
		kind = engine.KindInvalid
	case errors.Is(err, fs.ErrNotExist):
		kind = engine.KindNotFound
	case errors.Is(err, fs.ErrPermission):
		kind = engine.KindPermissionDenied
	case errors.Is(err, context.Canceled):
		kind = engine.KindCanceled
	}
	return engine.NewError(kind, err.Error()).WithCause(err)
}

// tables makes entries what the module registry takes.
func tables(entries []registry.Entry) *lua.LTable {
	list := engine.NewArray(len(entries))
	for _, e := range entries {
		t := engine.NewObject(4)
		t.RawSetString("id", lua.LString(e.ID.String()))
		t.RawSetString("kind", lua.LString(e.Kind))
		t.RawSetString("meta", engine.ToLua(e.Meta))
		t.RawSetString("data", engine.ToLua(e.Data))
		list.Append(t)
	}
	return list
}
