// SPDX-License-Identifier: Apache-2.0

package http_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

const relayIndex = `version: "1.0"
namespace: app
entries:
  - {name: server, kind: http.service, addr: "%s", host: {buffer_size: 64}, lifecycle: {auto_start: true, requires: [processes]}}
  - name: api
    kind: http.router
    meta: {server: server}
    prefix: /api
    middleware: [real_ip, cors, compress, ratelimit, metrics, sendfile]
    options: {sendfile.fs: "app:files"}
    post_middleware: [sse_relay, websocket_relay]
    post_options: {wsrelay.allowed.origins: "*.example.com", sserelay.allowed.origins: "*"}
  - {name: files, kind: fs.directory, directory: .}
  - {name: plain, kind: http.router, meta: {server: "app:server"}}
  - {name: processes, kind: process.host, lifecycle: {auto_start: true}}
  - name: user
    kind: process.lua
    method: main
    modules: [events]
    source: |
      return {main = function(watcher)
        local inbox, ends, client = process.inbox(), process.events()
        while true do
          local r = channel.select({inbox:case_receive(), ends:case_receive()})
          if r.channel == ends then
            local e = r.value
            assert(e.kind == process.event.EXIT and e.from == client, e.kind)
            events.send("test", "exit", "/", e.result.value)
            return
          end
          local m = r.value
          local topic, data = m:topic(), m:payload():data()
          if topic == "ws.join" or topic == "sse.join" then
            client = data.client_pid
            assert(client == m:from() and data.metadata.name == "ada")
            assert(process.monitor(client))
            process.send(client, "welcome", {list = {}, n = 1.5})
          elseif topic == "ws.message" then
            assert(m:from() == client)
            if data == "bytes" then process.send(client, "bytes", "\255\0") end
            if data == "crash" then error("told to") end
            if data == "bye" then process.send(client, "ws.close", "see you") end
            process.send(client, "echo", {text = data})
          end
        end
      end}
`

var relays = []fn{
	{"ws", "GET", "/api/ws", `
		local pid, err = process.spawn("app:user", "app:processes")
		http.response():set_header("X-WS-Relay", '{"target_pid":"' .. pid .. '","metadata":{"name":"ada"}}')`},
	{"stream", "GET", "/api/stream", `
		local pid, err = process.spawn("app:user", "app:processes")
		local res = http.response()
		res:set_header("X-SSE-Relay", '{"target_pid":"' .. pid .. '","metadata":{"name":"ada"},"message_topic":"welcome"}')
		res:set_status(200)`},
	{"detached", "GET", "/api/detached", `http.response():set_header("X-SSE-Relay", '{"idle_timeout":"' .. (http.request():query("idle") or "") .. '"}')`},
	{"fails.ws", "GET", "/api/fails", `error("broken")`},
	{"sends", "POST", "/send", `
		local ok, err = process.send(http.request():query("to"), "sse.message", {a = 1})
		http.response():write(tostring(ok or err))`},
}

// heard waits for what a process tells.
func (s *site) heard(from <-chan any) any {
	s.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		s.Fatalf("nothing is heard of\n%s", s.logs.String())
		return nil
	}
}

func TestWebSockets(t *testing.T) {
	s := serveWith(t, relayIndex, relays...)
	exits := make(chan any, 1)
	if _, err := s.app.Bus().Subscribe(t.Context(), pattern("test", "exit"), func(e event) { exits <- e.Data }); err != nil {
		t.Fatal(err)
	}
	dial := func(origin string) (*websocket.Conn, error) {
		conn, _, err := websocket.Dial(t.Context(), s.url+"/api/ws", &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {origin}}})
		return conn, err
	}
	if _, err := dial("https://evil.test"); err == nil {
		t.Error("a foreign origin is let in")
	}
	conn, err := dial("https://a.example.com")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	expect := func(want string) {
		t.Helper()
		if _, data, err := conn.Read(t.Context()); err != nil || string(data) != want {
			t.Fatalf("got %s, %v, want %s", data, err, want)
		}
	}
	say := func(text string) {
		t.Helper()
		if err := conn.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	closed := func(code websocket.StatusCode, reason string) {
		t.Helper()
		_, _, err := conn.Read(t.Context())
		if e, ok := errors.AsType[websocket.CloseError](err); !ok || e.Code != code || e.Reason != reason {
			t.Fatalf("ended with %v, want %d %s", err, code, reason)
		}
	}
	expect(`{"data":{"list":[],"n":1.5},"topic":"welcome"}`)
	say("hello")
	expect(`{"data":{"text":"hello"},"topic":"echo"}`)
	say("bytes")
	expect(`{"data":"/wA=","topic":"bytes"}`)
	expect(`{"data":{"text":"bytes"},"topic":"echo"}`)
	say("bye")
	closed(1000, "see you")
	if got := s.heard(exits); got != "websocket connection closed" {
		t.Errorf("the process heard of %v", got)
	}
	if conn, err = dial(""); err != nil {
		t.Fatal(err)
	}
	expect(`{"data":{"list":[],"n":1.5},"topic":"welcome"}`)
	say("crash")
	closed(1001, "target process exited")
	// A server that stops takes its clients with it.
	if conn, err = dial(""); err != nil {
		t.Fatal(err)
	}
	expect(`{"data":{"list":[],"n":1.5},"topic":"welcome"}`)
	over := make(chan struct{})
	go func() { s.app.Stop(); close(over) }()
	closed(1001, "server is stopping")
	<-over
}

// listen opens an event stream; it ends with the test, or before.
func (s *site) listen(path string) (r *bufio.Reader, leave func()) {
	s.Helper()
	ctx, cancel := context.WithCancel(s.Context())
	req, _ := http.NewRequestWithContext(ctx, "GET", s.url+path, nil)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
		s.Fatalf("%s: %s %v", path, res.Status, res.Header)
	}
	leave = func() { cancel(); res.Body.Close() }
	s.Cleanup(leave)
	return bufio.NewReader(res.Body), leave
}

// nextEvent reads one event.
func (s *site) nextEvent(r *bufio.Reader) string {
	s.Helper()
	var b strings.Builder
	for !strings.HasSuffix(b.String(), "\n\n") {
		line, err := r.ReadString('\n')
		if err != nil {
			s.Fatalf("after %q: %v", b.String(), err)
		}
		b.WriteString(line)
	}
	return strings.TrimSpace(b.String())
}

// detached opens an event stream without a target.
func (s *site) detached() (r *bufio.Reader, pid string) {
	s.Helper()
	r, _ = s.listen("/api/detached")
	ready := s.nextEvent(r)
	_, rest, _ := strings.Cut(ready, `"stream_pid":"`)
	pid, _, ok := strings.Cut(rest, `"`)
	if !ok || !strings.HasPrefix(pid, "{app:server|0x") {
		s.Fatalf("got %q", ready)
	}
	return r, pid
}

// send lets a program send something to a session.
func (s *site) send(pid string) {
	s.Helper()
	if _, got := s.do("POST", "/send?to="+url.QueryEscape(pid), ""); got != "true" {
		s.Error(got)
	}
}

func TestEventStreams(t *testing.T) {
	s := serveWith(t, relayIndex, relays...)
	exits := make(chan any, 1)
	if _, err := s.app.Bus().Subscribe(t.Context(), pattern("test", "exit"), func(e event) { exits <- e.Data }); err != nil {
		t.Fatal(err)
	}
	listen, next := s.listen, s.nextEvent
	r, leave := listen("/api/stream")
	if got := next(r); got != "event: welcome\ndata: {\"list\":[],\"n\":1.5}" {
		t.Errorf("got %q", got)
	}
	leave()
	if got := s.heard(exits); got != "sse relay closed" {
		t.Errorf("the process heard of %v", got)
	}

	r, pid := s.detached()
	s.send(pid)
	if got := next(r); got != "event: sse.message\ndata: {\"a\":1}" {
		t.Errorf("got %q", got)
	}

	r, leave = listen("/api/detached?idle=50ms")
	next(r)
	if got := next(r); got != `event: done`+"\n"+`data: {"reason":"idle timeout"}` {
		t.Errorf("got %q", got)
	}
	if rest, err := io.ReadAll(r); err != nil || len(rest) > 0 {
		t.Errorf("after the end: %q, %v", rest, err)
	}
	leave()
	for path, want := range map[string]string{
		"/api/detached?idle=x": "400 invalid idle_timeout duration: \"x\"\n", "/api/fails": "500 ",
	} {
		if res, got := s.do("GET", path, ""); !strings.HasPrefix(fmt.Sprintf("%d %s", res.StatusCode, got), want) {
			t.Errorf("%s: %d %q", path, res.StatusCode, got)
		}
	}
}
