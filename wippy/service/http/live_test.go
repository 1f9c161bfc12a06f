// SPDX-License-Identifier: Apache-2.0

package http_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/wippyrun/kit/eventbus"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// apply makes one change of the registry.
func (s *site) apply(change func(*registry.Changeset)) error {
	var c registry.Changeset
	change(&c)
	_, err := s.app.Registry().Apply(s.Context(), c)
	return err
}

func endpoint(name, method, path, function string) registry.Entry {
	return registry.Entry{ID: registry.ParseID("app:" + name), Kind: "http.endpoint", Meta: map[string]any{"router": "app:plain"},
		Data: map[string]any{"method": method, "path": path, "func": "app:" + function}}
}

// server changes fields of the server's entry.
func (s *site) server(change map[string]any) error {
	id := registry.ParseID("app:server")
	e, err := s.app.Registry().Get(id)
	if err != nil {
		s.Fatal(err)
	}
	data := map[string]any{"addr": anyPort, "lifecycle": map[string]any{"auto_start": true}}
	for k, v := range change {
		data[k] = v
	}
	e.Data = data
	return s.apply(func(c *registry.Changeset) { c.UpdateEntry(e) })
}

// Routes and limits change under load, and no request fails.
func TestLiveUpdatesUnderLoad(t *testing.T) {
	s := start(t, fn{"ok", "GET", "/ok/{n}", `http.response():write(http.request():param("n"))`})
	const clients, updates = 8, 200
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	t.Cleanup(transport.CloseIdleConnections)
	c := &http.Client{Transport: transport, Timeout: patience}
	done := make(chan struct{})
	var requests atomic.Int64
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				want := fmt.Sprint(i*1_000_000 + n)
				res, err := c.Get(s.url + "/ok/" + want)
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(res.Body)
				res.Body.Close()
				if err != nil || res.StatusCode != 200 || string(body) != want {
					t.Errorf("%s %q, %v", res.Status, body, err)
					return
				}
				requests.Add(1)
			}
		})
	}
	for i := range updates {
		e := endpoint("moving", "GET", fmt.Sprintf("/moving/%d", i), "value")
		var err error
		switch {
		case i == 0:
			err = s.apply(func(c *registry.Changeset) { c.CreateEntry(e) })
		case i%10 == 0:
			err = s.server(map[string]any{"timeouts": map[string]any{"read": fmt.Sprintf("%ds", 30+i), "idle": "1m"}})
		default:
			err = s.apply(func(c *registry.Changeset) { c.UpdateEntry(e) })
		}
		if err != nil {
			t.Fatal(err)
		}
		if i%10 == 1 {
			if res, _ := s.do("GET", fmt.Sprintf("/moving/%d", i), ""); res.StatusCode != 200 {
				t.Errorf("update %d is not live: %s", i, res.Status)
			}
		}
	}
	close(done)
	all.Wait()
	if n := requests.Load(); n < updates/2 {
		t.Errorf("only %d requests", n)
	}
}

// talk sends a request on a connection that is kept and returns what is answered.
func (s *site) talk(conn net.Conn, r *bufio.Reader, text string) (*http.Response, string) {
	s.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		s.Fatal(err)
	}
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		s.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.Fatal(err)
	}
	return res, string(body)
}

// A connection that is open gets the new limits with its next request. The limit for reading is none for the answer.
func TestLimitsReachOpenConnections(t *testing.T) {
	s := start(t, fn{"later", "GET", "/later", `time.sleep("300ms") http.response():write("later")`})
	conn := s.dial()
	r := bufio.NewReader(conn)
	if _, got := s.talk(conn, r, "POST /raw HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"); got != "ab|nil|Internal" {
		t.Fatal(got)
	}
	if err := s.server(map[string]any{"timeouts": map[string]any{"read": "30ms"}}); err != nil {
		t.Fatal(err)
	}
	if _, got := s.talk(conn, r, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n"); got != "later" {
		t.Fatal(got)
	}
	if _, err := io.WriteString(conn, "POST /raw HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(conn); err != nil { // and not the deadline of the test
		t.Error(err)
	}
}

// A limit for reading requests is none for answering them, and none for connections that are something else by then.
func TestReadTimeoutIsNoneOfTheAnswer(t *testing.T) {
	// Long enough for a busy machine to read a request, short enough to wait for.
	s := serveWith(t, strings.Replace(relayIndex, "addr: ", "timeouts: {read: 2s, idle: 2s}, addr: ", 1), append(slices.Clone(relays),
		fn{"later", "POST", "/later", `local body = http.request():body() time.sleep("3s") http.response():write("later " .. body)`},
		fn{"long", "GET", "/long", `
			local res = http.response()
			res:write("begin ") res:flush() time.sleep("3s") res:write("end")`},
		fn{"streamed", "GET", "/events", `
			local res = http.response()
			res:write_event({name = "n", data = 1}) time.sleep("3s") res:write_event({name = "n", data = 2})`})...)
	conn, _, err := websocket.Dial(t.Context(), s.url+"/api/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	hear := func(want string) {
		t.Helper()
		if _, data, err := conn.Read(t.Context()); err != nil || string(data) != want {
			t.Fatalf("got %s, %v, want %s", data, err, want)
		}
	}
	hear(`{"data":{"list":[],"n":1.5},"topic":"welcome"}`)
	stream, pid := s.detached()
	var all sync.WaitGroup
	// Each on a connection of its own: the server may close one that is kept just when the next request is on its way.
	fresh := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	for _, c := range []struct{ method, path, body, want string }{
		{"POST", "/later", "x", "later x"}, {"GET", "/long", "", "begin end"}, {"GET", "/events", "", "event: n\ndata: 1\n\nevent: n\ndata: 2\n\n"},
	} {
		all.Go(func() {
			req, err := http.NewRequestWithContext(t.Context(), c.method, s.url+c.path, strings.NewReader(c.body))
			if err != nil {
				t.Error(err)
				return
			}
			res, err := fresh.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			if got, err := io.ReadAll(res.Body); err != nil || string(got) != c.want {
				t.Errorf("%s %s: %q, %v", c.method, c.path, got, err)
			}
		})
	}
	all.Wait()
	if err := conn.Write(t.Context(), websocket.MessageText, []byte("still there")); err != nil {
		t.Fatal(err)
	}
	hear(`{"data":{"text":"still there"},"topic":"echo"}`)
	s.send(pid)
	if got := s.nextEvent(stream); got != "event: sse.message\ndata: {\"a\":1}" {
		t.Errorf("got %q", got)
	}
}

func TestAddressOfARunningServerStays(t *testing.T) {
	s := start(t)
	err := s.server(map[string]any{"addr": "127.0.0.1:1"})
	if err == nil || !strings.Contains(err.Error(), "cannot change server address while running") {
		t.Error(err)
	}
	if res, _ := s.do("GET", "/value", ""); res.StatusCode != 200 {
		t.Error(res.Status)
	}
}

// A server whose port another program has says so, and tries again.
func TestPortInUse(t *testing.T) {
	s := start(t)
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	addr := other.Addr().String()
	states := make(chan any, 16)
	pattern := eventbus.Pattern{System: "supervisor", Kind: "state.failed"}
	if _, err := s.app.Bus().Subscribe(t.Context(), pattern, func(e eventbus.Event) { states <- e.Data }); err != nil {
		t.Fatal(err)
	}
	err = s.apply(func(set *registry.Changeset) {
		set.CreateEntry(registry.Entry{ID: registry.ParseID("app:taken"), Kind: "http.service",
			Data: map[string]any{"addr": addr, "lifecycle": map[string]any{"auto_start": true}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	failed, _ := (<-states).(supervisor.Status)
	if got, want := fmt.Sprint(failed.Details), "listen on "+addr+": give another addr, or end the program that has this one"; failed.ID != "app:taken" || !strings.HasPrefix(got, want) {
		t.Errorf("%+v", failed)
	}
}

// Stopping finishes what is under way and takes nothing new.
func TestStopDrains(t *testing.T) {
	s := serveWith(t, strings.Replace(index, "auto_start: true", "auto_start: true, stop_timeout: 5m", 1), fn{"wait", "GET", "/wait", `
		local res = http.response()
		res:write("begin ") res:flush()
		process.registry.register("slow")
		events.send("test", "waits", "/")
		process.inbox():receive()
		res:write("end")`})
	waits := make(chan string, 1)
	if _, err := s.app.Bus().Subscribe(t.Context(), pattern("test", "waits"), func(event) { waits <- "waits" }); err != nil {
		t.Fatal(err)
	}
	idle := s.dial()
	s.talk(idle, bufio.NewReader(idle), "GET /value HTTP/1.1\r\nHost: x\r\n\r\n")
	conn := s.dial()
	if _, err := io.WriteString(conn, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	s.see(waits, "waits")
	if err := s.apply(func(c *registry.Changeset) {
		for e := range s.app.Registry().Snapshot().All() {
			if strings.HasPrefix(e.Kind, "http.") {
				c.DeleteEntry(e.ID)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	// An idle connection is closed at once, the one in use is not.
	if n, err := idle.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the idle connection: %d, %v", n, err)
	}
	if c, err := net.DialTimeout("tcp", strings.TrimPrefix(s.url, "http://"), time.Second); err == nil {
		c.Close()
		t.Error("a new connection was taken")
	}
	if err := s.app.Send("slow", "go on"); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(res.Body); string(body) != "begin end" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
}

// What does not end within the time it has to stop is cut off. How long before that, and that it is no failure, is
// tested where time stands still.
func TestStopEndsWhatGoesOn(t *testing.T) {
	s := serveWith(t, strings.Replace(index, "auto_start: true", "auto_start: true, stop_timeout: 1s", 1))
	waits := make(chan string, 1)
	if _, err := s.app.Bus().Subscribe(t.Context(), pattern("test", "waits"), func(event) { waits <- "waits" }); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		req, _ := http.NewRequestWithContext(ctx, "GET", s.url+"/slow", nil)
		_, err := client.Do(req)
		ended <- err
	}()
	s.see(waits, "waits")
	s.app.Stop()
	if err := <-ended; err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the request: %v", err)
	}
}

// Each request has an id, its own or the client's, in the answer, in the program and in the log.
func TestRequestID(t *testing.T) {
	s := serveWith(t, strings.Replace(index, "addr: ", "access_log: true, addr: ", 1),
		fn{"id", "GET", "/id", `http.response():write(http.request():header("x-request-id"))`})
	res, got := s.do("GET", "/id", "", "X-Request-Id", "abc-1")
	if id := res.Header.Get("X-Request-Id"); id != "abc-1" || got != id {
		t.Errorf("%q %q", id, got)
	}
	for _, bad := range []string{"", "a b", "\"", strings.Repeat("x", 200)} {
		res, got := s.do("GET", "/id", "", "X-Request-Id", bad)
		if id := res.Header.Get("X-Request-Id"); len(id) != 16 || got != id {
			t.Errorf("%q: %q %q", bad, id, got)
		}
	}
	s.do("GET", "/unknown", "", "X-Request-Id", "abc-2")
	s.do("GET", "/fails", "", "X-Request-Id", "abc-3")
	s.app.Stop()
	for _, want := range []string{`"path":"/id","status":200,"bytes":5`, `"request":"abc-1","endpoint":"app:id.route"`,
		`"path":"/unknown","status":404`, `"status":500`, `"request":"abc-3","error":"app:fails:1: broken"`} {
		if !strings.Contains(s.logs.String(), want) {
			t.Errorf("the log has no %s:\n%s", want, s.logs)
		}
	}
}

// A programmer in front of a browser sees what failed, others what they always see.
func TestFailurePage(t *testing.T) {
	s := serveWith(t, strings.Replace(index, "addr: ", "dev: true, addr: ", 1),
		fn{"script", "GET", "/script", `error("<script>alert(1)</script>")`})
	res, page := s.do("GET", "/fails", "", "Accept", "text/html,*/*", "Authorization", "Bearer secret-1", "Cookie", "secret-2")
	if res.StatusCode != 500 || res.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Error(res.Status, res.Header)
	}
	for _, want := range []string{"app:fails:1: broken", "stack traceback", "GET /fails", "app:fails.route", "Internal", res.Header.Get("X-Request-Id")} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q:\n%s", want, page)
		}
	}
	if strings.Contains(page, "secret") {
		t.Error("the page shows secrets")
	}
	if _, page := s.do("GET", "/script", "", "Accept", "text/html"); strings.Contains(page, "<script>") {
		t.Error("the page has the error's markup")
	}
	if res, text := s.do("GET", "/fails", "", "Accept", "application/json"); text != "app:fails:1: broken\n" || res.StatusCode != 500 {
		t.Errorf("%s %q", res.Status, text)
	}
	if s := start(t); true {
		if _, text := s.do("GET", "/fails", "", "Accept", "text/html"); text != "app:fails:1: broken\n" {
			t.Errorf("without dev: %q", text)
		}
	}
}
