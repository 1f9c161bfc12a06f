// SPDX-License-Identifier: Apache-2.0

package http_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wippyrun/kit/registry"
)

func entry(id, kind string, meta, data map[string]any) registry.Entry {
	return registry.Entry{ID: registry.ParseID(id), Kind: kind, Meta: meta, Data: data}
}

// What is wrong with an entry keeps it out, and what was there goes on.
func TestRejectedEntries(t *testing.T) {
	s := start(t)
	router := func(data map[string]any) registry.Entry {
		return entry("app:r", "http.router", map[string]any{"server": "app:server"}, data)
	}
	tls := func(data map[string]any) registry.Entry {
		return entry("app:s", "http.service", nil, map[string]any{"addr": ":0", "tls": data})
	}
	for _, c := range []struct {
		want    string
		entries []registry.Entry
	}{
		{"invalid HTTP method: get", []registry.Entry{endpoint("x", "get", "/x", "value")}},
		{"path must start with /", []registry.Entry{endpoint("x", "GET", "x", "value")}},
		{"function name is required", []registry.Entry{entry("app:x", "http.endpoint", map[string]any{"router": "app:plain"}, map[string]any{"method": "GET", "path": "/x"})}},
		{"router metadata is required", []registry.Entry{entry("app:x", "http.endpoint", nil, map[string]any{"method": "GET", "path": "/x", "func": "value"})}},
		{"router not found", []registry.Entry{entry("app:x", "http.endpoint", map[string]any{"router": "none"}, map[string]any{"method": "GET", "path": "/x", "func": "value"})}},
		{"server metadata is required", []registry.Entry{entry("app:r", "http.router", nil, nil)}},
		{"server not found", []registry.Entry{entry("app:r", "http.router", map[string]any{"server": "none"}, nil)}},
		{"router prefix already exists", []registry.Entry{router(map[string]any{"prefix": "/api/"})}},
		{"failed to create middleware: middleware not found: nope", []registry.Entry{router(map[string]any{"prefix": "/r", "middleware": []any{"nope"}})}},
		{"failed to create post-match middleware: middleware not found: nope", []registry.Entry{router(map[string]any{"prefix": "/r", "post_middleware": []any{"nope"}})}},
		{"route pattern conflicts detected:\n  - GET /v/{y}/b conflicts with GET /v/a/{x}", []registry.Entry{endpoint("x", "GET", "/v/a/{x}", "value"), endpoint("y", "GET", "/v/{y}/b", "value")}},
		{"OPTIONS /value", []registry.Entry{endpoint("x", "OPTIONS", "/value", "value")}},
		{"address is required", []registry.Entry{entry("app:s", "http.service", nil, nil)}},
		{"must be non-negative", []registry.Entry{entry("app:s", "http.service", nil, map[string]any{"addr": ":0", "timeouts": map[string]any{"idle": "-1s"}})}},
		{"tls.mode=off must not set cert/key or mTLS fields", []registry.Entry{tls(map[string]any{"cert": "x"})}},
		{"tls.mode=auto must not set cert/key (driver-managed)", []registry.Entry{tls(map[string]any{"mode": "auto", "key": "x"})}},
		{"tls.acme requires tls.mode=auto", []registry.Entry{tls(map[string]any{"acme": map[string]any{}})}},
		{"tls.acme.cache is required", []registry.Entry{tls(map[string]any{"mode": "auto", "acme": map[string]any{"hosts": "a.example", "accept_terms": true}})}},
		{"mTLS (client_auth) requires tls.mode=manual", []registry.Entry{tls(map[string]any{"mode": "auto", "client_auth": "request"})}},
		{"tls.mode=manual requires cert+key or cert_env+key_env", []registry.Entry{tls(map[string]any{"mode": "manual"})}},
		{"cert and key must both be set", []registry.Entry{tls(map[string]any{"mode": "manual", "cert": "x"})}},
		{"cert_env and key_env must both be set", []registry.Entry{tls(map[string]any{"mode": "manual", "cert_env": "x"})}},
		{"set either cert+key or cert_env+key_env, not both", []registry.Entry{tls(map[string]any{"mode": "manual", "cert": "x", "key": "y", "cert_env": "X", "key_env": "Y"})}},
		{"set either client_ca or client_ca_env, not both", []registry.Entry{tls(map[string]any{"mode": "manual", "client_ca": "x", "client_ca_env": "X"})}},
		{"client_ca set but client_auth is empty", []registry.Entry{tls(map[string]any{"mode": "manual", "client_ca": "x"})}},
		{"client_auth verification modes require client_ca or client_ca_env", []registry.Entry{tls(map[string]any{"mode": "manual", "client_auth": "require_and_verify"})}},
		{"invalid tls.mode: other", []registry.Entry{tls(map[string]any{"mode": "other"})}},
		{"invalid tls.client_auth: other", []registry.Entry{tls(map[string]any{"mode": "manual", "client_auth": "other"})}},
	} {
		err := s.apply(func(set *registry.Changeset) {
			for _, e := range c.entries {
				set.CreateEntry(e)
			}
		})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	if res, _ := s.do("GET", "/value", ""); res.StatusCode != 200 {
		t.Error("earlier routes are gone:", res.Status)
	}
}

func TestRouting(t *testing.T) {
	s := serveWith(t, index+`  - {name: slashed, kind: http.router, meta: {server: server}, prefix: /v1/}
  - {name: user, kind: http.endpoint, meta: {router: slashed}, method: GET, path: "/users/{id}", func: params}
  - {name: colon, kind: http.endpoint, meta: {router: slashed}, method: PUT, path: "/users/:id", func: params}
  - {name: tree, kind: http.endpoint, meta: {router: slashed}, method: GET, path: "/tree/{rest...}", func: params}
  - {name: exact, kind: http.endpoint, meta: {router: slashed}, method: GET, path: "/exact/{$}", func: params}
`, fn{"params", "TRACE", "/params", `
		local req, parts = http.request(), {}
		for k, v in pairs(req:params()) do parts[#parts + 1] = k .. "=" .. v end
		http.response():write(req:method() .. " " .. table.concat(parts, ",") .. " " .. tostring(req:param("rest")))`})
	if err := s.apply(func(set *registry.Changeset) { set.CreateEntry(endpoint("nobody", "GET", "/nobody", "nobody.there")) }); err != nil {
		t.Fatal(err) // at run time, the function may still come
	}
	for _, c := range []struct {
		method, path string
		status       int
		want, allow  string
	}{
		{"GET", "/v1/users/42", 200, "GET id=42 nil", ""},
		{"PUT", "/v1/users/42", 200, "PUT id=42 nil", ""},
		{"HEAD", "/v1/users/42", 200, "", ""},
		{"POST", "/v1/users/42", 405, "Method Not Allowed\n", "GET, HEAD, OPTIONS, PUT"},
		{"OPTIONS", "/v1/users/42", 204, "", ""},
		{"GET", "/v1/users/", 404, "404 page not found\n", ""},
		{"GET", "/v1/tree/a/b", 200, "GET rest...=a/b nil", ""},
		{"GET", "/v1/tree/", 200, "GET  nil", ""},
		{"GET", "/v1/exact/", 200, "GET  nil", ""},
		{"GET", "/v1/exact/more", 404, "404 page not found\n", ""},
		{"GET", "/nobody", 500, "no handler registered for target\n", ""},
		{"GET", "/v1//users/42", 200, "GET id=42 nil", ""}, // by way of a redirection
		{"TRACE", "/params", 200, "TRACE  nil", ""},
	} {
		res, got := s.do(c.method, c.path, "")
		if res.StatusCode != c.status || got != c.want || res.Header.Get("Allow") != c.allow {
			t.Errorf("%s %s: %d %q %q", c.method, c.path, res.StatusCode, got, res.Header.Get("Allow"))
		}
	}
}

func TestMiddlewareOfARouter(t *testing.T) {
	s := serveWith(t, index+`  - {name: limited, kind: http.router, meta: {server: server}, prefix: /limited, middleware: [real_ip, ratelimit, compress],
      options: {ratelimit.requests: "2", ratelimit.burst: 2, ratelimit.key: "ip", compress.level: best}}
  - {name: page, kind: http.endpoint, meta: {router: limited}, method: GET, path: "/page", func: long}
`, fn{"long", "GET", "/long", `http.response():write(http.request():remote_addr() .. ("text "):rep(1000))`})
	for i, want := range []int{200, 200, 429} {
		res, body := s.do("GET", "/limited/page", "", "X-Real-IP", "1.2.3.4", "Accept-Encoding", "gzip")
		if res.StatusCode != want {
			t.Errorf("request %d: %s", i, res.Status)
		}
		switch want {
		case 200:
			if res.Header.Get("Content-Encoding") != "gzip" || res.Header.Get("Vary") != "Accept-Encoding" || len(body) > 1000 {
				t.Error(res.Header, len(body))
			}
		default:
			if res.Header.Get("X-RateLimit-Limit") != "2" || res.Header.Get("X-RateLimit-Window") != "1m" || body != "Rate limit exceeded\n" {
				t.Error(res.Header, body)
			}
		}
	}
	if res, body := s.do("GET", "/limited/page", "", "X-Real-IP", "1.2.3.5"); res.StatusCode != 200 || !strings.HasPrefix(body, "1.2.3.5text ") {
		t.Errorf("another client: %s %.20s", res.Status, body)
	}
	// The middleware of a router sees what is matched, and nothing else.
	if res, _ := s.do("GET", "/limited/none", "", "X-Real-IP", "1.2.3.4"); res.StatusCode != 404 {
		t.Error(res.Status)
	}
}

// Events go out one by one, also where bodies are compressed.
func TestEventsAreNotHeldBack(t *testing.T) {
	s := serveWith(t, index+`  - {name: small, kind: http.router, meta: {server: server}, prefix: /small, middleware: [compress]}
  - {name: events, kind: http.endpoint, meta: {router: small}, method: GET, path: "/events", func: one_by_one}
`, fn{"one_by_one", "GET", "/one", `
		local res, inbox = http.response(), process.inbox()
		process.registry.register("events")
		for i = 1, 3 do
			res:write_event({name = "n", data = i})
			inbox:receive()
		end`})
	for _, path := range []string{"/one", "/small/events"} {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", s.url+path, nil)
		res, err := client.Do(req) // which takes gzip
		if err != nil {
			t.Fatal(err)
		}
		r := bufio.NewReader(res.Body)
		for i := 1; i <= 3; i++ {
			want := fmt.Sprintf("event: n\ndata: %d\n\n", i)
			got := make([]byte, len(want))
			if _, err := io.ReadFull(r, got); err != nil || string(got) != want {
				t.Fatalf("%s: %q, %v", path, got, err)
			}
			if err := s.app.Send("events", "next"); err != nil {
				t.Fatal(err)
			}
		}
		if rest, err := io.ReadAll(r); len(rest) != 0 || err != nil {
			t.Errorf("%s: %q, %v", path, rest, err)
		}
		res.Body.Close()
	}
}

// A header that never ends costs its connection only.
func TestSlowHeader(t *testing.T) {
	s := serveWith(t, strings.Replace(index, "addr: ", "timeouts: {read: 2s}, addr: ", 1))
	conn := s.dial()
	if _, err := io.WriteString(conn, "GET /value HTTP/1.1\r\nHost: x\r\n"); err != nil {
		t.Fatal(err)
	}
	trickle := time.NewTicker(10 * time.Millisecond)
	defer trickle.Stop()
	over := make(chan struct{})
	defer func() { <-over }()
	go func() {
		defer close(over)
		for i := 0; ; i++ {
			if _, err := fmt.Fprintf(conn, "X-%d: x\r\n", i); err != nil {
				return
			}
			<-trickle.C
		}
	}()
	if res, _ := s.do("GET", "/value", ""); res.StatusCode != 200 {
		t.Error(res.Status)
	}
	if answer, err := io.ReadAll(conn); strings.HasPrefix(string(answer), "HTTP/1.1 200") {
		t.Errorf("%q, %v", answer, err)
	}
}
