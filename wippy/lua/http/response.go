// SPDX-License-Identifier: Apache-2.0

package http

import (
	"errors"
	"net/http"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/json"
	"github.com/wippyrun/kit/wippy/system/exchange"
)

// response is the value behind a Response. Each keeps for itself what it has sent.
type response struct {
	x    *exchange.Exchange
	sent bool // status or body went out through it
	sse  bool
}

func (m *module) response(L *lua.LState) int {
	x, err := current(L)
	if err != nil {
		return engine.PushError(L, err)
	}
	L.Push(m.responses.New(&response{x: x}))
	return 1
}

func responseText(L *lua.LState) int {
	engine.Check[*response](L, 1, "response")
	L.Push(lua.LString("http.Response{}"))
	return 1
}

// answering makes a method: nil or an error object.
func answering(f func(L *lua.LState, r *response) error) lua.LGFunction {
	return func(L *lua.LState) int {
		L.Push(engine.ErrorValue(f(L, engine.Check[*response](L, 1, "response"))))
		return 1
	}
}

// writing makes a method that may have to wait for a slow client: without room the
// coroutine does, not the worker that runs it.
func writing(f func(L *lua.LState, r *response) (room bool, err error)) lua.LGFunction {
	return func(L *lua.LState) int {
		r := engine.Check[*response](L, 1, "response")
		room, err := f(L, r)
		if err == nil && !room {
			return engine.Yield(L, &roomCommand{r.x}, func(_ *lua.LState, _ any, err error) []lua.LValue {
				return []lua.LValue{engine.ErrorValue(failed(err))}
			})
		}
		L.Push(engine.ErrorValue(err))
		return 1
	}
}

var responseMethods = map[string]lua.LGFunction{
	"set_status": answering(func(L *lua.LState, r *response) error {
		code := L.CheckInt(2)
		if code < 100 || code > 999 {
			L.ArgError(2, "not a status code")
		}
		if r.sent {
			return invalid("cannot set status after headers are sent")
		}
		r.sent = true
		return r.x.SetStatus(code)
	}),
	"set_header": answering(func(L *lua.LState, r *response) error {
		name, value := L.CheckString(2), L.CheckString(3)
		if r.sent {
			return invalid("cannot set headers after they are sent")
		}
		r.x.Handled()
		return r.x.Header(func(h http.Header) { h.Set(name, value) })
	}),
	"set_content_type": answering(func(L *lua.LState, r *response) error {
		value := L.CheckString(2)
		if r.sent {
			return invalid("cannot set content type after headers are sent")
		}
		return r.x.Header(func(h http.Header) { h.Set("Content-Type", value) })
	}),
	"set_transfer": answering(func(L *lua.LState, r *response) error {
		mode := L.CheckString(2)
		if mode != "chunked" && mode != "sse" {
			L.RaiseError("invalid transfer type: %s", mode)
		}
		if r.sent {
			return invalid("cannot set transfer mode after headers are sent")
		}
		if mode == "sse" {
			return r.eventStream()
		}
		return r.x.Header(func(h http.Header) {
			h.Set("Transfer-Encoding", "chunked")
			h.Set("Cache-Control", "no-cache")
		})
	}),
	"write": writing(func(L *lua.LState, r *response) (bool, error) {
		return r.write(L.CheckString(2))
	}),
	"write_json": writing(func(L *lua.LState, r *response) (bool, error) {
		body, err := json.Encode(L.CheckAny(2))
		if err != nil {
			return true, engine.NewError(engine.KindInvalid, "failed to encode JSON: "+err.Error()).WithCause(err)
		}
		sent := r.sent
		_ = r.x.Header(func(h http.Header) {
			if !sent || h.Get("Content-Type") == "" {
				h.Set("Content-Type", "application/json")
			}
		})
		return r.write(body)
	}),
	"write_event": writing(func(L *lua.LState, r *response) (bool, error) {
		event := engine.Unwrap(L.CheckTable(2))
		name, _ := event.RawGetString("name").(lua.LString)
		data := event.RawGetString("data")
		if name == "" || data == lua.LNil {
			L.RaiseError("an event needs a name and data")
		}
		if !r.sse {
			if r.sent {
				return true, invalid("cannot switch to SSE mode after headers are sent")
			}
			if err := r.eventStream(); err != nil {
				return true, err
			}
		}
		text, err := json.Encode(data)
		if err != nil {
			return true, engine.NewError(engine.KindInvalid, err.Error()).WithCause(err)
		}
		if _, err := r.write("event: " + string(name) + "\ndata: " + text + "\n\n"); err != nil {
			return true, err
		}
		return r.flush()
	}),
	"flush": writing(func(_ *lua.LState, r *response) (bool, error) { return r.flush() }),
}

// eventStream announces server-sent events.
func (r *response) eventStream() error {
	r.sse = true
	return r.x.Header(func(h http.Header) {
		h.Set("Content-Type", "text/event-stream")
		h.Set("Cache-Control", "no-cache")
		h.Set("Connection", "keep-alive")
	})
}

func (r *response) write(p string) (room bool, err error) {
	r.sent = true
	room, err = r.x.Write(p)
	return room, failed(err)
}

func (r *response) flush() (room bool, err error) {
	r.sent = true
	room, err = r.x.Flush()
	return room, failed(err)
}

// failed is the error of a write.
func failed(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, exchange.ErrEnded):
		return engine.NewError(engine.KindCanceled, err.Error())
	}
	return engine.NewError(engine.KindInternal, "write failed: "+err.Error()).WithCause(err)
}
