// SPDX-License-Identifier: Apache-2.0

package wsrelay_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/http/session/sessiontest"
	"github.com/wippyrun/kit/wippy/service/http/wsrelay"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// site is a server whose handler asks for what a test wants.
type site struct {
	*sessiontest.System
	server *httptest.Server
	p      *sessiontest.Process // the target, unless the configuration says otherwise
}

// start starts a server. handler sets the header; nil asks for a relay to p.
func start(t *testing.T, handler func(s *site, w http.ResponseWriter, r *http.Request), origins ...string) *site {
	t.Helper()
	return startWith(t, 0, handler, wsrelay.Options{Origins: origins})
}

func startWith(t *testing.T, buffer int, handler func(s *site, w http.ResponseWriter, r *http.Request), o wsrelay.Options) *site {
	t.Helper()
	s := &site{System: sessiontest.New(t, buffer)}
	s.p = s.Spawn()
	if handler == nil {
		handler = func(s *site, w http.ResponseWriter, _ *http.Request) { s.ask(w, nil) }
	}
	middleware, err := wsrelay.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.server = s.Serve(middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler(s, w, r) })))
	return s
}

// ask sets the header to a configuration with p as target.
func (s *site) ask(w http.ResponseWriter, more map[string]any) {
	c := map[string]any{"target_pid": s.p.PID.String()}
	for k, v := range more {
		c[k] = v
	}
	text, err := json.Marshal(c)
	if err != nil {
		s.Error(err)
	}
	w.Header().Set(wsrelay.Header, string(text))
}

// dial connects a client.
func (s *site) dial() *client {
	s.Helper()
	conn, res, err := websocket.Dial(s.Context(), s.server.URL, nil)
	if err != nil {
		s.Fatal(err)
	}
	for name := range res.Header {
		if strings.Contains(name, "Relay") {
			s.Errorf("the client sees %s", name)
		}
	}
	s.Cleanup(func() { _ = conn.CloseNow() })
	return &client{s, conn}
}

type client struct {
	*site
	*websocket.Conn
}

func (c *client) Write(kind websocket.MessageType, data string) {
	c.Helper()
	if err := c.Conn.Write(c.Context(), kind, []byte(data)); err != nil {
		c.Fatal(err)
	}
}

// Expect reads a frame.
func (c *client) Expect(want string) {
	c.Helper()
	kind, data, err := c.Read(c.Context())
	if err != nil || kind != websocket.MessageText || string(data) != want {
		c.Fatalf("got %v %s, %v, want %s", kind, data, err, want)
	}
}

// Closed reads the close frame.
func (c *client) Closed(code websocket.StatusCode, reason string) {
	c.Helper()
	_, data, err := c.Read(c.Context())
	e, ok := errors.AsType[websocket.CloseError](err)
	if !ok || e.Code != code || e.Reason != reason {
		c.Fatalf("got %s %v, want the close code %d %q", data, err, code, reason)
	}
}

func TestMessagesOfTheClient(t *testing.T) {
	s := start(t, func(s *site, w http.ResponseWriter, _ *http.Request) {
		s.ask(w, map[string]any{"metadata": map[string]any{"user": "ada"}})
	})
	c := s.dial()
	m := s.p.Next("ws.join")
	members := m.Payload().Data.(map[string]any)
	if members["client_pid"] != m.From.String() || fmt.Sprint(members["metadata"]) != "map[user:ada]" || len(members) != 2 {
		t.Errorf("ws.join %v from %s", members, m.From)
	}
	pid := m.From
	if pid.Host() != sessiontest.ServerID {
		t.Errorf("session %s is not on its server", pid)
	}
	c.Write(websocket.MessageText, "hello")
	c.Write(websocket.MessageBinary, "\x00\xff")
	c.Write(websocket.MessageText, "")
	for _, want := range []payload.Payload{
		{Format: payload.String, Data: "hello"}, {Format: payload.Bytes, Data: []byte("\x00\xff")}, {Format: payload.String, Data: ""},
	} {
		m := s.p.Next("ws.message")
		if got := m.Payload(); m.From != pid || got.Format != want.Format || fmt.Sprint(got.Data) != fmt.Sprint(want.Data) {
			t.Errorf("message %v %v from %s, want %v", got, got.Data, m.From, want.Data)
		}
	}
	s.p.Monitor(pid)
	if err := c.Close(websocket.StatusNormalClosure, "bye"); err != nil {
		t.Error(err)
	}
	left := s.p.Members("ws.leave")
	if left["client_pid"] != pid.String() || fmt.Sprint(left["metadata"]) != "map[user:ada]" {
		t.Errorf("ws.leave %v", left)
	}
	if got := s.p.Exited(pid); got != wsrelay.ExitValue {
		t.Errorf("session ended with %v", got)
	}
	s.p.Quiet()
}

func TestMessagesToTheClient(t *testing.T) {
	s := start(t, nil)
	c := s.dial()
	pid := s.p.Joined("ws.join")
	other := s.Spawn()
	other.Send(pid, "update", payload.New(map[string]any{"v": 1, "list": []any{"a"}}))
	c.Expect(`{"data":{"list":["a"],"v":1},"topic":"update"}`)
	other.Send(pid, "bytes", payload.Payload{Format: payload.Bytes, Data: []byte("hi")})
	c.Expect(`{"data":"aGk=","topic":"bytes"}`)
	other.Send(pid, "text", payload.Payload{Format: payload.String, Data: "a\"b"})
	c.Expect(`{"data":"a\"b","topic":"text"}`)
	other.Send(pid, "json", payload.Payload{Format: payload.JSON, Data: `{"a": 1}`})
	c.Expect(`{"data":{"a":1},"topic":"json"}`)
	other.Send(pid, "ws.send", payload.New(map[string]any{"type": "text", "data": "x"}))
	c.Expect(`{"data":{"data":"x","type":"text"},"topic":"ws.send"}`)
	other.Send(pid, "many", payload.New(1), payload.New(2))
	c.Expect(`{"data":1,"topic":"many"}`)
	c.Expect(`{"data":2,"topic":"many"}`)
	other.Send(pid, `"odd" topic`)
	c.Expect(`{"data":null,"topic":"\"odd\" topic"}`)
	// What cannot be encoded, and what is not for clients, is skipped.
	other.Send(pid, "broken", payload.New(func() {}))
	other.Send(pid, "@internal", payload.New(1))
	for i := range 1000 {
		other.Send(pid, "n", payload.New(i))
	}
	for i := range 1000 {
		c.Expect(fmt.Sprintf(`{"data":%d,"topic":"n"}`, i))
	}
}

func TestCloseByMessage(t *testing.T) {
	long := strings.Repeat("ä", 100)
	for _, c := range []struct {
		p      []payload.Payload
		reason string
	}{
		{[]payload.Payload{payload.New("bye")}, "bye"},
		{nil, "Connection closed by server"},
		{[]payload.Payload{payload.New(nil)}, "Connection closed by server"},
		{[]payload.Payload{payload.New(map[string]any{"code": 7})}, `{"code":7}`},
		{[]payload.Payload{payload.New(long)}, strings.Repeat("ä", 61)},
	} {
		s := start(t, nil)
		client := s.dial()
		pid := s.p.Joined("ws.join")
		s.p.Monitor(pid)
		s.p.Send(pid, "last", payload.New(1))
		s.p.Send(pid, "ws.close", c.p...)
		client.Expect(`{"data":1,"topic":"last"}`)
		client.Closed(websocket.StatusNormalClosure, c.reason)
		s.p.Next("ws.leave")
		if got := s.p.Exited(pid); got != wsrelay.ExitValue {
			t.Errorf("session ended with %v", got)
		}
	}
}

func TestTargetExit(t *testing.T) {
	s := start(t, nil)
	c := s.dial()
	pid := s.p.Joined("ws.join")
	watcher := s.Spawn()
	watcher.Monitor(pid)
	s.p.Send(pid, "last", payload.New(1))
	s.p.Exit(errors.New("crashed"))
	c.Expect(`{"data":1,"topic":"last"}`)
	c.Closed(websocket.StatusGoingAway, "target process exited")
	watcher.Exited(pid)
	s.p.Quiet()
}

// Links and cancellations end a session like a process.
func TestLinkAndCancel(t *testing.T) {
	s := start(t, nil)
	linked := s.Spawn()
	c := s.dial()
	pid := s.p.Joined("ws.join")
	if err := s.Topology.Link(linked.PID, pid); err != nil {
		t.Fatal(err)
	}
	linked.Exit(errors.New("crashed"))
	c.Closed(websocket.StatusGoingAway, "linked process failed")
	s.p.Next("ws.leave")

	for reason, want := range map[string]string{"enough": "enough", "": "canceled"} {
		c = s.dial()
		pid = s.p.Joined("ws.join")
		if err := s.Runtime.Send(topology.NewCancel(s.p.PID, pid, reason)); err != nil {
			t.Fatal(err)
		}
		c.Closed(websocket.StatusNormalClosure, want)
		s.p.Next("ws.leave")
	}
}

func TestNoTarget(t *testing.T) {
	s := start(t, nil)
	s.p.Exit(nil)
	s.dial().Closed(websocket.StatusInternalError, "Failed to monitor target PID")
	s.p.Quiet()
}

func TestHeartbeat(t *testing.T) {
	s := start(t, func(s *site, w http.ResponseWriter, _ *http.Request) {
		s.ask(w, map[string]any{"heartbeat_interval": "10ms", "metadata": "m"})
	})
	c := s.dial()
	pid := s.p.Joined("ws.join")
	beat := s.p.Members("ws.heartbeat")
	uptime, _ := beat["uptime"].(string)
	d, err := time.ParseDuration(uptime)
	if err != nil || d < 10*time.Millisecond || beat["client_pid"] != pid.String() || beat["message_count"] != uint64(0) || beat["metadata"] != "m" {
		t.Errorf("heartbeat %v", beat)
	}
	// Off, and no interval that there is.
	s.p.Send(pid, "ws.control", payload.New(map[string]any{"heartbeat_interval": "0"}))
	c.sync(pid)
	s.p.Drain()
	c.Write(websocket.MessageText, "x")
	s.p.Next("ws.message")
	s.p.Send(pid, "ws.control", payload.New(map[string]any{"heartbeat_interval": "10ms"}))
	if beat := s.p.Members("ws.heartbeat"); beat["message_count"] != uint64(1) {
		t.Errorf("heartbeat %v", beat)
	}
}

// sync waits until the session has handled what was sent before.
func (c *client) sync(pid relay.PID) {
	c.Helper()
	c.p.Send(pid, "sync")
	c.Expect(`{"data":null,"topic":"sync"}`)
}

func TestControl(t *testing.T) {
	s := start(t, nil)
	next := s.Spawn()
	c := s.dial()
	pid := s.p.Joined("ws.join")
	control := func(members map[string]any) {
		t.Helper()
		s.p.Send(pid, "ws.control", payload.New(members))
		c.sync(pid)
	}
	control(map[string]any{"message_topic": "chat", "metadata": map[string]any{"room": "1"}})
	c.Write(websocket.MessageText, "a")
	s.p.Next("chat")
	control(map[string]any{"target_pid": next.PID.String()})
	if left := s.p.Members("ws.leave"); left["client_pid"] != pid.String() || fmt.Sprint(left["metadata"]) != "map[room:1]" {
		t.Errorf("ws.leave %v", left)
	}
	if got := next.Joined("ws.join"); got != pid {
		t.Errorf("joined %s", got)
	}
	c.Write(websocket.MessageText, "b")
	next.Next("chat")
	// The same target again, one that is none, and one that is gone change nothing.
	gone := s.Spawn()
	gone.Exit(nil)
	for _, target := range []string{next.PID.String(), "nonsense", gone.PID.String(), ""} {
		control(map[string]any{"target_pid": target})
	}
	s.p.Send(pid, "ws.control", payload.New("no table"))
	control(map[string]any{"message_topic": ""})
	c.Write(websocket.MessageText, "c")
	next.Next("ws.message")
	// The old target may end, the new one not.
	s.p.Exit(nil)
	c.Write(websocket.MessageText, "d")
	next.Next("ws.message")
	next.Exit(nil)
	c.Closed(websocket.StatusGoingAway, "target process exited")
	s.p.Quiet()
}

// get makes a request that is no handshake, or a bad one.
func (s *site) get(header ...string) (status int, body string, h http.Header) {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), http.MethodGet, s.server.URL, nil)
	if err != nil {
		s.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := s.server.Client().Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return res.StatusCode, strings.TrimSpace(string(text)), res.Header
}

func handshake(more ...string) []string {
	return append([]string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="}, more...)
}

func TestResponsesThatAreNoRelay(t *testing.T) {
	header := func(text string) func(*site, http.ResponseWriter, *http.Request) {
		return func(_ *site, w http.ResponseWriter, _ *http.Request) { w.Header().Set(wsrelay.Header, text) }
	}
	for name, c := range map[string]struct {
		handler func(*site, http.ResponseWriter, *http.Request)
		header  []string
		status  int
		body    string
	}{
		"plain answer": {func(_ *site, w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hi") }, nil, 200, "hi"},
		"body":         {func(s *site, w http.ResponseWriter, _ *http.Request) { s.ask(w, nil); _, _ = io.WriteString(w, "hi") }, handshake(), 200, "hi"},
		"status":       {func(s *site, w http.ResponseWriter, _ *http.Request) { s.ask(w, nil); w.WriteHeader(403) }, handshake(), 403, ""},
		"status 200":   {func(s *site, w http.ResponseWriter, _ *http.Request) { s.ask(w, nil); w.WriteHeader(200) }, handshake(), 200, ""},
		"flush": {func(s *site, w http.ResponseWriter, _ *http.Request) {
			s.ask(w, nil)
			_ = http.NewResponseController(w).Flush()
		}, handshake(), 200, ""},
		"no JSON":          {header("{"), handshake(), 200, ""},
		"no object":        {header("[1]"), handshake(), 200, ""},
		"no target":        {header("{}"), handshake(), 400, "Invalid target PID: "},
		"bad target":       {header(`{"target_pid":"x"}`), handshake(), 400, "Invalid target PID: "},
		"number":           {header(`{"target_pid":7}`), handshake(), 400, "Invalid target PID: "},
		"no handshake":     {nil, nil, 426, "WebSocket protocol violation"},
		"bad key":          {nil, handshake("Sec-WebSocket-Key", "x"), 400, "WebSocket protocol violation"},
		"bad version":      {nil, handshake("Sec-WebSocket-Version", "8"), 400, "unsupported WebSocket protocol version"},
		"foreign origin":   {nil, handshake("Origin", "https://evil.example"), 403, ""},
		"origin is no URL": {nil, handshake("Origin", "://"), 403, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, c.handler)
			status, body, h := s.get(c.header...)
			if status != c.status || !strings.HasPrefix(body, c.body) || h.Get(wsrelay.Header) != "" {
				t.Errorf("%d %q %v, want %d %q", status, body, h, c.status, c.body)
			}
			s.p.Quiet()
		})
	}
}

func TestOrigins(t *testing.T) {
	s := start(t, nil, "*.example.com", "localhost:*", "https://only.secure")
	for origin, ok := range map[string]bool{
		"": true, s.server.URL: true, "https://a.example.com": true, "http://A.Example.Com": true, "http://localhost:3000": true,
		"https://only.secure": true, "http://only.secure": false, "https://example.com": false, "https://example.com.evil": false, "null": false,
	} {
		conn, _, err := websocket.Dial(t.Context(), s.server.URL, &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {origin}}})
		if (err == nil) != ok {
			t.Errorf("origin %q: %v", origin, err)
		}
		if err == nil {
			_ = conn.CloseNow()
		}
	}
	if _, err := wsrelay.New(wsrelay.Options{Origins: []string{"[a"}}); err == nil {
		t.Error("a bad pattern is accepted")
	}
}

// Without a session host, the middleware has nothing to offer.
func TestNoHost(t *testing.T) {
	middleware, err := wsrelay.New(wsrelay.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set(wsrelay.Header, "{}") })).
		ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusInternalServerError {
		t.Error(w.Code)
	}
}

// When the server stops, clients are told and sessions end.
func TestServerStops(t *testing.T) {
	s := start(t, nil)
	c := s.dial()
	pid := s.p.Joined("ws.join")
	s.p.Monitor(pid)
	closed := make(chan error)
	go func() { closed <- s.Host.Close(context.Background()) }()
	c.Closed(websocket.StatusGoingAway, "server is stopping")
	if err := <-closed; err != nil {
		t.Error(err)
	}
	s.p.Next("ws.leave")
	s.p.Exited(pid)
	s.dial().Closed(websocket.StatusGoingAway, "server is stopping")
}

// Many clients come, talk and go at the same time; each hears its own messages, and nothing is left of them.
func TestManyClientsConcurrentSafe(t *testing.T) {
	const clients, messages = 100, 20
	s := start(t, nil)
	echo := make(chan struct{})
	go func() { // the target sends back what it gets, until all have left
		defer close(echo)
		for left := 0; left < clients; {
			m := s.p.Any()
			switch m.Topic {
			case "ws.message":
				_ = s.p.TrySend(m.From, "echo", m.Payload()) // the client may have left
			case "ws.leave":
				left++
			case "":
				return
			}
		}
	}()
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			conn, _, err := websocket.Dial(t.Context(), s.server.URL, nil)
			if err != nil {
				t.Error(err)
				return
			}
			for j := range messages {
				text := fmt.Sprintf("%d/%d", i, j)
				if err := conn.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
					t.Error(err)
					return
				}
				if _, data, err := conn.Read(t.Context()); err != nil || string(data) != `{"data":"`+text+`","topic":"echo"}` {
					t.Errorf("%s came back as %s, %v", text, data, err)
				}
			}
			if i%2 == 0 {
				_ = conn.CloseNow()
			} else if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	<-echo // that no session is left is checked at the end of every test
}

func BenchmarkEcho(b *testing.B) {
	sys := sessiontest.New(b, 0)
	p := sys.Spawn()
	middleware, err := wsrelay.New(wsrelay.Options{})
	if err != nil {
		b.Fatal(err)
	}
	server := sys.Serve(middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(wsrelay.Header, `{"target_pid":"`+p.PID.String()+`"}`)
	})))
	conn, _, err := websocket.Dial(b.Context(), server.URL, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.CloseNow()
	pid := p.Joined("ws.join")
	b.ReportAllocs()
	for b.Loop() {
		if err := conn.Write(b.Context(), websocket.MessageText, []byte("ping")); err != nil {
			b.Fatal(err)
		}
		p.Send(pid, "echo", p.Next("ws.message").Payload())
		if _, _, err := conn.Read(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
