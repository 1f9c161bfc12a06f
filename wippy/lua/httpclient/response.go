// SPDX-License-Identifier: Apache-2.0

package httpclient

import (
	"io"
	"net/http"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

// response is an answer.
type response struct {
	status  int
	url     string // after redirects
	header  http.Header
	cookies []*http.Cookie
	body    []byte
	size    int           // of the body, -1 when it is a stream
	stream  io.ReadCloser // the body, when it was not read
}

// streamed is the body of an answer that a stream reads. Closing it ends the request.
type streamed struct {
	io.ReadCloser
	cancel func()
}

// Close implements io.Closer.
func (s *streamed) Close() error {
	err := s.ReadCloser.Close()
	s.cancel()
	return err
}

// table makes the Lua form: a plain table without what is empty.
func (r *response) table() *lua.LTable {
	t := engine.NewObject(7)
	t.RawSetString("status_code", lua.LNumber(r.status))
	t.RawSetString("url", lua.LString(r.url))
	t.RawSetString("body_size", lua.LNumber(r.size))
	if len(r.body) > 0 {
		t.RawSetString("body", lua.LString(r.body))
	}
	if len(r.header) > 0 {
		headers := engine.NewObject(len(r.header))
		for name, values := range r.header {
			if len(values) > 0 {
				headers.RawSetString(name, lua.LString(values[0]))
			}
		}
		t.RawSetString("headers", headers)
	}
	if len(r.cookies) > 0 {
		cookies := engine.NewObject(len(r.cookies))
		for _, c := range r.cookies {
			cookies.RawSetString(c.Name, lua.LString(c.Value))
		}
		t.RawSetString("cookies", cookies)
	}
	return t
}
