// SPDX-License-Identifier: Apache-2.0

// Package websocket is the Lua module websocket: connections to WebSocket servers.
//
// A connection belongs to the process or call that made it and is closed with it, with the code 1001. Connecting,
// sending, pinging and closing suspend the calling coroutine only. What the server sends arrives on a channel, in
// order; it closes when the connection has ended and everything was received.
//
// No message is dropped. A program that does not receive holds up the server: when Window bytes wait for it, no more
// are read from the connection, pongs included.
package websocket

import (
	"net/http"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/lua/stream"
	"github.com/wippyrun/kit/wippy/lua/subscription"
	"github.com/wippyrun/kit/wippy/system/network"
)

// Deps is what the module works with. Send carries messages to processes; the rest may be nil.
type Deps struct {
	Send     func(*relay.Message) error
	Allow    access.Check
	Networks *network.Directory
}

type module struct {
	Deps
	clients *engine.Class
	http    *http.Client // for direct connections
}

var numbers = map[string]map[string]int{
	"COMPRESSION": {"DISABLED": 0, "CONTEXT_TAKEOVER": 1, "NO_CONTEXT": 2},
	"CLOSE_CODES": {
		"NORMAL": 1000, "GOING_AWAY": 1001, "PROTOCOL_ERROR": 1002, "UNSUPPORTED_DATA": 1003, "RESERVED": 1004, "NO_STATUS": 1005,
		"ABNORMAL_CLOSURE": 1006, "INVALID_PAYLOAD": 1007, "POLICY_VIOLATION": 1008, "MESSAGE_TOO_BIG": 1009, "MANDATORY_EXTENSION": 1010,
		"INTERNAL_ERROR": 1011, "SERVICE_RESTART": 1012, "TRY_AGAIN_LATER": 1013, "BAD_GATEWAY": 1014, "TLS_HANDSHAKE": 1015,
	},
}

// Module returns the Lua module. It needs the handlers of stream.Register.
func Module(deps Deps) engine.Module {
	m := &module{Deps: deps, http: newHTTPClient(nil)}
	return engine.Module{
		Name:    "websocket",
		Classes: []string{"network", "io", "nondeterministic"},
		Build: func(b *engine.Builder) error {
			m.clients = b.Type("Client", map[string]lua.LGFunction{
				"send":    send,
				"ping":    ping,
				"close":   closeClient,
				"channel": channel,
				"receive": channel,
			}, map[string]lua.LGFunction{"__tostring": func(L *lua.LState) int {
				check(L)
				L.Push(lua.LString("websocket.Client{}"))
				return 1
			}})
			b.Func("connect", m.connect)
			b.Value("TEXT", lua.LNumber(text))
			b.Value("BINARY", lua.LNumber(binary))
			for _, name := range []string{"text", "binary", "ping", "pong", "close"} {
				b.Value("TYPE_"+strings.ToUpper(name), lua.LString(name))
			}
			for table, names := range numbers {
				t := b.Table(table)
				for name, n := range names {
					t.Value(name, lua.LNumber(n))
				}
			}
			return nil
		},
	}
}

func check(L *lua.LState) *client { return engine.Check[*client](L, 1, "websocket client") }

// connect implements websocket.connect(url, options).
func (m *module) connect(L *lua.LState) int {
	url := L.CheckString(1)
	o := readOptions(L.OptTable(2, nil))
	p := engine.From(L)
	if !m.Allow.Allowed(p, "websocket.connect", "") {
		return engine.PushError(L, access.Denied("websocket connections not allowed"))
	}
	if url == "" {
		L.ArgError(1, "URL is required")
	}
	if !m.Allow.Allowed(p, "websocket.connect.url", url) {
		return engine.PushError(L, access.Denied("not allowed: "+url))
	}
	if p.PID().IsZero() {
		L.RaiseError("no process PID")
	}
	sub, err := subscription.OpenSize(p, "websocket", o.capacity, m.Send)
	if err != nil {
		return engine.PushError(L, err)
	}
	c := newClient(sub, o)
	sub.OnClose(c.abandon)
	overlay, err := m.Networks.For(access.Frame(p), "")
	handshake := m.http
	if overlay != nil {
		handshake = newHTTPClient(overlay)
	}
	dial := func() (any, error) {
		if err != nil {
			return nil, err
		}
		return nil, c.dial(handshake, url)
	}
	return stream.Await(L, dial, func(_ *lua.LState, _ any, err error) []lua.LValue {
		if err != nil {
			sub.Close()
			return []lua.LValue{lua.LNil, engine.ErrorValue(engine.NewError(engine.KindInternal, err.Error()).WithCause(err).WithRetryable(true))}
		}
		return []lua.LValue{m.clients.New(c)}
	})
}

// channel implements client:channel().
func channel(L *lua.LState) int {
	L.Push(check(L).sub.Channel.Value())
	return 1
}

// send implements client:send(data, type).
func send(L *lua.LState) int {
	c, data := check(L), L.CheckString(2)
	kind := text
	if v := L.Get(3); v == lua.LNumber(binary) || v == lua.LString("binary") {
		kind = binary
	}
	return stream.Await(L, func() (any, error) { return nil, c.send(kind, data) }, done)
}

// ping implements client:ping().
func ping(L *lua.LState) int {
	c := check(L)
	return stream.Await(L, func() (any, error) { return nil, c.ping() }, done)
}

// done is true, or nil and the error.
func done(_ *lua.LState, _ any, err error) []lua.LValue {
	if err != nil {
		return []lua.LValue{lua.LNil, engine.ErrorValue(internal(err))}
	}
	return []lua.LValue{lua.LTrue, lua.LNil}
}

// closeClient implements client:close(code, reason).
func closeClient(L *lua.LState) int {
	c := check(L)
	code := 1000
	if n, ok := L.Get(2).(lua.LNumber); ok && n >= 1000 && n <= 4999 {
		code = int(n)
	}
	reason, _ := L.Get(3).(lua.LString)
	return stream.Await(L, func() (any, error) { return nil, c.close(code, string(reason)) }, func(_ *lua.LState, _ any, err error) []lua.LValue {
		if err != nil {
			return []lua.LValue{lua.LNil, engine.ErrorValue(internal(err))}
		}
		return nil
	})
}

func internal(err error) error {
	return engine.NewError(engine.KindInternal, err.Error()).WithCause(err)
}
