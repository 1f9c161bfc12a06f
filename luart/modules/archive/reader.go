// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"io"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
	"github.com/wippyrun/kit/luart/modules/owned"
)

// archiveReader is the value behind Reader objects.
type archiveReader struct {
	opts    options
	index   index
	names   map[string]*entry // the first of each name
	closer  io.Closer
	closed  bool
	release func() bool
}

// openReader makes the Reader that the arguments of open describe.
func (m *module) openReader(L *lua.LState) (*archiveReader, error) {
	if err := m.permit(L, "archive.read"); err != nil {
		return nil, err
	}
	s, next, err := m.randomSource(L)
	if err != nil {
		return nil, err
	}
	r := &archiveReader{closer: s.close}
	if r.opts, err = readOptions(L, next); err == nil {
		err = r.read(newJob(engine.From(L).Context(), &r.opts), s)
	}
	if err != nil {
		r.shut()
		return nil, err
	}
	r.release = owned.Add(engine.From(L), r.shut)
	return r, nil
}

// read finds the entries.
func (r *archiveReader) read(j *job, s source) error {
	if r.opts.format == "" {
		head := make([]byte, headSize)
		n, err := s.ReadAt(head, 0)
		if err != nil && err != io.EOF {
			return err
		}
		if r.opts.format, err = formatOf(head[:n], s.name); err != nil {
			return err
		}
	}
	var err error
	switch r.opts.format {
	case formatZip:
		r.index, err = newZipIndex(s, &r.opts)
	case formatTar:
		r.index, err = newTarIndex(j, s)
	default:
		err = unavailable("format " + r.opts.format + " has no random access: use archive.scan")
	}
	if err != nil {
		return err
	}
	r.names = make(map[string]*entry, len(r.index.entries()))
	for _, e := range r.index.entries() {
		if r.names[e.name] == nil {
			r.names[e.name] = e
		}
	}
	return nil
}

// close ends the use of the Reader. Streams of its entries fail from then on when the source was its own.
func (r *archiveReader) close() {
	if r.release() {
		r.shut()
	}
}

func (r *archiveReader) shut() {
	r.closed = true
	if r.closer != nil {
		_ = r.closer.Close() // it was only read
	}
	r.index, r.names = nil, nil
}

// find returns the entry of a name.
func (r *archiveReader) find(name string) (*entry, error) {
	if e := r.names[name]; e != nil {
		return e, nil
	}
	return nil, notFound(name)
}

// contents opens a file of the archive for a job.
func (r *archiveReader) contents(j *job, e *entry) (*contents, error) {
	if !e.isFile() {
		return nil, invalid("entry is not a file: %s", e.name)
	}
	if err := j.check(e); err != nil {
		return nil, err
	}
	c, err := r.index.open(e)
	if err != nil {
		return nil, err
	}
	return &contents{j.bound(e, c), c}, nil
}

// contents reads an entry within the limits.
type contents struct {
	*bounded
	closer io.Closer
}

// Close implements io.Closer.
func (c *contents) Close() error { return c.closer.Close() }

// maxGuess is how much room is made for an entry because of what the archive says about its size.
const maxGuess = 1 << 20

// readAll returns what a file contains.
func (r *archiveReader) readAll(j *job, e *entry) (string, error) {
	if e.size > r.opts.maxInline {
		return "", invalid("entry too large for read(); use stream() or extract()")
	}
	c, err := r.contents(j, e)
	if err != nil {
		return "", err
	}
	defer c.Close()
	var data bytes.Buffer
	data.Grow(int(min(e.size, maxGuess)) + bytes.MinRead)
	if _, err := data.ReadFrom(io.LimitReader(c, addOne(r.opts.maxInline))); err != nil {
		return "", err
	}
	if int64(data.Len()) > r.opts.maxInline {
		return "", invalid("entry exceeds max_inline_bytes")
	}
	return data.String(), nil
}

// addOne returns n + 1 unless there is no such number.
func addOne(n int64) int64 { return n + min(1, 1<<63-1-n) }

// readerMethod makes a method that fails with nil and an error.
func readerMethod(fn func(L *lua.LState, r *archiveReader) (lua.LValue, error)) lua.LGFunction {
	return func(L *lua.LState) int {
		r := engine.Check[*archiveReader](L, 1, "archive.Reader")
		if r.closed {
			return engine.PushError(L, errClosed)
		}
		v, err := fn(L, r)
		if err != nil {
			return engine.PushError(L, fault(err))
		}
		return call.Value(L, v)
	}
}

func (m *module) readerMethods() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"entries": m.readerEntries,
		"stat": readerMethod(func(L *lua.LState, r *archiveReader) (lua.LValue, error) {
			e, err := r.find(L.CheckString(2))
			if err != nil {
				return nil, err
			}
			return e.table(), nil
		}),
		"read": readerMethod(func(L *lua.LState, r *archiveReader) (lua.LValue, error) {
			e, err := r.find(L.CheckString(2))
			if err != nil {
				return nil, err
			}
			text, err := r.readAll(newJob(engine.From(L).Context(), &r.opts), e)
			return lua.LString(text), err
		}),
		"stream": readerMethod(func(L *lua.LState, r *archiveReader) (lua.LValue, error) {
			e, err := r.find(L.CheckString(2))
			if err != nil {
				return nil, err
			}
			c, err := r.contents(newJob(engine.From(L).Context(), &r.opts), e)
			if err != nil {
				return nil, err
			}
			return m.stream(L, c, e.size), nil
		}),
		"extract":     readerMethod(m.readerExtract),
		"extract_all": readerMethod(m.readerExtractAll),
		"close": func(L *lua.LState) int {
			if r := engine.Check[*archiveReader](L, 1, "archive.Reader"); !r.closed {
				r.close()
			}
			return call.Value(L, lua.LTrue)
		},
	}
}

// readerEntries implements r:entries(), an iterator.
func (m *module) readerEntries(L *lua.LState) int {
	r := engine.Check[*archiveReader](L, 1, "archive.Reader")
	if r.closed {
		return engine.PushError(L, errClosed)
	}
	i := 0
	L.Push(m.builder.Function("entries", func(L *lua.LState) int {
		if r.closed {
			engine.RaiseError(L, errClosed)
		}
		if list := r.index.entries(); i < len(list) {
			i++
			L.Push(list[i-1].table())
			return 1
		}
		L.Push(lua.LNil)
		return 1
	}))
	return 1
}

// readerExtract implements r:extract(name, fs, dest_path?).
func (m *module) readerExtract(L *lua.LState, r *archiveReader) (lua.LValue, error) {
	e, err := r.find(L.CheckString(2))
	if err != nil {
		return nil, err
	}
	x, err := m.extraction(L, 3, &r.opts)
	if err != nil {
		return nil, err
	}
	target, ok := safeName(e.name)
	if L.Get(4) != lua.LNil {
		target = L.CheckString(4)
		if target, ok = safeTarget(target); !ok {
			return nil, invalid("unsafe entry path: %s", L.CheckString(4))
		}
	}
	if !ok {
		return nil, invalid("unsafe entry path: %s", e.name)
	}
	if e.isDir() {
		return lua.LTrue, x.directory(target)
	}
	return lua.LTrue, x.file(e, target, func() (io.ReadCloser, error) { return r.contents(x.job, e) })
}

// readerExtractAll implements r:extract_all(fs, opts?).
func (m *module) readerExtractAll(L *lua.LState, r *archiveReader) (lua.LValue, error) {
	x, err := m.extraction(L, 2, &r.opts)
	if err != nil {
		return nil, err
	}
	rules, err := readRules(L, 3)
	if err != nil {
		return nil, err
	}
	for _, e := range r.index.entries() {
		if r.closed { // by the filter
			return nil, errClosed
		}
		err := x.entry(L, rules, e, func() (io.ReadCloser, error) { return r.contents(x.job, e) })
		if err != nil {
			return nil, err
		}
	}
	return lua.LNumber(x.written), nil
}
