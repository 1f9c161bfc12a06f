// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"errors"
	"io"
	iofs "io/fs"
	"os"
	"path"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	files "github.com/wippyrun/kit/wippy/service/fs"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// volume is the value behind an FS object: a filesystem and where a program is in it.
type volume struct {
	fs  files.FS
	cwd string // relative to the root, "." there
}

const (
	typeFile      = "file"
	typeDirectory = "directory"

	// dirPerm and filePerm are what is asked for; the filesystem allows less.
	dirPerm  = 0o755
	filePerm = 0o644
)

// flags are the modes a file is opened with.
var flags = map[string]int{
	"r":  os.O_RDONLY,
	"w":  os.O_WRONLY | os.O_CREATE | os.O_TRUNC,
	"wx": os.O_WRONLY | os.O_CREATE | os.O_EXCL,
	"a":  os.O_WRONLY | os.O_CREATE | os.O_APPEND,
}

func checkVolume(L *lua.LState) *volume { return engine.Check[*volume](L, 1, "fs.FS") }

func volumeText(L *lua.LState) int {
	L.Push(lua.LString("fs.FS{cwd=" + checkVolume(L).cwd + "}"))
	return 1
}

// resolve makes a path of a program a name within the filesystem.
func (v *volume) resolve(p string) (string, error) {
	if strings.IndexByte(p, 0) >= 0 {
		return "", invalid("path contains null byte")
	}
	if p == "" {
		return "", invalid("path required")
	}
	name := strings.TrimLeft(p, "/")
	if name == p {
		name = v.cwd + "/" + p
	}
	name = path.Clean(name)
	if name == ".." || strings.HasPrefix(name, "../") {
		return "", invalid("path traversal not allowed")
	}
	return name, nil
}

// resolveDir is resolve for calls where no path is the working directory.
func (v *volume) resolveDir(p string) (string, error) {
	if p == "" {
		return v.cwd, nil
	}
	return v.resolve(p)
}

// method makes a method of a path. What f returns is the first result; with an error it is failed.
func method(failed lua.LValue, f func(L *lua.LState, v *volume, p string) (lua.LValue, error)) lua.LGFunction {
	return func(L *lua.LState) int {
		v, p := checkVolume(L), L.CheckString(2)
		result, err := f(L, v, p)
		if err != nil {
			return failure(L, failed, err)
		}
		return success(L, result)
	}
}

func (m *module) volumeMethods() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"open":       method(lua.LNil, m.open),
		"readfile":   method(lua.LNil, readFile),
		"read_file":  method(lua.LNil, readFile),
		"writefile":  writeFile,
		"write_file": writeFile,
		"exists":     method(lua.LFalse, exists),
		"isdir":      method(lua.LFalse, isDir),
		"stat":       method(lua.LNil, stat),
		"mkdir":      method(lua.LFalse, mkdir),
		"remove":     method(lua.LFalse, remove),
		"readdir":    m.readDir,
		"chdir":      method(lua.LFalse, chdir),
		"pwd": func(L *lua.LState) int {
			return success(L, lua.LString(strings.TrimSuffix("/"+checkVolume(L).cwd, ".")))
		},
	}
}

// open implements vol:open(path, mode).
func (m *module) open(L *lua.LState, v *volume, at string) (lua.LValue, error) {
	mode := L.CheckString(3)
	flag, ok := flags[mode]
	if !ok {
		return nil, invalid("invalid mode: must be 'r', 'w', 'wx' or 'a'")
	}
	name, err := v.resolve(at)
	if err != nil {
		return nil, err
	}
	p := engine.From(L)
	open, err := mayOpen(p)
	if err != nil {
		return nil, notFound(err)
	}
	f, err := v.fs.OpenFile(name, flag, filePerm)
	if err != nil {
		return nil, notFound(err)
	}
	return m.files.New(newFile(p, f, name, mode == "r", open)), nil
}

func exists(_ *lua.LState, v *volume, p string) (lua.LValue, error) {
	name, err := v.resolveDir(p)
	if err != nil {
		return nil, err
	}
	_, err = v.fs.Stat(name)
	return lua.LBool(err == nil), nil
}

func isDir(_ *lua.LState, v *volume, p string) (lua.LValue, error) {
	name, err := v.resolveDir(p)
	if err != nil {
		return nil, err
	}
	info, err := v.fs.Stat(name)
	if err != nil {
		return nil, notFound(err)
	}
	return lua.LBool(info.IsDir()), nil
}

func stat(_ *lua.LState, v *volume, p string) (lua.LValue, error) {
	name, err := v.resolve(p)
	if err != nil {
		return nil, err
	}
	info, err := v.fs.Stat(name)
	if err != nil {
		return nil, notFound(err)
	}
	return infoTable(info), nil
}

// infoTable is what programs learn of a file.
func infoTable(info iofs.FileInfo) *lua.LTable {
	t := engine.NewObject(6)
	t.RawSetString("name", lua.LString(info.Name()))
	t.RawSetString("size", lua.LNumber(info.Size()))
	t.RawSetString("mode", lua.LNumber(info.Mode()))
	t.RawSetString("modified", lua.LNumber(info.ModTime().Unix()))
	t.RawSetString("is_dir", lua.LBool(info.IsDir()))
	t.RawSetString("type", lua.LString(typeOf(info)))
	return t
}

func typeOf(info interface{ IsDir() bool }) string {
	if info.IsDir() {
		return typeDirectory
	}
	return typeFile
}

func mkdir(_ *lua.LState, v *volume, p string) (lua.LValue, error) {
	name, err := v.resolve(p)
	if err != nil {
		return nil, err
	}
	switch err = v.fs.Mkdir(name, dirPerm); {
	case err == nil:
		return lua.LTrue, nil
	case errors.Is(err, iofs.ErrExist):
		return nil, fault.New(fault.AlreadyExists, "path already exists: "+p)
	}
	return nil, internal(err)
}

func remove(_ *lua.LState, v *volume, p string) (lua.LValue, error) {
	name, err := v.resolve(p)
	if err != nil {
		return nil, err
	}
	if err = v.fs.Remove(name); err == nil {
		return lua.LTrue, nil
	}
	if !errors.Is(err, iofs.ErrPermission) && v.hasEntries(name) {
		return nil, invalid("directory not empty: " + p)
	}
	return nil, internal(err)
}

// hasEntries reports whether a directory is not empty. Systems have different errors for that.
func (v *volume) hasEntries(name string) bool {
	f, err := v.fs.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	list, err := f.ReadDir(1)
	return err == nil && len(list) > 0
}

func chdir(_ *lua.LState, v *volume, p string) (lua.LValue, error) {
	name, err := v.resolve(p)
	if err != nil {
		return nil, err
	}
	info, err := v.fs.Stat(name)
	if err != nil {
		return nil, notFound(err)
	}
	if !info.IsDir() {
		return nil, invalid("not a directory: " + p)
	}
	v.cwd = name
	return lua.LTrue, nil
}

// maxFile is how many bytes readfile, and a read of a file, return at most: a string is in memory as a whole.
const maxFile = 256 << 20

func readFile(L *lua.LState, v *volume, p string) (lua.LValue, error) {
	name, err := v.resolve(p)
	if err != nil {
		return nil, err
	}
	f, err := v.fs.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, notFound(err)
	}
	defer f.Close()
	text, err := readAll(engine.From(L), f)
	if err != nil {
		return nil, internal(named(name, err))
	}
	return lua.LString(text), nil
}

// readAll reads the whole file, unless the process is to end.
func readAll(p *engine.Process, f files.File) (string, error) {
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if size := info.Size(); size > 0 && size <= maxFile && info.Mode().IsRegular() {
		b.Grow(int(size))
	}
	n, err := copyFile(p, &b, io.LimitReader(f, maxFile+1))
	if err == nil && n > maxFile {
		err = errors.New("the file is too large for readfile: open it and read it in pieces")
	}
	return b.String(), err
}

// named puts the name a program knows in the place of the path in an error of the operating system.
func named(name string, err error) error {
	if p, ok := err.(*iofs.PathError); ok {
		if errors.Is(p.Err, iofs.ErrClosed) {
			return iofs.ErrClosed
		}
		return &iofs.PathError{Op: p.Op, Path: name, Err: p.Err}
	}
	return err
}
