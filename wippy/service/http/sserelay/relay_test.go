// SPDX-License-Identifier: Apache-2.0

package sserelay_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/http/session"
	"github.com/wippyrun/kit/wippy/service/http/session/sessiontest"
	"github.com/wippyrun/kit/wippy/service/http/sserelay"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// site is a server whose handler sets the header to a text.
type site struct {
	*sessiontest.System
	server *httptest.Server
	dial   func() net.Conn // where there is no server
}

func start(t *testing.T, buffer int, handler http.HandlerFunc, o sserelay.Options) *site {
	t.Helper()
	middleware, err := sserelay.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{System: sessiontest.New(t, buffer)}
	s.server = s.Serve(middleware(handler))
	return s
}

// asking is a handler that asks for a relay.
func asking(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.Header().Set(sserelay.Header, text) }
}

// for a target that is only known later.
func managed(t *testing.T, more map[string]any) (*site, *sessiontest.Process) {
	t.Helper()
	var p *sessiontest.Process
	s := start(t, 0, func(w http.ResponseWriter, r *http.Request) {
		c := map[string]any{"target_pid": p.PID.String()}
		for k, v := range more {
			c[k] = v
		}
		text, _ := json.Marshal(c)
		asking(string(text))(w, r)
	}, sserelay.Options{})
	p = s.Spawn()
	return s, p
}

// client is one that listens.
type client struct {
	*site
	*http.Response
	in    *bufio.Reader
	leave func()
}

// listen opens a stream.
func (s *site) listen() *client {
	s.Helper()
	ctx, cancel := context.WithCancel(s.Context())
	s.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.server.URL, nil)
	if err != nil {
		s.Fatal(err)
	}
	res, err := s.server.Client().Do(req)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = res.Body.Close() })
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" || res.Header.Get("Cache-Control") != "no-cache" ||
		res.Header.Get("X-Accel-Buffering") != "no" || res.Header.Get(sserelay.Header) != "" {
		s.Fatalf("%s %v", res.Status, res.Header)
	}
	return &client{s, res, bufio.NewReader(res.Body), cancel}
}

// next reads what comes up to a blank line.
func (c *client) next() string {
	c.Helper()
	var b strings.Builder
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			c.Fatalf("stream ended after %q: %v", b.String()+line, err)
		}
		if line == "\n" {
			return strings.TrimSuffix(b.String(), "\n")
		}
		b.WriteString(line)
	}
}

func (c *client) expect(want string) {
	c.Helper()
	if got := c.next(); got != want {
		c.Fatalf("got %q, want %q", got, want)
	}
}

// done reads the last event.
func (c *client) done(reason string) {
	c.Helper()
	c.expect("event: done\ndata: {\"reason\":\"" + reason + "\"}")
	if rest, err := io.ReadAll(c.in); err != nil || len(rest) > 0 {
		c.Errorf("after the end: %q, %v", rest, err)
	}
}

// ready reads the first event of a detached stream.
func (c *client) ready() relay.PID {
	c.Helper()
	text, ok := strings.CutPrefix(c.next(), "event: ready\ndata: ")
	var members struct {
		Stream string `json:"stream_pid"`
	}
	if err := json.Unmarshal([]byte(text), &members); !ok || err != nil {
		c.Fatalf("event ready with %s: %v", text, err)
	}
	pid, err := relay.ParsePID(members.Stream)
	if err != nil {
		c.Fatal(err)
	}
	return pid
}

func TestDetached(t *testing.T) {
	s := start(t, 0, asking(`{"metadata":{"a":1}}`), sserelay.Options{})
	c := s.listen()
	first := c.next()
	if !strings.HasPrefix(first, `event: ready`+"\n"+`data: {"message_topic":"sse.message","metadata":{"a":1},"stream_pid":"{app:server|`) {
		t.Fatal(first)
	}
	c = s.listen()
	pid := c.ready()
	p := s.Spawn()
	p.Monitor(pid)
	p.Send(pid, "other", payload.New(1))
	p.Send(pid, "sse.heartbeat", payload.New(1))
	p.Send(pid, "@internal", payload.New(1))
	p.Send(pid, "sse.message", payload.New(func() {}))
	p.Send(pid, "sse.message", payload.New(map[string]any{"a": 1}))
	c.expect("event: sse.message\ndata: {\"a\":1}")
	p.Send(pid, "sse.message", payload.New("a"), payload.Payload{Format: payload.Bytes, Data: []byte("hi")})
	c.expect("event: sse.message\ndata: \"a\"")
	c.expect("event: sse.message\ndata: \"aGk=\"")
	p.Send(pid, "sse.message")
	c.expect("event: sse.message\ndata: null")
	p.Send(pid, "sse.close")
	c.done("closed by server")
	if got := p.Exited(pid); got != sserelay.ExitValue {
		t.Errorf("session ended with %v", got)
	}
	p.Quiet()
}

func TestTopics(t *testing.T) {
	for _, topic := range []string{"*", "news"} {
		s := start(t, 0, asking(`{"message_topic":"`+topic+`"}`), sserelay.Options{})
		c, p := s.listen(), s.Spawn()
		pid := c.ready()
		if topic == "*" {
			p.Send(pid, "any\nevent: thing", payload.New(1))
			c.expect("event: any event: thing\ndata: 1")
		}
		p.Send(pid, "sse.join", payload.New(1))
		p.Send(pid, "news", payload.New(1))
		c.expect("event: news\ndata: 1")
		c.leave()
	}
}

func TestManaged(t *testing.T) {
	s, p := managed(t, map[string]any{"metadata": "m"})
	c := s.listen()
	m := p.Next("sse.join")
	members := m.Payload().Data.(map[string]any)
	if members["client_pid"] != m.From.String() || members["metadata"] != "m" || len(members) != 2 {
		t.Errorf("sse.join %v", members)
	}
	p.Monitor(m.From)
	p.Send(m.From, "sse.message", payload.New(1))
	c.expect("event: sse.message\ndata: 1")
	c.leave()
	if left := p.Members("sse.leave"); left["client_pid"] != m.From.String() || left["metadata"] != "m" {
		t.Errorf("sse.leave %v", left)
	}
	p.Exited(m.From)
	if err := p.TrySend(m.From, "sse.message"); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("a message to an ended session: %v", err)
	}
}

func TestEnds(t *testing.T) {
	for reason, end := range map[string]func(s *site, p *sessiontest.Process, pid relay.PID){
		"target process exited": func(_ *site, p *sessiontest.Process, _ relay.PID) { p.Exit(nil) },
		"enough":                func(_ *site, p *sessiontest.Process, pid relay.PID) { p.Send(pid, "sse.close", payload.New("enough")) },
		"closed by server":      func(_ *site, p *sessiontest.Process, pid relay.PID) { p.Send(pid, "sse.close", payload.New("")) },
		"canceled": func(s *site, p *sessiontest.Process, pid relay.PID) {
			_ = s.Runtime.Send(topology.NewCancel(p.PID, pid, ""))
		},
		"linked process failed": func(s *site, _ *sessiontest.Process, pid relay.PID) {
			other := s.Spawn()
			_ = s.Topology.Link(other.PID, pid)
			other.Exit(errors.New("crashed"))
		},
		"session mailbox closed": func(s *site, _ *sessiontest.Process, _ relay.PID) { _ = s.Host.Close(context.Background()) },
	} {
		s, p := managed(t, nil)
		c := s.listen()
		pid := p.Joined("sse.join")
		p.Send(pid, "sse.message", payload.New(1))
		c.expect("event: sse.message\ndata: 1")
		end(s, p, pid)
		c.done(reason)
		if reason != "target process exited" {
			p.Next("sse.leave")
		}
		p.Quiet()
	}
}

// An error is the last event.
func TestTerminalPayload(t *testing.T) {
	s, p := managed(t, nil)
	c := s.listen()
	p.Send(p.Joined("sse.join"), "sse.message", payload.New(1), payload.New(errors.New("broken")), payload.New(2))
	c.expect("event: sse.message\ndata: 1")
	c.expect("event: sse.message\ndata: \"broken\"")
	c.done("terminal payload")
}

func TestTimeouts(t *testing.T) {
	s := start(t, 0, asking(`{"idle_timeout":"20ms"}`), sserelay.Options{})
	c := s.listen()
	c.ready()
	c.done("idle timeout")
	inMemory(t, asking(`{"hard_timeout":"50ms","idle_timeout":"1h"}`), sserelay.Options{}, func(*http.Server) {}, func(c *client) {
		began := time.Now()
		c.Spawn().Send(c.ready(), "sse.message", payload.New(1))
		c.expect("event: sse.message\ndata: 1")
		c.done("hard timeout")
		if d := time.Since(began); d != 50*time.Millisecond {
			c.Errorf("the stream has ended after %v", d)
		}
	})
}

func TestHeartbeat(t *testing.T) {
	s, p := managed(t, map[string]any{"heartbeat_interval": "10ms"})
	c := s.listen()
	pid := p.Joined("sse.join")
	beat := p.Members("sse.heartbeat")
	uptime, _ := beat["uptime"].(string)
	if d, err := time.ParseDuration(uptime); err != nil || d < 10*time.Millisecond || beat["client_pid"] != pid.String() || beat["message_count"] != 0 {
		t.Errorf("heartbeat %v", beat)
	}
	c.expect(": ping")
	p.Send(pid, "sse.control", payload.New(map[string]any{"heartbeat_interval": "0"}))
	p.Send(pid, "sse.close")
	for c.next() == ": ping" {
	}
}

func TestControl(t *testing.T) {
	s := start(t, 0, asking(`{}`), sserelay.Options{})
	c, one, two := s.listen(), s.Spawn(), s.Spawn()
	pid := c.ready()
	control := func(members map[string]any) { one.Send(pid, "sse.control", payload.New(members)) }
	control(map[string]any{"target_pid": one.PID.String(), "message_topic": "news", "metadata": "m"})
	if joined := one.Members("sse.join"); joined["metadata"] != "m" {
		t.Errorf("sse.join %v", joined)
	}
	one.Send(pid, "news", payload.New(1))
	c.expect("event: news\ndata: 1")
	// What is wrong changes nothing at all.
	gone := s.Spawn()
	gone.Exit(nil)
	for _, bad := range []map[string]any{
		{"message_topic": "bad", "idle_timeout": "x"}, {"message_topic": "bad", "hard_timeout": "-1s"}, {"message_topic": 7},
		{"message_topic": "bad", "target_pid": "x"}, {"message_topic": "bad", "target_pid": gone.PID.String()},
	} {
		control(bad)
	}
	one.Send(pid, "sse.control", payload.New("no table"))
	one.Send(pid, "news", payload.New(2))
	c.expect("event: news\ndata: 2")
	control(map[string]any{"target_pid": two.PID.String(), "metadata": "n"})
	if joined := two.Members("sse.join"); joined["metadata"] != "n" {
		t.Errorf("sse.join %v", joined)
	}
	if left := one.Members("sse.leave"); left["metadata"] != "m" {
		t.Errorf("sse.leave %v", left)
	}
	one.Exit(nil) // nobody's target any more
	two.Send(pid, "sse.control", payload.New(map[string]any{"target_pid": "", "message_topic": "", "hard_timeout": "1h"}))
	two.Next("sse.leave")
	two.Exit(nil)
	three := s.Spawn()
	three.Send(pid, "sse.message", payload.New(3))
	c.expect("event: sse.message\ndata: 3")
	three.Send(pid, "sse.control", payload.New(map[string]any{"idle_timeout": "10ms"}))
	c.done("idle timeout")
}

func TestRefused(t *testing.T) {
	gone := "{app:processes|0x00001}"
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		status  int
		body    string
	}{
		"no JSON":         {asking("{"), 400, "invalid relay configuration: unexpected end of JSON input"},
		"no object":       {asking("[]"), 400, "invalid relay configuration: "},
		"bad target":      {asking(`{"target_pid":"x"}`), 400, `invalid target PID: "x"`},
		"number":          {asking(`{"message_topic":7}`), 400, "invalid relay configuration: message_topic must be a string"},
		"idle":            {asking(`{"idle_timeout":"x"}`), 400, `invalid idle_timeout duration: "x"`},
		"hard":            {asking(`{"hard_timeout":"-1s"}`), 400, "hard_timeout duration must be non-negative"},
		"heartbeat":       {asking(`{"heartbeat_interval":"often"}`), 400, `invalid heartbeat_interval duration: "often"`},
		"target is gone":  {asking(`{"target_pid":"` + gone + `"}`), 404, "pid not registered"},
		"body":            {func(w http.ResponseWriter, r *http.Request) { asking("{}")(w, r); _, _ = io.WriteString(w, "hi") }, 200, "hi"},
		"another status":  {func(w http.ResponseWriter, r *http.Request) { asking("{}")(w, r); w.WriteHeader(403) }, 403, ""},
		"200 and nothing": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) }, 200, ""},
		"200 and a body": {func(w http.ResponseWriter, r *http.Request) {
			asking("{}")(w, r)
			w.WriteHeader(200)
			_, _ = io.WriteString(w, "hi")
		}, 200, "hi"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, 0, c.handler, sserelay.Options{})
			res, err := s.server.Client().Get(s.server.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != c.status || !strings.HasPrefix(string(body), c.body) || res.Header.Get(sserelay.Header) != "" || s.Host.Len() != 0 {
				t.Errorf("%d %q %v, want %d %q", res.StatusCode, body, res.Header, c.status, c.body)
			}
		})
	}
}

// A status 200 is no answer: the stream has it too.
func TestStatus200(t *testing.T) {
	s := start(t, 0, func(w http.ResponseWriter, r *http.Request) { asking("{}")(w, r); w.WriteHeader(200) }, sserelay.Options{})
	s.listen().ready()
}

func TestOrigins(t *testing.T) {
	for _, c := range []struct {
		origins   []string
		origin    string
		forwarded string
		ok        bool
	}{
		{nil, "", "", true},
		{nil, "SAME", "", true},
		{nil, "https://SAME", "", false},
		{nil, "https://SAME", "https, http", true},
		{nil, "https://other.example", "", false},
		{[]string{"*"}, "https://other.example:8443", "", true},
		{[]string{"https://a.example"}, "https://a.example", "", true},
		{[]string{"https://a.example"}, "http://a.example", "", false},
		{[]string{"https://*.example"}, "https://b.example", "", true},
		{[]string{"*.example"}, "https://b.example", "", true},
		{[]string{"*.example"}, "https://b.example.evil", "", false},
		{[]string{"*.example"}, "null", "", false},
	} {
		s := start(t, 0, asking("{}"), sserelay.Options{Origins: c.origins})
		host := strings.TrimPrefix(s.server.URL, "http://")
		origin := strings.Replace(strings.Replace(c.origin, "https://SAME", "https://"+host, 1), "SAME", s.server.URL, 1)
		ctx, cancel := context.WithCancel(t.Context())
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.server.URL, nil)
		if origin != "" {
			req.Header.Set("Origin", origin)
		}
		if c.forwarded != "" {
			req.Header.Set("X-Forwarded-Proto", c.forwarded)
		}
		res, err := s.server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if c.ok != (res.StatusCode == 200) {
			t.Errorf("%v: %s gets %s", c.origins, origin, res.Status)
		}
		if !c.ok {
			if body, _ := io.ReadAll(res.Body); string(body) != "origin is not allowed\n" || res.StatusCode != 403 {
				t.Errorf("%s %q", res.Status, body)
			}
		}
		cancel()
		_ = res.Body.Close()
	}
	if _, err := sserelay.New(sserelay.Options{Origins: []string{"[a"}}); err == nil {
		t.Error("a bad pattern is accepted")
	}
}

func TestNoHost(t *testing.T) {
	middleware, err := sserelay.New(sserelay.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	middleware(asking("{}")).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusInternalServerError {
		t.Error(w.Code)
	}
}

// flood sends to a session until its mailbox is full.
func flood(t *testing.T, p *sessiontest.Process, pid relay.PID) {
	t.Helper()
	large := payload.New(strings.Repeat("x", 1<<20))
	for {
		switch err := p.TrySend(pid, "sse.message", large); {
		case errors.Is(err, session.ErrFull):
			return
		case err != nil:
			t.Fatal(err)
		}
	}
}

// A client that does not read holds up nobody else; one that takes nothing for too long is cut off.
func TestSlowClients(t *testing.T) {
	const limit = 100 * time.Millisecond
	inMemory(t, asking("{}"), sserelay.Options{WriteTimeout: limit}, func(*http.Server) {}, func(stuck *client) {
		p, pid, began := stuck.Spawn(), stuck.ready(), time.Now()
		p.Monitor(pid)
		flood(t, p, pid)
		quick := stuck.connect()
		other := quick.ready()
		p.Send(other, "sse.message", payload.New(1))
		quick.expect("event: sse.message\ndata: 1")
		if d := time.Since(began); d != 0 {
			stuck.Errorf("the other client has waited for %v", d)
		}
		p.Exited(pid)
		if d := time.Since(began); d != limit {
			stuck.Errorf("cut off after %v", d)
		}
	})
}

// connect opens a stream on a connection in memory.
func (s *site) connect() *client {
	s.Helper()
	conn := s.dial()
	s.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		s.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		s.Fatal(err)
	}
	return &client{s, res, bufio.NewReader(res.Body), nil}
}

// inMemory tests with a client that must take each byte that the server writes.
func inMemory(t *testing.T, handler http.HandlerFunc, o sserelay.Options, configure func(*http.Server), test func(c *client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &site{System: sessiontest.New(t, 10)}
		middleware, err := sserelay.New(o)
		if err != nil {
			t.Fatal(err)
		}
		s.dial = s.Pipes(middleware(handler), configure)
		test(s.connect())
	})
}

// A server that stops does not wait for ever for a client that takes nothing.
func TestStopWithStuckClient(t *testing.T) {
	inMemory(t, asking("{}"), sserelay.Options{WriteTimeout: time.Hour}, func(*http.Server) {}, func(c *client) {
		p, pid := c.Spawn(), c.ready()
		p.Monitor(pid)
		p.Send(pid, "sse.message", payload.New(strings.Repeat("x", 1<<20)))
		began := time.Now()
		if err := c.Host.Close(c.Context()); err != nil {
			c.Error(err)
		}
		if d := time.Since(began); d != session.DrainTime {
			c.Errorf("the stop has waited for %v", d)
		}
		p.Exited(pid)
	})
}

// A server's limits for ordinary requests are not those of a stream.
func TestServerTimeouts(t *testing.T) {
	limits := func(s *http.Server) {
		s.ReadTimeout, s.WriteTimeout, s.IdleTimeout = time.Second, time.Second, time.Second
	}
	inMemory(t, asking("{}"), sserelay.Options{}, limits, func(c *client) {
		began := time.Now()
		c.ready()
		for range 5 {
			c.expect(": ping")
		}
		if d := time.Since(began); d != 150*time.Second {
			c.Errorf("five pings after %v", d)
		}
	})
}

// Streams of HTTP/2 share a connection and end one by one.
func TestHTTP2(t *testing.T) {
	middleware, err := sserelay.New(sserelay.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{System: sessiontest.New(t, 0)}
	h := middleware(asking(`{}`))
	s.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(session.With(r.Context(), s.Host)))
	}))
	s.server.EnableHTTP2 = true
	s.server.StartTLS()
	t.Cleanup(s.server.Close)
	one, two, p := s.listen(), s.listen(), s.Spawn()
	if one.ProtoMajor != 2 {
		t.Fatal(one.Proto)
	}
	first, second := one.ready(), two.ready()
	p.Monitor(first)
	one.leave()
	p.Exited(first)
	p.Send(second, "sse.message", payload.New(1))
	two.expect("event: sse.message\ndata: 1")
	p.Send(second, "sse.close")
	two.done("closed by server")
}
