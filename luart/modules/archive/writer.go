// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"compress/gzip"
	"context"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
	"github.com/wippyrun/kit/luart/modules/owned"
)

// archiveWriter is the value behind Writer objects.
type archiveWriter struct {
	opts    options
	out     encoder
	buffer  []byte
	after   []func() error // closes what the encoder writes to, in this order
	failed  error          // the archive is no good any more
	closed  bool
	release func() bool
}

// encoder writes one format.
type encoder interface {
	// add writes an entry. size is what r contains, -1 when that is not known.
	add(a *attributes, r io.Reader, size int64, buffer []byte) error
	// Close writes what comes at the end.
	Close() error
}

// attributes are what an entry is written with.
type attributes struct {
	name     string // a directory's ends with a slash
	mode     fs.FileMode
	modified time.Time
	store    bool
	size     int64 // as the program says, -1 when it does not
}

// newWriter makes the Writer that the arguments of create describe.
func (m *module) newWriter(L *lua.LState) (*archiveWriter, error) {
	if err := m.permit(L, "archive.write"); err != nil {
		return nil, err
	}
	files, isFS := m.fileSystem(L.Get(1))
	next, name := 2, ""
	if isFS {
		next, name = 3, L.CheckString(2)
	}
	w := &archiveWriter{}
	var err error
	if w.opts, err = readOptions(L, next); err != nil {
		return nil, err
	}
	if w.opts.format == "" {
		if w.opts.format, err = formatOfName(name); err != nil {
			return nil, err
		}
	}
	var target io.Writer
	if isFS {
		f, err := files.Create(name)
		if err != nil {
			return nil, device(err)
		}
		target, w.after = f, []func() error{f.Close}
	} else {
		ud, isUserdata := L.Get(1).(*lua.LUserData)
		if !isUserdata {
			return nil, invalid("archive destination must be a file, a stream or a file system, got %s", L.Get(1).Type())
		}
		var ok bool
		if target, ok = writer(ud); !ok {
			return nil, invalid("destination stream is not writable")
		}
	}
	p := engine.From(L)
	w.buffer = make([]byte, w.opts.buffer)
	out := &targetWriter{p.Context(), target}
	w.encode(out)
	w.release = owned.Add(p, func() {
		out.ctx = context.Background() // the process has ended, its archive not quite
		_ = w.finish()                 // nobody is there to hear of an error
	})
	return w, nil
}

// encode makes the encoder.
func (w *archiveWriter) encode(target io.Writer) {
	buffered := bufio.NewWriterSize(target, int(w.opts.buffer))
	w.after = append([]func() error{buffered.Flush}, w.after...)
	switch w.opts.format {
	case formatZip:
		w.out = &zipEncoder{zip.NewWriter(buffered)}
	case formatTarGzip:
		z := gzip.NewWriter(buffered)
		w.after = append([]func() error{z.Close}, w.after...)
		w.out = &tarEncoder{tar.NewWriter(z)}
	case formatTarZstd:
		z, err := zstd.NewWriter(buffered, zstd.WithEncoderConcurrency(1))
		if err != nil {
			panic(err) // the options are constants
		}
		w.after = append([]func() error{z.Close}, w.after...)
		w.out = &tarEncoder{tar.NewWriter(z)}
	default:
		w.out = &tarEncoder{tar.NewWriter(buffered)}
	}
}

// close writes the end of the archive.
func (w *archiveWriter) close() error {
	if !w.release() {
		return nil
	}
	return w.finish()
}

// finish closes everything, also after an error, and returns the first one.
func (w *archiveWriter) finish() error {
	w.closed = true
	err := w.out.Close()
	for _, f := range w.after {
		if e := f(); err == nil {
			err = device(e)
		}
	}
	w.out, w.after, w.buffer = nil, nil, nil
	return err
}

// add writes an entry.
func (w *archiveWriter) add(a *attributes, r io.Reader, size int64) error {
	if w.failed != nil {
		return w.failed
	}
	if a.size >= 0 {
		size = a.size
	}
	counter := &writeGuard{}
	err := w.out.add(a, counter.reader(r), size, w.buffer)
	if err != nil && counter.started {
		w.failed = invalid("archive is damaged by an entry that failed: %s", a.name)
	}
	return err
}

// writeGuard notes whether an entry was begun: from then on an error leaves half of it in the archive.
type writeGuard struct{ started bool }

func (g *writeGuard) reader(r io.Reader) io.Reader { return &guardedReader{g, r} }

type guardedReader struct {
	guard *writeGuard
	r     io.Reader
}

// Read implements io.Reader.
func (g *guardedReader) Read(p []byte) (int, error) {
	g.guard.started = true
	return g.r.Read(p)
}

type zipEncoder struct{ *zip.Writer }

func (z *zipEncoder) add(a *attributes, r io.Reader, _ int64, buffer []byte) error {
	h := &zip.FileHeader{Name: a.name, Method: zip.Deflate, Modified: a.modified}
	if a.store {
		h.Method = zip.Store
	}
	h.SetMode(a.mode)
	w, err := z.CreateHeader(h)
	if err != nil || a.mode.IsDir() {
		return err
	}
	n, err := io.CopyBuffer(plainWriter{w}, r, buffer)
	if err == nil && a.size >= 0 && n != a.size {
		err = errSize(a)
	}
	return err
}

func errSize(a *attributes) error {
	return invalid("entry does not have the size that opts.size says: %s", a.name)
}

type tarEncoder struct{ *tar.Writer }

func (t *tarEncoder) add(a *attributes, r io.Reader, size int64, buffer []byte) error {
	h := &tar.Header{Name: a.name, Mode: int64(a.mode.Perm()), ModTime: a.modified, Typeflag: tar.TypeReg, Size: size}
	if a.mode.IsDir() {
		h.Typeflag, h.Size = tar.TypeDir, 0
	} else if size < 0 {
		return invalid("size required to stream an entry into a tar archive (pass opts.size)")
	}
	if err := t.WriteHeader(h); err != nil || a.mode.IsDir() {
		return err
	}
	n, err := io.CopyBuffer(plainWriter{t}, r, buffer)
	switch {
	case err == tar.ErrWriteTooLong:
		return errSize(a)
	case err == nil && n != size:
		return errSize(a)
	}
	return err
}

// readAttributes reads the options of add. t may be nil.
func readAttributes(t *lua.LTable, name string) (*attributes, error) {
	if name == "" {
		return nil, invalid("entry name is required")
	}
	a := &attributes{name: name, mode: 0o644, modified: time.Now(), size: -1}
	if t == nil {
		return a, nil
	}
	switch v := t.RawGetString("method"); v {
	case lua.LNil, lua.LString("deflate"):
	case lua.LString("store"):
		a.store = true
	default:
		return nil, invalid("method must be store or deflate, got %s", v.String())
	}
	if mode, ok := t.RawGetString("mode").(lua.LNumber); ok && mode >= 0 {
		a.mode = fs.FileMode(min(mode, 1<<32-1)).Perm()
	}
	if at, ok := t.RawGetString("modified").(lua.LNumber); ok && at > -1<<40 && at < 1<<40 {
		a.modified = time.Unix(int64(at), 0)
	}
	if size, ok := t.RawGetString("size").(lua.LNumber); ok && size >= 0 && size < 1<<53 {
		a.size = int64(size)
	}
	return a, nil
}

// writerMethod makes a method that returns true, or nil and an error.
func writerMethod(fn func(L *lua.LState, w *archiveWriter) error) lua.LGFunction {
	return func(L *lua.LState) int {
		w := engine.Check[*archiveWriter](L, 1, "archive.Writer")
		if w.closed {
			return engine.PushError(L, errClosed)
		}
		if err := fn(L, w); err != nil {
			return engine.PushError(L, fault(err))
		}
		return call.Value(L, lua.LTrue)
	}
}

func (m *module) writerMethods() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"add":      writerMethod(add),
		"add_file": writerMethod(m.addFile),
		"add_dir": writerMethod(func(L *lua.LState, w *archiveWriter) error {
			a, err := readAttributes(nil, strings.TrimRight(L.CheckString(2), "/"))
			if err != nil {
				return err
			}
			a.name, a.mode = a.name+"/", 0o755|fs.ModeDir
			return w.add(a, strings.NewReader(""), 0)
		}),
		"close": func(L *lua.LState) int {
			w := engine.Check[*archiveWriter](L, 1, "archive.Writer")
			if !w.closed {
				if err := w.close(); err != nil {
					return engine.PushError(L, fault(err))
				}
			}
			return call.Value(L, lua.LTrue)
		},
	}
}

// add implements w:add(name, data, opts?).
func add(L *lua.LState, w *archiveWriter) error {
	a, err := readAttributes(call.Table(L, 4), L.CheckString(2))
	if err != nil {
		return err
	}
	r, ok := reader(L.Get(3))
	if !ok {
		return invalid("entry data must be a string, a file or a stream, got %s", L.Get(3).Type())
	}
	size := sizeOf(r)
	return w.add(a, &sourceReader{engine.From(L).Context(), r}, size)
}

// addFile implements w:add_file(name, fs, path, opts?).
func (m *module) addFile(L *lua.LState, w *archiveWriter) error {
	options := call.Table(L, 5)
	a, err := readAttributes(options, L.CheckString(2))
	if err != nil {
		return err
	}
	files, ok := m.fileSystem(L.Get(3))
	if !ok {
		return invalid("source must be a file system")
	}
	f, err := files.Open(L.CheckString(4))
	if err != nil {
		return device(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return device(err)
	}
	if !info.Mode().IsRegular() {
		return invalid("not a file: %s", L.CheckString(4))
	}
	if options == nil || options.RawGetString("mode") == lua.LNil {
		a.mode = info.Mode().Perm()
	}
	return w.add(a, &sourceReader{engine.From(L).Context(), f}, info.Size())
}
