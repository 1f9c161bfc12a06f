// SPDX-License-Identifier: Apache-2.0

// Package httpclient is the Lua module http_client: requests to HTTP servers.
//
// Every request suspends the calling coroutine only; it runs on a goroutine of its own and ends with the process
// or call that sent it. Connections are shared by all programs of the runtime and kept for a while, apart by
// socket, network and TLS settings. A body is read up to a bound, or handed over as a stream, which lives no longer
// than the process that asked for it. Redirects are followed, ten at most. Proxies of the environment are not used.
//
// An answer with any status is a response. What keeps a request from being answered is an error of kind Internal
// that may be retried; what the program may not do is one of kind PermissionDenied. Addresses of private networks
// are checked before a request is sent, again where it is redirected to, and once more when the connection is made,
// so that a name that answers differently the second time leads nowhere.
package httpclient

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/lua/background"
	"github.com/wippyrun/kit/wippy/lua/stream"
	"github.com/wippyrun/kit/wippy/system/network"
	"github.com/wippyrun/kit/wippy/system/security"
)

// Deps is what the module works with. Client is required.
type Deps struct {
	// Client holds the connections.
	Client *Client
	// Allow decides on URLs, sockets, insecure TLS and networks; nil allows all.
	Allow access.Check
	// Gate decides on the addresses of private networks; nil allows all.
	Gate *security.Gate
	// Networks are the overlay networks; nil for none.
	Networks *network.Directory
	// Trace writes what the one who asks in this frame belongs to into the headers of a request, which may have others
	// of that name from the program; nil for nothing.
	Trace func(*appctx.Frame, http.Header)
}

type module struct {
	Deps
	streams *stream.Class
}

// Module returns the Lua module. Requests need the handlers that [Register] adds.
func Module(deps Deps) engine.Module {
	m := &module{Deps: deps}
	return engine.Module{
		Name:    "http_client",
		Classes: []string{"network", "io", "nondeterministic"},
		Build: func(b *engine.Builder) error {
			m.streams = stream.Define(b)
			for _, method := range []string{"GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"} {
				b.Func(strings.ToLower(method), func(L *lua.LState) int { return m.send(L, method, 1) })
			}
			b.Func("request", func(L *lua.LState) int {
				method := L.CheckString(1)
				if method == "" {
					L.ArgError(1, "method is required")
				}
				return m.send(L, strings.ToUpper(method), 2)
			})
			b.Func("request_batch", m.batch)
			b.Func("encode_uri", func(L *lua.LState) int {
				L.Push(lua.LString(url.QueryEscape(L.CheckString(1))))
				return 1
			})
			b.Func("decode_uri", decodeURI)
			return nil
		},
	}
}

func decodeURI(L *lua.LState) int {
	text, err := url.QueryUnescape(L.CheckString(1))
	if err != nil {
		return engine.PushError(L, engine.NewError(engine.KindInvalid, err.Error()).WithCause(err))
	}
	L.Push(lua.LString(text))
	return 1
}

const (
	requestID dispatch.CommandID = 258
	batchID   dispatch.CommandID = 259
)

// Register adds the handlers of the module's commands. Streams need stream.Register, too.
func Register(d *dispatch.Registry) {
	d.Register("http_client", requestID, dispatch.HandlerFunc(
		func(_ context.Context, cmd dispatch.Command, tag dispatch.Tag, r dispatch.Receiver) error {
			c := cmd.(*requestCommand)
			background.Complete(r, tag, func() (any, error) { return c.call.do() })
			return nil
		}))
	d.Register("http_client", batchID, dispatch.HandlerFunc(
		func(_ context.Context, cmd dispatch.Command, tag dispatch.Tag, r dispatch.Receiver) error {
			c := cmd.(*batchCommand)
			background.Complete(r, tag, func() (any, error) { return c.do() })
			return nil
		}))
}

// requestCommand sends one request; its outcome is a *response.
type requestCommand struct{ call *call }

// CommandID identifies the command.
func (*requestCommand) CommandID() dispatch.CommandID { return requestID }

// send implements the functions that send one request; the URL is argument n.
func (m *module) send(L *lua.LState, method string, n int) int {
	address := L.CheckString(n)
	if address == "" {
		L.ArgError(n, "URL is required")
	}
	o := readOptions(L.OptTable(n+1, nil))
	p := engine.From(L)
	if err := m.allowed(p, address, o, false); err != nil {
		return engine.PushError(L, err)
	}
	c := m.newCall(p, method, address, o)
	c.own(p)
	return engine.Yield(L, &requestCommand{c}, func(_ *lua.LState, data any, err error) []lua.LValue {
		if err != nil {
			c.disown()
			return []lua.LValue{lua.LNil, engine.ErrorValue(err)}
		}
		res := data.(*response)
		t := res.table()
		if res.stream == nil {
			c.disown()
		} else {
			body := &streamed{res.stream, c.cancel}
			t.RawSetString("stream", m.streams.New(p, body, -1, stream.Interrupt(c.cancel)))
			c.release() // the stream is owned in its place
		}
		return []lua.LValue{t, lua.LNil}
	})
}

// allowed asks for what can be decided before anything is looked up. urlFirst is the order of batches.
func (m *module) allowed(p *engine.Process, address string, o *options, urlFirst bool) error {
	allow := func(action, resource, what string) error {
		if m.Allow.Allowed(p, action, resource) {
			return nil
		}
		return access.Denied("not allowed: " + what)
	}
	if urlFirst {
		if err := allow("http_client.request", address, address); err != nil {
			return err
		}
	}
	if o.unixSocket != "" {
		if err := allow("http_client.unix_socket", o.unixSocket, "unix socket "+o.unixSocket); err != nil {
			return err
		}
	}
	if o.tls.Insecure {
		if err := allow("http_client.insecure_tls", address, "insecure TLS for "+address); err != nil {
			return err
		}
	}
	if o.network != "" {
		if err := allow("network.select", o.network, "network "+o.network); err != nil {
			return err
		}
	}
	if urlFirst {
		return nil
	}
	return allow("http_client.request", address, address)
}
