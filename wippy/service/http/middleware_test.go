// SPDX-License-Identifier: Apache-2.0

package http

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func serve(h http.Handler, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", "/", nil)
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func body(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) })
}

func TestRateLimit(t *testing.T) {
	now := time.Unix(0, 0)
	m, err := rateLimit(settings{"ratelimit.requests": "60", "ratelimit.burst": "2", "ratelimit.key": "header:X-Key"}, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	h := m(body("ok"))
	ask := func(key string) int {
		return serve(h, func(r *http.Request) { r.Header.Set("X-Key", key) }).Code
	}
	for i, want := range []int{200, 200, 429, 429} {
		if got := ask("a"); got != want {
			t.Errorf("request %d: %d, want %d", i, got, want)
		}
	}
	if got := ask("b"); got != 200 {
		t.Error("another client:", got)
	}
	now = now.Add(time.Second) // one token
	if a, b := ask("a"), ask("a"); a != 200 || b != 429 {
		t.Error("after a second:", a, b)
	}
	if w := serve(h, nil); w.Code != 400 {
		t.Error("no key:", w.Code)
	}
	for _, bad := range []settings{{"ratelimit.requests": "none"}, {"ratelimit.key": "cookie"}, {"ratelimit.burst": "0"}} {
		if _, err := newRateLimit(bad); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
}

// A flood of keys must not fill the memory.
func TestAttackManyRateLimitKeys(t *testing.T) {
	b := &buckets{rate: 1, burst: 1, ttl: time.Hour, most: 100, now: time.Now}
	b.byKey, b.order = newBuckets()
	for i := range 10_000 {
		b.take(fmt.Sprint(i))
	}
	if len(b.byKey) > 101 || b.order.Len() != len(b.byKey) {
		t.Errorf("%d buckets, %d in order", len(b.byKey), b.order.Len())
	}
}

func TestCompress(t *testing.T) {
	m, err := newCompress(settings{})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{strings.Repeat("text ", 1000): "gzip", "short": ""} {
		w := serve(m(body(text)), func(r *http.Request) { r.Header.Set("Accept-Encoding", "gzip") })
		if got := w.Header().Get("Content-Encoding"); got != want {
			t.Errorf("%d bytes: encoding %q, want %q", len(text), got, want)
		}
	}
	if _, err := newCompress(settings{"compress.level": "most"}); err == nil {
		t.Error("a wrong level was taken")
	}
}

func TestRealIP(t *testing.T) {
	for _, c := range []struct{ peer, header, value, want string }{
		{"10.0.0.1:5", "X-Forwarded-For", "1.2.3.4, 10.0.0.9", "1.2.3.4"},
		{"10.0.0.1:5", "X-Real-IP", "nonsense", "10.0.0.1:5"},
		{"8.8.8.8:5", "X-Real-IP", "1.2.3.4", "8.8.8.8:5"},
	} {
		m, err := newRealIP(settings{})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		serve(m(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.RemoteAddr })), func(r *http.Request) {
			r.RemoteAddr = c.peer
			r.Header.Set(c.header, c.value)
		})
		if got != c.want {
			t.Errorf("%v: %s", c, got)
		}
	}
	if _, err := newRealIP(settings{"real_ip.trusted.subnets": "here"}); err == nil {
		t.Error("a wrong subnet was taken")
	}
}

func TestUnknownMiddleware(t *testing.T) {
	if _, err := new(Listener).newChain([]string{"crs"}, nil); err == nil || !strings.Contains(err.Error(), "middleware not found: crs") {
		t.Error(err)
	}
}
