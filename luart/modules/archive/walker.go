// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
	"github.com/wippyrun/kit/luart/modules/owned"
)

// walker is the value behind Walker objects.
type walker struct {
	opts    options
	job     *job
	release func() bool

	mu     sync.Mutex // guards what follows: the stream of an entry may be read by another goroutine
	seq    sequence
	count  int64
	at     uint64 // which entry is the current one
	closed bool
	end    error // what next returns from now on
}

// newWalker makes the Walker that the arguments of scan describe.
func (m *module) newWalker(L *lua.LState) (*walker, error) {
	if err := m.permit(L, "archive.read"); err != nil {
		return nil, err
	}
	r, ok := reader(L.Get(1))
	if !ok {
		return nil, invalid("archive source must be a string, a file or a stream")
	}
	w := &walker{}
	var err error
	if w.opts, err = readOptions(L, 2); err != nil {
		return nil, err
	}
	p := engine.From(L)
	w.job = newJob(p.Context(), &w.opts)
	buffered := bufio.NewReaderSize(&sourceReader{p.Context(), r}, int(max(w.opts.buffer, headSize)))
	if w.seq, err = newSequence(&w.opts, buffered); err != nil {
		return nil, err
	}
	w.release = owned.Add(p, w.shut)
	return w, nil
}

// newSequence makes the sequence of an archive.
func newSequence(o *options, r *bufio.Reader) (sequence, error) {
	if o.format == "" {
		head, err := r.Peek(headSize)
		if err != nil && err != io.EOF {
			return nil, err
		}
		if o.format, err = formatOf(head, ""); err != nil {
			return nil, err
		}
	}
	switch o.format {
	case formatZip:
		return newZipScan(r), nil
	case formatTarGzip:
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, cut(err)
		}
		return &tarScan{r: tar.NewReader(z), stop: func() { _ = z.Close() }}, nil
	case formatTarZstd:
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, err
		}
		return &tarScan{r: tar.NewReader(z), stop: z.Close}, nil
	}
	return &tarScan{r: tar.NewReader(r)}, nil
}

// maxWindow is the memory that unpacking zstd takes at most: what the strongest common level asks for.
const maxWindow = 128 << 20

// tarScan reads a tar archive.
type tarScan struct {
	r     *tar.Reader
	stop  func()
	count int
}

// next implements sequence.
func (s *tarScan) next() (*entry, error) {
	for {
		h, err := s.r.Next()
		if err != nil {
			return nil, err
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		s.count++
		return tarEntry(h, s.count-1), nil
	}
}

// Read implements sequence.
func (s *tarScan) Read(p []byte) (int, error) { return s.r.Read(p) }

func (s *tarScan) close() {
	if s.stop != nil {
		s.stop()
	}
}

// next goes to the next entry. The one before cannot be read any more.
func (w *walker) next() (*entry, uint64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at++
	if w.closed {
		return nil, 0, errClosed
	}
	if w.end != nil {
		return nil, 0, w.end
	}
	e, err := w.seq.next()
	if err == nil {
		if w.count++; w.count > w.opts.maxEntries {
			err = errEntries(&w.opts)
		}
	}
	if err != nil {
		w.end = err
		return nil, 0, err
	}
	return e, w.at, nil
}

// contents returns what the entry with the number at contains.
func (w *walker) contents(e *entry, at uint64) (io.ReadCloser, error) {
	if err := w.job.check(e); err != nil {
		return nil, err
	}
	return io.NopCloser(w.job.bound(e, &walked{w, at})), nil
}

// walked reads an entry as long as it is the current one.
type walked struct {
	w  *walker
	at uint64
}

var errMoved = engine.NewError(engine.KindInternal, "the walk has moved on from this entry")

// Read implements io.Reader.
func (r *walked) Read(p []byte) (int, error) {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	switch {
	case r.w.closed:
		return 0, errClosed
	case r.w.at != r.at:
		return 0, errMoved
	}
	return r.w.seq.Read(p)
}

func (w *walker) close() {
	if w.release() {
		w.shut()
	}
}

func (w *walker) shut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.seq.close()
}

func checkWalker(L *lua.LState) *walker { return engine.Check[*walker](L, 1, "archive.Walker") }

func (m *module) walkerMethods() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"walk": m.walk,
		"extract_all": func(L *lua.LState) int {
			v, err := m.walkerExtractAll(L, checkWalker(L))
			if err != nil {
				return engine.PushError(L, fault(err))
			}
			return call.Value(L, v)
		},
		"close": func(L *lua.LState) int {
			if w := checkWalker(L); !w.closed {
				w.close()
			}
			return call.Value(L, lua.LTrue)
		},
	}
}

// walk implements s:walk(), an iterator. What is wrong with the archive is raised.
func (m *module) walk(L *lua.LState) int {
	w := checkWalker(L)
	if w.closed {
		return engine.PushError(L, errClosed)
	}
	L.Push(m.builder.Function("walk", func(L *lua.LState) int {
		e, at, err := w.next()
		switch {
		case err == io.EOF:
			L.Push(lua.LNil)
			return 1
		case err != nil:
			engine.RaiseError(L, fault(err))
		}
		L.Push(e.table())
		if !e.isFile() {
			L.Push(lua.LNil)
			return 2
		}
		r, err := w.contents(e, at)
		if err != nil {
			engine.RaiseError(L, fault(err))
		}
		L.Push(m.stream(L, r, e.size))
		return 2
	}))
	return 1
}

// walkerExtractAll implements s:extract_all(fs, opts?): all entries that are left.
func (m *module) walkerExtractAll(L *lua.LState, w *walker) (lua.LValue, error) {
	x, err := m.extraction(L, 2, &w.opts)
	if err != nil {
		return nil, err
	}
	x.job = w.job
	rules, err := readRules(L, 3)
	if err != nil {
		return nil, err
	}
	for {
		e, at, err := w.next()
		if err == io.EOF {
			return lua.LNumber(x.written), nil
		}
		if err == nil {
			err = x.entry(L, rules, e, func() (io.ReadCloser, error) { return w.contents(e, at) })
		}
		if err != nil {
			return nil, err
		}
	}
}
