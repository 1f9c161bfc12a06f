// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"errors"
	"io"
	iofs "io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync/atomic"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/owned"
	files "github.com/wippyrun/kit/wippy/service/fs"
)

// batch is how many entries of a directory are read at once. A directory that has no more is closed at once, so that
// a loop that is left early keeps nothing open, and comes out by name.
const batch = 1024

// iteration is the state of a loop over a directory.
type iteration struct {
	fs      files.FS
	name    string
	list    []iofs.DirEntry
	dir     files.File // nil when all was read
	open    *atomic.Int32
	release func() bool
}

// readDir implements vol:readdir(path): what a generic for needs.
func (m *module) readDir(L *lua.LState) int {
	v, p := checkVolume(L), L.CheckString(2)
	name, err := v.resolve(p)
	if err != nil {
		return engine.PushError(L, err)
	}
	info, err := v.fs.Stat(name)
	if err != nil {
		return engine.PushError(L, notFound(err))
	}
	if !info.IsDir() {
		return engine.PushError(L, invalid("not a directory: "+p))
	}
	process := engine.From(L)
	open, err := mayOpen(process)
	if err != nil {
		return engine.PushError(L, notFound(err))
	}
	dir, err := v.fs.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return engine.PushError(L, notFound(err))
	}
	open.Add(1)
	it := &iteration{fs: v.fs, name: name, dir: dir, open: open}
	it.release = owned.Add(process, func() { _ = dir.Close() }) // it was only read
	if err := it.fill(); err != nil {
		return engine.PushError(L, internal(err))
	}
	L.Push(m.next)
	L.Push(m.iterations.New(it))
	return 2
}

// fill reads the next entries.
func (it *iteration) fill() error {
	list, err := it.dir.ReadDir(batch)
	it.list = list
	if len(list) == batch && err == nil {
		return nil
	}
	dir := it.dir
	it.dir = nil
	if it.release() {
		it.open.Add(-1)
		_ = dir.Close() // it was only read
	}
	slices.SortFunc(list, func(a, b iofs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	if err != nil && !errors.Is(err, io.EOF) {
		return named(it.name, err)
	}
	return nil
}

// next makes a step of the loop.
func next(L *lua.LState) int {
	it := engine.Check[*iteration](L, 1, "fs.Iteration")
	if len(it.list) == 0 && it.dir != nil {
		if err := it.fill(); err != nil {
			engine.RaiseError(L, internal(err))
		}
	}
	if len(it.list) == 0 {
		L.Push(lua.LNil)
		return 1
	}
	e := it.list[0]
	it.list[0] = nil
	it.list = it.list[1:]
	t := engine.NewObject(2)
	t.RawSetString("name", lua.LString(e.Name()))
	t.RawSetString("type", lua.LString(it.typeOf(e)))
	L.Push(t)
	return 1
}

// typeOf is the type of an entry; a link has that of what it leads to.
func (it *iteration) typeOf(e iofs.DirEntry) string {
	if e.Type()&iofs.ModeSymlink != 0 {
		if info, err := it.fs.Stat(path.Join(it.name, e.Name())); err == nil {
			return typeOf(info)
		}
	}
	return typeOf(e)
}
