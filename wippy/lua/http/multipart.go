// SPDX-License-Identifier: Apache-2.0

package http

import (
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/lua/stream"
)

// file is one file of a form. Its content is in memory or in a temporary file, and is gone
// when the request has ended.
type file struct{ form *multipart.FileHeader }

func checkFile(L *lua.LState) *file { return engine.Check[*file](L, 1, "multipart file") }

func (m *module) fileMethods() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"name": func(L *lua.LState) int { L.Push(lua.LString(checkFile(L).form.Filename)); return 1 },
		"size": func(L *lua.LState) int { L.Push(lua.LNumber(checkFile(L).form.Size)); return 1 },
		"header": func(L *lua.LState) int {
			values := checkFile(L).form.Header.Values(L.CheckString(2))
			return pushOptional(L, first(values), len(values) > 0)
		},
		"stream": m.fileStream,
	}
}

// fileStream opens the content of a file. Each stream has a place of its own in it.
func (m *module) fileStream(L *lua.LState) int {
	f := checkFile(L).form
	return stream.Await(L, func() (any, error) { return f.Open() }, func(L *lua.LState, opened any, err error) []lua.LValue {
		if err != nil {
			return []lua.LValue{lua.LNil, engine.ErrorValue(engine.NewError(engine.KindInternal, err.Error()).WithCause(err))}
		}
		// A temporary file could be written to as well.
		only := struct{ io.ReadSeekCloser }{opened.(multipart.File)}
		return []lua.LValue{m.streams.New(engine.From(L), only, f.Size), lua.LNil}
	})
}

func fileText(L *lua.LState) int {
	f := checkFile(L).form
	L.Push(lua.LString(fmt.Sprintf("http.MultipartFile{name=%s, size=%d}", f.Filename, f.Size)))
	return 1
}

// parseMultipart reads a form with its files. What does not fit into the memory allowed
// goes to temporary files, which the exchange removes.
func (m *module) parseMultipart(L *lua.LState) int {
	r := check(L)
	memory := int64(L.OptNumber(2, defaultMemory))
	if memory < 0 {
		memory = defaultMemory
	}
	if !strings.HasPrefix(r.x.Request.Header.Get("Content-Type"), "multipart/form-data") {
		return engine.PushError(L, invalid("content type is not multipart/form-data"))
	}
	return reading(L, r, func(body io.Reader) (any, error) {
		req := http.Request{Method: http.MethodPost, Header: r.x.Request.Header, Body: io.NopCloser(body)}
		parts, err := req.MultipartReader()
		if err != nil {
			return nil, err
		}
		form, err := parts.ReadForm(memory)
		if err != nil {
			return nil, err // and it has removed its files
		}
		// A file that cannot be removed is the system's to sweep up.
		r.x.Cleanup(func() { _ = form.RemoveAll() })
		_, err = io.Copy(io.Discard, body) // what follows the last part
		return form, err
	}, func(form any) (lua.LValue, error) { return m.form(form.(*multipart.Form)), nil })
}

func (m *module) form(form *multipart.Form) lua.LValue {
	values := map[string]any{}
	for field, list := range form.Value {
		if len(list) == 1 {
			values[field] = list[0]
			continue
		}
		all := make([]any, len(list))
		for i, v := range list {
			all[i] = v
		}
		values[field] = all
	}
	out := engine.ToLua(map[string]any{"values": values, "files": map[string]any{}}).(*lua.LTable)
	files := out.RawGetString("files").(*lua.LTable)
	for field, list := range form.File {
		t := engine.ToLua([]any{}).(*lua.LTable)
		for _, f := range list {
			t.Append(m.files.New(&file{f}))
		}
		files.RawSetString(field, t)
	}
	return out
}
