// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"io/fs"
	"path"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

// entry is what is known about an entry.
type entry struct {
	name       string
	size       int64 // as the archive says
	compressed int64
	mode       fs.FileMode
	modified   time.Time
	method     string
	crc        uint32
	index      int
}

// isDir reports whether the entry is a directory.
func (e *entry) isDir() bool { return e.mode.IsDir() }

// isFile reports whether the entry is a file: neither a directory nor a link or device.
func (e *entry) isFile() bool { return e.mode.IsRegular() }

// table makes the entry table.
func (e *entry) table() *lua.LTable {
	t := engine.NewObject(9)
	t.RawSetString("name", lua.LString(e.name))
	t.RawSetString("size", lua.LNumber(e.size))
	t.RawSetString("compressed_size", lua.LNumber(e.compressed))
	t.RawSetString("is_dir", lua.LBool(e.isDir()))
	t.RawSetString("mode", lua.LNumber(e.mode))
	if !e.modified.IsZero() {
		t.RawSetString("modified", lua.LNumber(e.modified.Unix()))
	} else {
		t.RawSetString("modified", lua.LNumber(0))
	}
	t.RawSetString("method", lua.LString(e.method))
	t.RawSetString("crc32", lua.LNumber(e.crc))
	kind := "file"
	switch {
	case e.isDir():
		kind = "directory"
	case e.mode&fs.ModeSymlink != 0:
		kind = "symlink"
	case !e.isFile():
		kind = "other"
	}
	t.RawSetString("type", lua.LString(kind))
	return t
}

// safeName returns the path that an entry may be extracted to, relative to where the program wants it. ok is false
// when there is none.
func safeName(name string) (p string, ok bool) {
	p = strings.ReplaceAll(name, `\`, "/")
	switch {
	case p == "", p[0] == '/', strings.IndexByte(p, 0) >= 0:
		return "", false
	case len(p) >= 2 && p[1] == ':' && (p[0]|0x20 >= 'a' && p[0]|0x20 <= 'z'):
		return "", false
	}
	p = path.Clean(p)
	if p == "." || p == ".." || strings.HasPrefix(p, "../") {
		return "", false
	}
	return p, true
}

// safeTarget is safeName for a path that the program names: it may begin at the root of its file system.
func safeTarget(name string) (string, bool) {
	rest := strings.TrimLeft(name, "/")
	p, ok := safeName(rest)
	return name[:len(name)-len(rest)] + p, ok
}

// parent returns the directory of a path, "" for none.
func parent(p string) string {
	if d := path.Dir(p); d != "." && d != "/" {
		return d
	}
	return ""
}

// stripped removes leading components. ok is false when there are no more than that.
func stripped(p string, components int) (string, bool) {
	for range components {
		_, rest, ok := strings.Cut(p, "/")
		if !ok {
			return "", false
		}
		p = rest
	}
	return p, true
}
