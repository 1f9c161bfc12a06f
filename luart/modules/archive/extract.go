// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"io"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
)

// extraction writes entries to a file system.
type extraction struct {
	job     *job
	files   FS
	buffer  []byte
	written int
}

// extraction makes an extraction to the file system at argument n.
func (m *module) extraction(L *lua.LState, n int, o *options) (*extraction, error) {
	files, ok := m.fileSystem(L.Get(n))
	if !ok {
		return nil, invalid("destination must be a file system")
	}
	return &extraction{job: newJob(engine.From(L).Context(), o), files: files, buffer: make([]byte, o.buffer)}, nil
}

// rules say what becomes of the entries.
type rules struct {
	prefix string
	strip  int
	filter *lua.LFunction
}

// readRules reads the options of extract_all at argument n.
func readRules(L *lua.LState, n int) (rules, error) {
	var r rules
	t := call.Table(L, n)
	if t == nil {
		return r, nil
	}
	if s, ok := t.RawGetString("prefix").(lua.LString); ok && s != "" {
		prefix, ok := safeTarget(string(s))
		if !ok {
			return r, invalid("unsafe entry path: %s", s)
		}
		r.prefix = prefix + "/"
	}
	r.strip = int(min(number(t, "strip", 0), 1<<30))
	r.filter, _ = t.RawGetString("filter").(*lua.LFunction)
	return r, nil
}

// entry extracts an entry when the rules want it.
func (x *extraction) entry(L *lua.LState, r rules, e *entry, open func() (io.ReadCloser, error)) error {
	target, ok := safeName(e.name)
	if !ok || !e.isDir() && !e.isFile() {
		return nil
	}
	if target, ok = stripped(target, r.strip); !ok {
		return nil
	}
	if target, ok = safeName(target); !ok || r.filter != nil && !wanted(L, r.filter, e) {
		return nil
	}
	if e.isDir() {
		return x.directory(r.prefix + target)
	}
	return x.file(e, r.prefix+target, open)
}

// wanted asks a program's filter. An error in it is a no.
func wanted(L *lua.LState, filter *lua.LFunction, e *entry) bool {
	top := L.GetTop()
	defer L.SetTop(top)
	L.Push(filter)
	L.Push(e.table())
	if err := L.PCall(1, 1, nil); err != nil {
		if end := engine.From(L).Context().Err(); end != nil {
			engine.RaiseError(L, end) // the process was terminated: this is no error of the filter
		}
		return false
	}
	return lua.LVAsBool(L.Get(-1))
}

func (x *extraction) directory(target string) error {
	return device(x.files.MkdirAll(target))
}

// file writes one file.
func (x *extraction) file(e *entry, target string, open func() (io.ReadCloser, error)) error {
	r, err := open()
	if err != nil {
		return err
	}
	defer r.Close()
	if dir := parent(target); dir != "" {
		if err := x.directory(dir); err != nil {
			return err
		}
	}
	w, err := x.files.Create(target)
	if err != nil {
		return device(err)
	}
	_, err = io.CopyBuffer(plainWriter{&targetWriter{x.job.ctx, w}}, plainReader{r}, x.buffer)
	if closeErr := w.Close(); err == nil {
		err = device(closeErr)
	}
	if err == nil {
		x.written++
	}
	return err
}

// plainReader and plainWriter hide methods that would make io.CopyBuffer do without the buffer.
type plainReader struct{ io.Reader }

type plainWriter struct{ io.Writer }
