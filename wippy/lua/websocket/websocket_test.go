// SPDX-License-Identifier: Apache-2.0

package websocket_test

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	ws "github.com/coder/websocket"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/internal/porttest"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/lua/luatest"
	"github.com/wippyrun/kit/wippy/lua/stream"
	"github.com/wippyrun/kit/wippy/lua/websocket"
	"github.com/wippyrun/kit/wippy/system/processes"
)

func newSystem(tb testing.TB, allow access.Check) *luatest.System {
	return luatest.New(tb, func(s *luatest.System) {
		stream.Register(s.Dispatch)
		s.Register(websocket.Module(websocket.Deps{Send: s.Router.Send, Allow: allow}))
	})
}

// serve runs a server that treats every connection as f does. Close codes of clients arrive on the channel.
func serve(t *testing.T, o *ws.AcceptOptions, f func(*ws.Conn, *http.Request) error) (url string, ended chan error) {
	t.Helper()
	ended = make(chan error, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := ws.Accept(w, r, o)
		if err != nil {
			return
		}
		conn.SetReadLimit(1 << 30)
		err = f(conn, r)
		if err != nil {
			_ = conn.CloseNow()
		}
		ended <- err
	}))
	t.Cleanup(s.Close)
	return "ws" + strings.TrimPrefix(s.URL, "http"), ended
}

// echo sends back what it gets.
func echo(conn *ws.Conn, _ *http.Request) error {
	for {
		kind, data, err := conn.Read(context.Background())
		if err != nil {
			return err
		}
		if err := conn.Write(context.Background(), kind, data); err != nil {
			return err
		}
	}
}

// closedWith checks how a client has closed its connection.
func closedWith(t *testing.T, ended chan error, code ws.StatusCode, reason string) {
	t.Helper()
	if e, ok := errors.AsType[ws.CloseError](<-ended); !ok || e.Code != code || e.Reason != reason {
		t.Errorf("the client closed with %v, want %d %q", e, code, reason)
	}
}

func TestMessages(t *testing.T) {
	url, ended := serve(t, nil, echo)
	s := newSystem(t, nil)
	for name, body := range map[string]string{
		"text and binary": `
			local c, none = websocket.connect(url)
			assert(c and none == nil and tostring(c) == "websocket.Client{}")
			local ch = c:channel()
			assert(ch == c:receive() and ch == c:channel())
			local ok, err = c:send("hello")
			assert(ok == true and err == nil)
			assert(c:send("\0\255", websocket.BINARY) == true and c:send("", websocket.TEXT) and c:send("odd", 7))
			for _, want in ipairs({{"text", "hello"}, {"binary", "\0\255"}, {"text", ""}, {"text", "odd"}}) do
				local m, ok = ch:receive()
				assert(ok and m.type == want[1] and m.data == want[2], m.data)
			end
			assert(c:ping() == true)
			assert(select("#", c:close()) == 0)`,
		"many": `
			local c = websocket.connect(url, {channel_capacity = 1})
			coroutine.spawn(function() for i = 1, 300 do assert(c:send(tostring(i))) end end)
			for i = 1, 300 do assert(c:channel():receive().data == tostring(i)) end
			c:close()`,
		"they wait": `
			local c = websocket.connect(url, {channel_capacity = 2})
			for i = 1, 20 do c:send(tostring(i)) end
			assert(c:ping()) -- so all have come back
			c:close()
			for i = 1, 20 do local m, ok = c:channel():receive() assert(ok and m.data == tostring(i)) end
			local m, ok = c:channel():receive()
			assert(m == nil and ok == false)`,
		"large": `
			local c = websocket.connect(url)
			local data = string.rep("x", 3 * 2^20)
			c:send(data)
			assert(c:channel():receive().data == data)
			c:close(1000, "")`,
		"in a select": `
			local c = websocket.connect(url)
			c:send("a")
			local r = channel.select({c:channel():case_receive(), channel.new():case_receive()})
			assert(r.channel == c:channel() and r.value.data == "a")
			c:close()`,
	} {
		t.Run(name, func(t *testing.T) {
			s.Check(t, "local url = ... "+body, url)
			closedWith(t, ended, 1000, "")
		})
	}
}

func TestClose(t *testing.T) {
	url, ended := serve(t, nil, echo)
	s := newSystem(t, nil)
	long := strings.Repeat("ä", 100)
	for _, c := range []struct {
		args   string
		code   ws.StatusCode
		reason string
	}{
		{``, 1000, ""}, {`1001`, 1001, ""}, {`4000, "own"`, 4000, "own"}, {`7, "r"`, 1000, "r"}, {`5000`, 1000, ""}, {`"x", 1`, 1000, ""},
		{`nil, "` + long + `"`, 1000, strings.Repeat("ä", 61)},
	} {
		s.Check(t, `
			local c = websocket.connect((...))
			assert(select("#", c:close(`+c.args+`)) == 0)
			local m, ok = c:channel():receive()
			assert(m == nil and ok == false)
			for _, f in ipairs({function() return c:close() end, function() return c:send("x") end, function() return c:ping() end}) do
				local v, err = f()
				assert(v == nil and err:kind() == "Internal" and err:message():find("^websocket connection not found"), tostring(err))
			end`, url)
		closedWith(t, ended, c.code, c.reason)
	}
	// A code that is not for the wire is refused by the protocol, and the connection is gone.
	s.Check(t, `
		local c = websocket.connect((...))
		local v, err = c:close(1005)
		assert(v == nil or err:kind() == "Internal")
		assert(select(2, c:send("x")):message():find("^websocket connection not found"))`, url)
	<-ended
}

// What is open at the end of a process, or a call, is closed with 1001.
func TestConnectionsEndWithTheirProcess(t *testing.T) {
	url, ended := serve(t, nil, echo)
	s := newSystem(t, nil)
	s.Check(t, `websocket.connect((...))`, url)
	closedWith(t, ended, 1001, "")
	if _, err := s.Run(`websocket.connect((...)) error("crash")`, url); err == nil {
		t.Error("no error")
	}
	closedWith(t, ended, 1001, "")
}

func TestProcessThatEndsWhileItConnects(t *testing.T) {
	arrived, left := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
		close(left)
	}))
	t.Cleanup(server.Close)
	s := newSystem(t, nil)
	s.Define("app:connects", `return { main = function() websocket.connect("`+server.URL+`") end }`)
	pid, err := s.Processes.Start(t.Context(), processes.Spawn{Host: luatest.Host, Source: "app:connects"})
	if err != nil {
		t.Fatal(err)
	}
	<-arrived
	if err := s.Processes.Terminate(pid); err != nil {
		t.Fatal(err)
	}
	<-left
}

// The server may end the connection in any way.
func TestServerEnds(t *testing.T) {
	half := func(conn *ws.Conn, w string) error {
		writer, err := conn.Writer(context.Background(), ws.MessageText)
		if err == nil {
			_, err = io.WriteString(writer, w)
		}
		return errors.Join(err, conn.CloseNow())
	}
	for name, c := range map[string]struct {
		options string
		end     func(*ws.Conn) error
	}{
		"closes":         {"", func(conn *ws.Conn) error { return conn.Close(1000, "bye") }},
		"fails":          {"", func(conn *ws.Conn) error { return conn.CloseNow() }},
		"in a message":   {"", func(conn *ws.Conn) error { return half(conn, strings.Repeat("x", 10_000)) }},
		"is silent":      {"{read_timeout = 2000}", func(conn *ws.Conn) error { return echo(conn, nil) }},
		"is silent, too": {"{read_timeout = '2s'}", func(conn *ws.Conn) error { return echo(conn, nil) }},
		"sends too much": {"{read_limit = 10}", func(conn *ws.Conn) error {
			return errors.Join(conn.Write(context.Background(), ws.MessageText, []byte("0123456789x")), echo(conn, nil))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			url, ended := serve(t, nil, func(conn *ws.Conn, _ *http.Request) error {
				return errors.Join(conn.Write(context.Background(), ws.MessageText, []byte("first")), c.end(conn))
			})
			options := c.options
			if options == "" {
				options = "nil"
			}
			newSystem(t, nil).Check(t, `
				local c = websocket.connect((...), `+options+`)
				local m, ok = c:channel():receive()
				assert(ok and m.data == "first")
				m, ok = c:channel():receive()
				assert(m == nil and ok == false)
				for _, f in ipairs({function() return c:send("x") end, function() return c:ping() end, function() return c:close() end}) do
					local v, err = f()
					assert(v == nil and err:kind() == "Internal" and err:message():find("^websocket connection closed"), tostring(err))
				end`, url)
			<-ended
		})
	}
}

// Frames that are none end the connection like any other failure.
func TestMalformedFrames(t *testing.T) {
	for name, frames := range map[string]string{
		"reserved opcode":     "\x83\x01a",
		"reserved bits":       "\xf1\x01a",
		"long control":        "\x89\x7e\x00\x7e" + strings.Repeat("x", 126),
		"only a continuation": "\x80\x01a",
		"negative size":       "\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff",
		"huge":                "\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff" + strings.Repeat("x", 100),
		"half a header":       "\x81",
		"noise":               "HTTP/1.1 200 OK\r\n\r\n",
		"half a message":      "\x01\x04half",
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
				_, _ = fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n%s",
					base64.StdEncoding.EncodeToString(sum[:]), frames)
				if strings.HasPrefix(name, "half") {
					return
				}
				_, _ = io.Copy(io.Discard, conn) // until the client gives up
			}))
			t.Cleanup(server.Close)
			newSystem(t, nil).Check(t, `
				local c = assert(websocket.connect((...), {read_limit = 10}))
				local m, ok = c:channel():receive()
				assert(m == nil and ok == false)`, server.URL)
		})
	}
}

func TestOptions(t *testing.T) {
	url, ended := serve(t, &ws.AcceptOptions{Subprotocols: []string{"b"}, CompressionMode: ws.CompressionContextTakeover, InsecureSkipVerify: true},
		func(conn *ws.Conn, r *http.Request) error {
			text := fmt.Sprint(r.Host, "|", r.Header.Get("X-A"), r.Header.Get("X-B"), "|", r.Header["Sec-Websocket-Protocol"], conn.Subprotocol(), "|",
				strings.Contains(r.Header.Get("Sec-Websocket-Extensions"), "permessage-deflate"), strings.Contains(r.Header.Get("Sec-Websocket-Extensions"), "no_context_takeover"))
			return errors.Join(conn.Write(context.Background(), ws.MessageText, []byte(text)), echo(conn, nil))
		})
	host := strings.TrimPrefix(url, "ws://")
	s := newSystem(t, nil)
	for options, want := range map[string]string{
		``: host + "||[]|false false",
		`headers = {["x-a"] = "1", ["X-B"] = 2, Host = "example.com"}, protocols = {"a", "b", 3}`: "example.com|1|[a,b]b|false false",
		`compression = 1`:                  host + "||[]|true false",
		`compression = "context_takeover"`: host + "||[]|true false",
		`compression = websocket.COMPRESSION.NO_CONTEXT, compression_threshold = 1`: host + "||[]|true true",
		`compression = "no_context_takeover"`:                                       host + "||[]|true true",
		`compression = 3, compression_threshold = -1, read_limit = -1, channel_capacity = 0, dial_timeout = "soon", read_timeout = -5, headers = 1, protocols = "x", unknown = {}`: host + "||[]|false false",
		`dial_timeout = 10000, write_timeout = "10s", read_timeout = 10000, read_limit = 0, channel_capacity = 10000`:                                                              host + "||[]|false false",
	} {
		s.Check(t, `
			local url, want = ...
			local c = assert(websocket.connect(url, {`+options+`}))
			local m = c:channel():receive()
			assert(m.data == want, m.data)
			c:send(string.rep("pressed ", 1000))
			assert(#c:channel():receive().data == 8000)
			c:close()`, url, want)
		closedWith(t, ended, 1000, "")
	}
}

func TestConnectFails(t *testing.T) {
	nobody := "ws://" + porttest.Address(t)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(silent.Close)
	s := newSystem(t, nil)
	for call, message := range map[string]string{
		`"` + nobody + `"`:                          "connection refused",
		`"` + plain.URL + `"`:                       "404",
		`"` + silent.URL + `", {dial_timeout = 20}`: "context deadline exceeded",
		`"ftp://x"`:                                 "unexpected url scheme",
		`"ws://a b"`:                                "invalid character",
		`"` + plain.URL + `", {headers = {["a b"] = "c"}}`: "invalid header",
	} {
		s.Check(t, `
			local c, err = websocket.connect(`+call+`)
			assert(c == nil and err:kind() == "Internal" and err:retryable() == true, tostring(err))
			assert(err:message():find((...), 1, true), err:message())`, message)
	}
	s.Check(t, `
		for _, bad in ipairs({{websocket.connect}, {websocket.connect, ""}, {websocket.connect, {}}, {websocket.connect, "ws://x", 1}}) do
			assert(not pcall(unpack(bad)))
		end`)
}

func TestConstants(t *testing.T) {
	newSystem(t, nil).Check(t, `
		assert(websocket.TEXT == 1 and websocket.BINARY == 2)
		for _, name in ipairs({"text", "binary", "ping", "pong", "close"}) do assert(websocket["TYPE_" .. name:upper()] == name) end
		assert(websocket.COMPRESSION.DISABLED == 0 and websocket.COMPRESSION.CONTEXT_TAKEOVER == 1 and websocket.COMPRESSION.NO_CONTEXT == 2)
		local codes = {"NORMAL", "GOING_AWAY", "PROTOCOL_ERROR", "UNSUPPORTED_DATA", "RESERVED", "NO_STATUS", "ABNORMAL_CLOSURE", "INVALID_PAYLOAD",
			"POLICY_VIOLATION", "MESSAGE_TOO_BIG", "MANDATORY_EXTENSION", "INTERNAL_ERROR", "SERVICE_RESTART", "TRY_AGAIN_LATER", "BAD_GATEWAY", "TLS_HANDSHAKE"}
		for i, name in ipairs(codes) do assert(websocket.CLOSE_CODES[name] == 999 + i, name) end
		assert(not pcall(function() websocket.TEXT = 3 end))`)
}

func TestDenied(t *testing.T) {
	url, _ := serve(t, nil, echo)
	for denied, c := range map[string]struct{ url, message string }{
		"websocket.connect ":           {"", "websocket connections not allowed"},
		"websocket.connect.url " + url: {url, "not allowed: " + url},
	} {
		s := newSystem(t, func(_ *engine.Process, action, resource string, _ map[string]any) bool {
			return action+" "+resource != denied
		})
		s.Check(t, `
			local url, message = ...
			local c, err = websocket.connect(url)
			assert(c == nil and err:kind() == "PermissionDenied" and err:message() == message and err:retryable() == false, tostring(err))`, c.url, c.message)
	}
}
