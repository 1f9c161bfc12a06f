// SPDX-License-Identifier: Apache-2.0

package http

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	iofs "io/fs"
	"net/http"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/wippyrun/kit/wippy/service/fs"
)

// indexPage is the file that stands for its directory.
const indexPage = "index.html"

// ServeHTTP serves a file, or the index of an application.
//
// Which file that is, is decided by what there is, before the file server of net/http gets the request: it answers
// conditional requests and those for ranges, redirects to the names of directories, and lists them.
func (m *mount) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	files, err := m.files.Get(m.config.fs)
	if err != nil { // the entry is gone, and with it the reason for this mount
		http.Error(w, "filesystem not found", http.StatusInternalServerError)
		return
	}
	if m.config.cache != "" {
		w.Header().Set("Cache-Control", m.config.cache)
	}
	view := &view{fs: files, header: w.Header(), tags: &m.tags}
	prefix := m.config.path
	if m.config.spa {
		full := path.Clean("/" + r.URL.Path)
		switch within := strings.TrimPrefix(full, prefix); {
		case servable(files, within):
		case prefix != "" && servable(files, full):
			prefix = "" // built for a host of its own, below the same path
		default:
			m.serveIndex(w, r, files)
			return
		}
	}
	http.StripPrefix(prefix, http.FileServer(view)).ServeHTTP(w, r)
}

// servable reports whether there is a file of that name, or a directory with an index. One without is no page of an
// application: a list of its files would hide that.
func servable(files fs.FS, name string) bool {
	info, err := files.Stat(name)
	if err == nil && info.IsDir() {
		info, err = files.Stat(name + "/" + indexPage)
	}
	return err == nil && info.Mode().IsRegular()
}

// serveIndex answers for a path that the application knows about.
func (m *mount) serveIndex(w http.ResponseWriter, r *http.Request, files fs.FS) {
	f, err := files.OpenFile(m.config.index, os.O_RDONLY, 0)
	if err != nil {
		noIndex(w)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		noIndex(w)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	m.tags.set(h, files, m.config.index, f, info)
	http.ServeContent(w, r, "", info.ModTime(), f)
}

// noIndex answers for an application that is not there, which nobody is to keep.
func noIndex(w http.ResponseWriter) {
	w.Header().Del("Cache-Control")
	http.Error(w, "index file not found", http.StatusInternalServerError)
}

// view is a filesystem for one answer of the file server of net/http.
type view struct {
	fs     fs.FS
	header http.Header
	tags   *tags
}

// Open implements http.FileSystem. The file server tells only some errors apart; those that are about the name are
// that there is no such file.
func (v *view) Open(name string) (http.File, error) {
	f, err := v.fs.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		code, isCode := errors.AsType[syscall.Errno](err)
		if isCode && code != syscall.ENOTDIR && code != syscall.ELOOP && code != syscall.ENAMETOOLONG || errors.Is(err, iofs.ErrPermission) {
			return nil, err
		}
		return nil, iofs.ErrNotExist
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if info.Mode().IsRegular() {
		v.tags.set(v.header, v.fs, name, f, info)
	}
	if f, ok := f.(http.File); ok {
		return f, nil // an *os.File, which goes out without a copy
	}
	return listed{f}, nil
}

// listed adds the older way to read a directory.
type listed struct{ fs.File }

// Readdir implements http.File.
func (l listed) Readdir(n int) ([]iofs.FileInfo, error) {
	list, err := l.ReadDir(n)
	out := make([]iofs.FileInfo, 0, len(list))
	for _, e := range list {
		if info, err := e.Info(); err == nil { // else it is gone by now
			out = append(out, info)
		}
	}
	return out, err
}

// tags are the entity tags of files. The zero value is ready.
type tags struct{ content sync.Map } // of tagged to string

// tagged is a file that never changes.
type tagged struct {
	fs   fs.FS
	name string
}

// set gives the answer with a file its tag, unless the file cannot be read.
func (t *tags) set(h http.Header, files fs.FS, name string, f fs.File, info iofs.FileInfo) {
	if tag := t.of(files, name, f, info); tag != "" {
		h.Set("ETag", tag)
	}
}

// of returns the tag of a file: its size and time or, for files that are embedded and have no time, what is in it.
// That is read once; the number of such files is bounded, as they are part of the program.
func (t *tags) of(files fs.FS, name string, f fs.File, info iofs.FileInfo) string {
	if !info.ModTime().IsZero() {
		return `"` + strconv.FormatInt(info.ModTime().UnixNano(), 36) + "-" + strconv.FormatInt(info.Size(), 36) + `"`
	}
	key := tagged{files, name}
	if tag, ok := t.content.Load(key); ok {
		return tag.(string)
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, io.NewSectionReader(f, 0, info.Size())); err != nil {
		return "" // no tag
	}
	tag := `"` + hex.EncodeToString(hash.Sum(nil)[:12]) + `"`
	t.content.Store(key, tag)
	return tag
}
