// SPDX-License-Identifier: Apache-2.0

package http

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/system/exchange"
)

// What reading a body is bounded by, unless the program says otherwise.
const (
	defaultTimeout = 300_000 * time.Millisecond
	defaultBody    = 120 << 20
	defaultMemory  = 32 << 20
)

// request is the value behind a Request.
type request struct {
	x       *exchange.Exchange
	timeout time.Duration
	maxBody int64
}

func (m *module) request(L *lua.LState) int {
	r := &request{timeout: defaultTimeout, maxBody: defaultBody}
	if L.Get(1) != lua.LNil {
		options := engine.Unwrap(L.CheckTable(1))
		if n, ok := options.RawGetString("timeout").(lua.LNumber); ok && n > 0 {
			r.timeout = time.Duration(float64(n) * float64(time.Millisecond))
		}
		if n, ok := options.RawGetString("max_body").(lua.LNumber); ok && n > 0 {
			r.maxBody = int64(n)
		}
	}
	var err error
	if r.x, err = current(L); err != nil {
		return engine.PushError(L, err)
	}
	L.Push(m.requests.New(r))
	return 1
}

// errNoRoute is what asking for route parameters gives where nothing was matched.
var errNoRoute = engine.NewError(engine.KindInternal, "no route parameters found")

func check(L *lua.LState) *request { return engine.Check[*request](L, 1, "request") }

func requestText(L *lua.LState) int {
	r := check(L).x.Request
	L.Push(lua.LString(fmt.Sprintf("http.Request{method=%s, path=%s}", r.Method, r.URL.Path)))
	return 1
}

// text makes a method of what the request says.
func text(f func(*http.Request) string) lua.LGFunction {
	return func(L *lua.LState) int {
		L.Push(lua.LString(f(check(L).x.Request)))
		return 1
	}
}

func (m *module) requestMethods() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"method":      text(func(r *http.Request) string { return r.Method }),
		"path":        text(func(r *http.Request) string { return r.URL.Path }),
		"host":        text(func(r *http.Request) string { return r.Host }),
		"remote_addr": text(func(r *http.Request) string { return r.RemoteAddr }),
		"query": func(L *lua.LState) int {
			values, ok := check(L).x.Request.URL.Query()[L.CheckString(2)]
			return pushOptional(L, first(values), ok)
		},
		"query_params": func(L *lua.LState) int {
			all := map[string]string{}
			for k, v := range check(L).x.Request.URL.Query() {
				all[k] = strings.Join(v, ",")
			}
			return pushMap(L, all)
		},
		"header": func(L *lua.LState) int {
			values := check(L).x.Request.Header.Values(L.CheckString(2))
			return pushOptional(L, strings.Join(values, ", "), len(values) > 0)
		},
		"content_type": func(L *lua.LState) int {
			v := check(L).x.Request.Header.Get("Content-Type")
			return pushOptional(L, v, v != "")
		},
		"content_length": func(L *lua.LState) int {
			L.Push(lua.LNumber(check(L).x.Request.ContentLength))
			return 1
		},
		"has_body": func(L *lua.LState) int {
			L.Push(lua.LBool(check(L).x.Request.ContentLength > 0))
			return 1
		},
		"is_content_type": func(L *lua.LState) int {
			L.Push(lua.LBool(strings.HasPrefix(check(L).x.Request.Header.Get("Content-Type"), L.CheckString(2))))
			return 1
		},
		"accepts": func(L *lua.LState) int {
			r, want := check(L).x.Request, L.CheckString(2)
			accepted := slices.ContainsFunc(strings.Split(strings.Join(r.Header.Values("Accept"), ","), ","), func(v string) bool {
				v = strings.TrimSpace(v)
				return v == want || v == "*/*"
			})
			L.Push(lua.LBool(accepted))
			return 1
		},
		"param": func(L *lua.LState) int {
			r, name := check(L), L.CheckString(2)
			if r.x.Route == nil {
				return engine.PushError(L, errNoRoute)
			}
			v, ok := r.x.Route.Params[name]
			return pushOptional(L, v, ok)
		},
		"params": func(L *lua.LState) int {
			r := check(L)
			if r.x.Route == nil {
				return engine.PushError(L, errNoRoute)
			}
			return pushMap(L, r.x.Route.Params)
		},
		"body":            func(L *lua.LState) int { return whole(L, check(L), asText) },
		"body_json":       func(L *lua.LState) int { return whole(L, check(L), asJSON) },
		"stream":          m.stream,
		"parse_multipart": m.parseMultipart,
	}
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

func pushOptional(L *lua.LState, v string, ok bool) int {
	if ok {
		L.Push(lua.LString(v))
	} else {
		L.Push(lua.LNil)
	}
	return 1
}

func pushMap(L *lua.LState, all map[string]string) int {
	t := L.CreateTable(0, max(len(all), 1))
	for _, k := range slices.Sorted(maps.Keys(all)) {
		t.RawSetString(k, lua.LString(all[k]))
	}
	L.Push(t)
	return 1
}
