// SPDX-License-Identifier: Apache-2.0

package http

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/json"
	"github.com/wippyrun/kit/scheduler/dispatch"
)

const bodyID dispatch.CommandID = 80

// bodyCommand reads the whole body; its outcome is []byte.
type bodyCommand struct{ request *request }

// CommandID identifies the command.
func (*bodyCommand) CommandID() dispatch.CommandID { return bodyID }

// Register adds the handler that reads bodies, each on a goroutine of its own: a slow
// client holds up its own call only.
func Register(d *dispatch.Registry) {
	d.Register("http", bodyID, dispatch.HandlerFunc(
		func(_ context.Context, cmd dispatch.Command, tag dispatch.Tag, r dispatch.Receiver) error {
			go func() {
				body, err := cmd.(*bodyCommand).request.readAll()
				r.CompleteYield(tag, body, err)
			}()
			return nil
		}))
}

// readAll reads the body within the limits of the request.
func (r *request) readAll() ([]byte, error) {
	body := r.x.TakeBody()
	if body == nil {
		return nil, engine.NewError(engine.KindInternal, "the request body was read already")
	}
	if r.x.Request.ContentLength > r.maxBody {
		return nil, invalid("request body too large")
	}
	type outcome struct {
		data []byte
		err  error
	}
	read := make(chan outcome, 1)
	go func() {
		data, err := io.ReadAll(io.LimitReader(body, r.maxBody+1))
		read <- outcome{data, err}
	}()
	timer := time.NewTimer(r.timeout)
	defer timer.Stop()
	select {
	case o := <-read:
		switch {
		case o.err != nil:
			return nil, engine.NewError(engine.KindInternal, o.err.Error()).WithCause(o.err)
		case int64(len(o.data)) > r.maxBody:
			return nil, invalid("request body too large")
		}
		return o.data, nil
	case <-timer.C:
		return nil, engine.NewError(engine.KindInternal, fmt.Sprintf("request timeout after %dms", r.timeout.Milliseconds()))
	}
}

// read waits for the body and makes the results of it.
func read(L *lua.LState, r *request, results func([]byte) (lua.LValue, error)) int {
	return engine.Yield(L, &bodyCommand{r}, func(_ *lua.LState, data any, err error) []lua.LValue {
		var v lua.LValue
		if err == nil {
			v, err = results(data.([]byte))
		}
		if err != nil {
			return []lua.LValue{lua.LNil, engine.ErrorValue(err)}
		}
		return []lua.LValue{v}
	})
}

func asText(data []byte) (lua.LValue, error) { return lua.LString(data), nil }

func asJSON(data []byte) (lua.LValue, error) {
	v, err := json.Decode(string(data))
	if err != nil {
		return nil, engine.NewError(engine.KindInvalid, err.Error()).WithCause(err)
	}
	return v, nil
}

// file is one file of a form.
type file struct {
	name   string
	size   int64
	header textproto.MIMEHeader
	form   *multipart.FileHeader
}

func checkFile(L *lua.LState) *file { return engine.Check[*file](L, 1, "multipart file") }

var fileMethods = map[string]lua.LGFunction{
	"name": func(L *lua.LState) int { L.Push(lua.LString(checkFile(L).name)); return 1 },
	"size": func(L *lua.LState) int { L.Push(lua.LNumber(checkFile(L).size)); return 1 },
	"header": func(L *lua.LState) int {
		values := checkFile(L).header.Values(L.CheckString(2))
		return pushOptional(L, first(values), len(values) > 0)
	},
}

func fileText(L *lua.LState) int {
	f := checkFile(L)
	L.Push(lua.LString(fmt.Sprintf("http.MultipartFile{name=%s, size=%d}", f.name, f.size)))
	return 1
}

// parseMultipart reads a form with its files.
func (m *module) parseMultipart(L *lua.LState) int {
	r := check(L)
	memory := int64(L.OptNumber(2, defaultMemory))
	if !strings.HasPrefix(r.x.Request.Header.Get("Content-Type"), "multipart/form-data") {
		return engine.PushError(L, invalid("content type is not multipart/form-data"))
	}
	return read(L, r, func(data []byte) (lua.LValue, error) {
		req := r.x.Request.Clone(context.Background())
		req.Body = io.NopCloser(bytes.NewReader(data))
		if err := req.ParseMultipartForm(max(memory, int64(len(data)))); err != nil {
			return nil, engine.NewError(engine.KindInternal, err.Error()).WithCause(err)
		}
		return m.form(req.MultipartForm)
	})
}

func (m *module) form(form *multipart.Form) (lua.LValue, error) {
	if form == nil {
		return nil, errors.New("no form")
	}
	files, values := map[string]any{}, map[string]any{}
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
	out := engine.ToLua(map[string]any{"values": values, "files": files}).(*lua.LTable)
	table := out.RawGetString("files").(*lua.LTable)
	for field, list := range form.File {
		t := engine.ToLua([]any{}).(*lua.LTable)
		for _, f := range list {
			t.Append(m.files.New(&file{f.Filename, f.Size, f.Header, f}))
		}
		table.RawSetString(field, t)
	}
	return out, nil
}
