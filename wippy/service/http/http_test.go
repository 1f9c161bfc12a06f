// SPDX-License-Identifier: Apache-2.0

package http_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

func TestMain(m *testing.M) {
	if task := os.Getenv(idleEnv); task != "" {
		if err := keep(task); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

const index = `version: "1.0"
namespace: app
entries:
  - {name: server, kind: http.service, addr: "%s", lifecycle: {auto_start: true}}
  - {name: api, kind: http.router, meta: {server: server}, prefix: /api, middleware: [real_ip, cors], options: {cors.allow.origins: "*.example.com, localhost"}}
  - {name: plain, kind: http.router, meta: {server: "app:server"}}
`

// fn is an endpoint: method, path, body of the function.
type fn struct{ name, method, path, body string }

// functions are those of several tests.
var functions = []fn{
	{"echo", "POST", "/api/echo/{id}", `
		local req, res = http.request(), http.response()
		local body, err = req:body_json()
		if err then res:set_status(http.STATUS.BAD_REQUEST) res:write_json({error = err:kind()}) return end
		res:set_header("X-Kind", req:content_type())
		res:set_status(http.STATUS.CREATED)
		res:write_json({id = req:param("id"), q = req:query("q"), none = req:query("none"), body = body, method = req:method(), path = req:path(), accepts = req:accepts("text/html")})`},
	{"raw", "POST", "/raw", `
		local req = http.request({max_body = 10})
		local body, err = req:body()
		local again, twice = req:body()
		http.response():write((body or err:message()) .. "|" .. tostring(again) .. "|" .. tostring(twice and twice:kind()))`},
	{"fails", "GET", "/fails", `error("broken")`},
	{"returns", "GET", "/returns", `return nil, errors.new("sorry")`},
	{"late", "GET", "/late", `http.response():set_status(202) error("too late")`},
	{"nothing", "GET", "/nothing", ``},
	{"value", "GET", "/value", `return {a = 1}`},
	{"sse", "GET", "/sse", `
		local res = http.response()
		for i = 1, 3 do res:write_event({name = "tick", data = {n = i}}) time.sleep("1ms") end
		return nil`},
	{"calls", "GET", "/calls", `
		local v, err = funcs.call("app:inner")
		http.response():write(tostring(v) .. " " .. process.pid():match("{([^|]+)|"))`},
	{"slow", "GET", "/slow", `process.registry.register("slow") events.send("test", "waits", "/") channel.new():receive()`},
	{"watch", "GET", "/watch", `
		local pid = process.registry.lookup("slow")
		process.monitor(pid)
		events.send("test", "watches", "/")
		local e = process.events():receive()
		http.response():write(e.kind .. " " .. tostring(e.result.error))`},
	{"form", "POST", "/form", `
		local form, err = http.request():parse_multipart()
		if err then http.response():write(err:message()) return end
		local f = form.files.up[1]
		http.response():write(form.values.name .. " " .. f:name() .. " " .. f:size() .. " " .. f:header("content-type"))`},
	{"rest", "GET", "/files/{path...}", `http.response():write(http.request():params()["path..."])`},
	{"old", "GET", "/old/:name", `http.response():write(http.request():param("name"))`},
	{"rules", "GET", "/rules", `
		local res = http.response()
		res:set_status(201)
		local err = res:set_header("A", "b")
		res:write(err:kind() .. " " .. err:message() .. " " .. tostring(res:set_status(200):message()))`},
}

type site struct {
	*testing.T
	app  *wippy.App
	url  string
	logs *text
}

// text keeps what is written to it.
type text struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (x *text) Write(p []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.b.Write(p)
}

func (x *text) String() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.b.String()
}

// anyPort is the address that servers of tests have.
const anyPort = "127.0.0.1:0"

// patience bounds what tests wait for. It is only reached when something is broken.
const patience = 2 * time.Minute

var client = &http.Client{Timeout: patience}

// start runs an application with the functions of all tests and those of this one.
func start(t *testing.T, more ...fn) *site {
	t.Helper()
	return serveWith(t, index, more...)
}

func serveWith(t *testing.T, index string, more ...fn) *site {
	t.Helper()
	dir := t.TempDir()
	var b strings.Builder
	fmt.Fprintf(&b, index, anyPort)
	b.WriteString("  - {name: inner, kind: function.lua, source: \"return {main = function() local r, err = http.request() return tostring(r) .. err:message() end}\", method: main, modules: [http]}\n")
	for _, f := range append(slices.Clone(functions), more...) {
		if f.method == "" { // a file beside the entries
			if err := os.WriteFile(filepath.Join(dir, f.name), []byte(f.body), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		router, path := "plain", f.path
		if p, ok := strings.CutPrefix(path, "/api"); ok {
			router, path = "api", p
		}
		fmt.Fprintf(&b, "  - {name: %s, kind: function.lua, source: \"file://%s.lua\", method: main, modules: [http, time, funcs, events, env]}\n", f.name, f.name)
		fmt.Fprintf(&b, "  - {name: %s.route, kind: http.endpoint, meta: {router: %s}, method: %s, path: %q, func: %s}\n", f.name, router, f.method, path, f.name)
		if err := os.WriteFile(filepath.Join(dir, f.name+".lua"), []byte("return {main = function() "+f.body+" end}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "_index.yaml"), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	logs := &text{}
	app, err := wippy.New(wippy.Dir(dir), wippy.Logs(wippy.LogAll), wippy.Streams(strings.NewReader(""), io.Discard, logs))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Stop)
	t.Cleanup(client.CloseIdleConnections)
	listening := make(chan string, 1)
	_, err = app.Bus().Subscribe(t.Context(), pattern(supervisor.System, supervisor.KindUpdate), func(e event) {
		if u, ok := e.Data.(supervisor.Update); ok && e.Path == "app:server" {
			if addr, ok := strings.CutPrefix(fmt.Sprint(u.Details), "service listening on "); ok {
				select {
				case listening <- addr:
				default: // it is known
				}
			}
		}
	})
	if err == nil {
		err = app.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	select {
	case addr := <-listening:
		return &site{t, app, "http://" + addr, logs}
	case <-time.After(patience):
		t.Fatalf("the server does not run\n%s", logs)
		return nil
	}
}

func (s *site) do(method, path, body string, header ...string) (*http.Response, string) {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := client.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.Fatal(err)
	}
	return res, string(text)
}

func TestEndpoints(t *testing.T) {
	s := start(t)
	for _, c := range []struct {
		method, path, body string
		header             []string
		status             int
		kind, want         string
	}{
		{"POST", "/api/echo/7?q=x", `{"a":[1]}`, []string{"Content-Type", "application/json"}, 201, "application/json",
			`{"accepts":false,"body":{"a":[1]},"id":"7","method":"POST","path":"/api/echo/7","q":"x"}`},
		{"POST", "/api/echo/7", `nonsense`, nil, 400, "application/json", `{"error":"Invalid"}`},
		{"POST", "/raw", "0123456789", nil, 200, "text/plain; charset=utf-8", "0123456789|nil|Internal"},
		{"POST", "/raw", "01234567890", nil, 200, "text/plain; charset=utf-8", "request body too large|nil|Invalid"},
		{"GET", "/fails", "", nil, 500, "text/plain; charset=utf-8", "app:fails:1: broken\n"},
		{"GET", "/returns", "", nil, 500, "text/plain; charset=utf-8", "sorry\n"},
		{"GET", "/late", "", nil, 202, "", ""},
		{"GET", "/nothing", "", nil, 500, "text/plain; charset=utf-8", "no response sent\n"},
		{"GET", "/value", "", nil, 200, "application/json", ""},
		{"GET", "/sse", "", nil, 200, "text/event-stream", "event: tick\ndata: {\"n\":1}\n\nevent: tick\ndata: {\"n\":2}\n\nevent: tick\ndata: {\"n\":3}\n\n"},
		{"GET", "/calls", "", nil, 200, "text/plain; charset=utf-8", "nilno HTTP request context found app:calls"},
		{"POST", "/form", "x", nil, 200, "text/plain; charset=utf-8", "content type is not multipart/form-data"},
		{"GET", "/files/a/b", "", nil, 200, "text/plain; charset=utf-8", "a/b"},
		{"GET", "/old/x%20y", "", nil, 200, "text/plain; charset=utf-8", "x y"},
		{"GET", "/rules", "", nil, 201, "text/plain; charset=utf-8", "Invalid cannot set headers after they are sent cannot set status after headers are sent"},
		{"GET", "/unknown", "", nil, 404, "text/plain; charset=utf-8", "404 page not found\n"},
		{"DELETE", "/value", "", nil, 405, "text/plain; charset=utf-8", "Method Not Allowed\n"},
		{"OPTIONS", "/value", "", nil, 204, "", ""},
	} {
		res, got := s.do(c.method, c.path, c.body, c.header...)
		if res.StatusCode != c.status || res.Header.Get("Content-Type") != c.kind || got != c.want {
			t.Errorf("%s %s: %d %s %q, want %d %s %q", c.method, c.path, res.StatusCode, res.Header.Get("Content-Type"), got, c.status, c.kind, c.want)
		}
	}
}

func TestMultipart(t *testing.T) {
	s := start(t)
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.WriteField("name", "Ada")
	f, _ := w.CreateFormFile("up", "notes.txt")
	_, _ = f.Write([]byte("12345"))
	w.Close()
	if _, got := s.do("POST", "/form", b.String(), "Content-Type", w.FormDataContentType()); got != "Ada notes.txt 5 application/octet-stream" {
		t.Error(got)
	}
}

func TestCORS(t *testing.T) {
	s := start(t)
	for origin, allowed := range map[string]bool{
		"https://a.example.com": true, "http://localhost:3000": true, "https://example.org": false, "https://localhost.evil": false,
	} {
		res, _ := s.do("OPTIONS", "/api/echo/1", "", "Origin", origin, "Access-Control-Request-Method", "POST")
		if got := res.Header.Get("Access-Control-Allow-Origin"); res.StatusCode != 204 || (got == origin) != allowed {
			t.Errorf("%s: %d %q", origin, res.StatusCode, got)
		}
		res, body := s.do("POST", "/api/echo/1", "{}", "Origin", origin, "Content-Type", "application/json")
		if got := res.Header.Get("Access-Control-Allow-Origin"); res.StatusCode != 201 || !strings.Contains(body, `"id":"1"`) || (got == origin) != allowed {
			t.Errorf("request from %s: %d %q %s", origin, res.StatusCode, got, body)
		}
	}
}

// A client that leaves ends the call, and is mentioned once.
func TestClientThatLeavesEndsTheCall(t *testing.T) {
	s := start(t)
	happens := make(chan string, 2)
	for _, what := range []string{"waits", "watches"} {
		if _, err := s.app.Bus().Subscribe(t.Context(), pattern("test", what), func(event) { happens <- what }); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, "GET", s.url+"/slow", nil)
	left := make(chan error, 1)
	go func() { _, err := client.Do(req); left <- err }()
	s.see(happens, "waits")
	watched := make(chan string, 1)
	go func() { _, text := s.do("GET", "/watch", ""); watched <- text }()
	s.see(happens, "watches")
	cancel()
	<-left
	s.see(watched, "pid.exit context canceled")
	s.app.Stop()
	if n := strings.Count(s.logs.String(), "client left"); n != 1 {
		t.Errorf("mentioned %d times:\n%s", n, s.logs)
	}
}

// see waits for what is to happen next.
func (s *site) see(happens <-chan string, want string) {
	s.Helper()
	select {
	case got := <-happens:
		if got != want {
			s.Fatalf("%q happened, want %q", got, want)
		}
	case <-time.After(patience):
		s.Fatalf("%q did not happen", want)
	}
}

// Routes change while the server serves, and those that conflict change nothing.
func TestRoutesFollowTheirEntries(t *testing.T) {
	s := start(t)
	r := s.app.Registry()
	apply := func(change func(*registry.Changeset)) error {
		var c registry.Changeset
		change(&c)
		_, err := r.Apply(t.Context(), c)
		return err
	}
	endpoint := func(name, path string) registry.Entry {
		return registry.Entry{ID: registry.ParseID("app:" + name), Kind: "http.endpoint", Meta: map[string]any{"router": "app:plain"},
			Data: map[string]any{"method": "GET", "path": path, "func": "app:value"}}
	}
	if err := apply(func(c *registry.Changeset) { c.CreateEntry(endpoint("new", "/new")) }); err != nil {
		t.Fatal(err)
	}
	if res, _ := s.do("GET", "/new", ""); res.StatusCode != 200 {
		t.Error(res.Status)
	}
	err := apply(func(c *registry.Changeset) {
		c.CreateEntry(endpoint("other", "/{name}"))
		c.CreateEntry(endpoint("twice", "/{id}"))
	})
	if err == nil || !strings.Contains(err.Error(), "GET /{name} conflicts with GET /{id}") && !strings.Contains(err.Error(), "GET /{id} conflicts with GET /{name}") {
		t.Errorf("conflict: %v", err)
	}
	if res, _ := s.do("GET", "/somewhere", ""); res.StatusCode != 404 {
		t.Error("a rejected route is live", res.Status)
	}
	if err := apply(func(c *registry.Changeset) { c.UpdateEntry(endpoint("new", "/moved")) }); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{"/new": 404, "/moved": 200} {
		if res, _ := s.do("GET", path, ""); res.StatusCode != want {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
	if err := apply(func(c *registry.Changeset) { c.DeleteEntry(registry.ParseID("app:new")) }); err != nil {
		t.Fatal(err)
	}
	if res, _ := s.do("GET", "/moved", ""); res.StatusCode != 404 {
		t.Error(res.Status)
	}
}
