// SPDX-License-Identifier: Apache-2.0

package http

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// answered lists the headers of an answer that begin with a prefix, or are Vary.
func answered(h http.Header, prefix string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if rest, ok := strings.CutPrefix(name, prefix); ok || name == "Vary" {
			all = append(all, rest+"="+strings.Join(h[name], ","))
		}
	}
	return strings.Join(all, "; ")
}

func TestCORSOptions(t *testing.T) {
	const origin = "https://app.example.com"
	const preflightVary = "Vary=Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
	for _, c := range []struct {
		name      string
		options   settings
		origin    string
		preflight bool
		want      string
	}{
		{"defaults", nil, origin, true, "Allow-Headers=Origin,Content-Type,Accept,Authorization,X-Requested-With; Allow-Methods=GET,POST,PUT,DELETE,OPTIONS,PATCH; " +
			"Allow-Origin=" + origin + "; Max-Age=86400; " + preflightVary},
		{"defaults, request", nil, origin, false, "Allow-Origin=" + origin + "; Vary=Origin"},
		{"no origin", nil, "", false, ""},
		{"other origin", settings{"cors.allow.origins": "https://a.example, https://b.example"}, origin, false, ""},
		{"other origin, preflight", settings{"cors.allow.origins": "https://a.example"}, origin, true, ""},
		{"one of two", settings{"cors.allow.origins": "https://a.example, " + origin}, origin, false, "Allow-Origin=" + origin + "; Vary=Origin"},
		{"suffix", settings{"cors.allow.origins": "*.example.com"}, origin, false, "Allow-Origin=" + origin + "; Vary=Origin"},
		{"suffix alone", settings{"cors.allow.origins": "*.example.com"}, "https://example.com", false, ""},
		{"nothing before the suffix", settings{"cors.allow.origins": "*.example.com"}, "https://.example.com", false, ""},
		{"localhost", settings{"cors.allow.origins": "localhost"}, "http://localhost:5173", false, "Allow-Origin=http://localhost:5173; Vary=Origin"},
		{"no localhost", settings{"cors.allow.origins": "localhost"}, "http://localhost.example", false, ""},
		{"everything", settings{"cors.allow.methods": "GET", "cors.allow.headers": "X-A", "cors.expose.headers": "X-B", "cors.allow.credentials": "true",
			"cors.max.age": "5", "cors.allow.private.network": "true"}, origin, true,
			"Allow-Credentials=true; Allow-Headers=X-A; Allow-Methods=GET; Allow-Origin=" + origin + "; Allow-Private-Network=true; Max-Age=5; " + preflightVary},
		{"everything, request, older names", settings{"allow_origins": origin, "allow_methods": "GET", "allow_headers": "X-A", "expose_headers": "X-B",
			"allow_credentials": "true", "max_age": "5", "allow_private_network": "true"}, origin, false,
			"Allow-Credentials=true; Allow-Origin=" + origin + "; Allow-Private-Network=true; Expose-Headers=X-B; Vary=Origin"},
		{"older names, preflight", settings{"allow_methods": "GET", "allow_headers": "X-A", "max_age": "5"}, origin, true,
			"Allow-Headers=X-A; Allow-Methods=GET; Allow-Origin=" + origin + "; Max-Age=5; " + preflightVary},
		{"newer before older", settings{"cors.allow.origins": "https://a.example", "allow_origins": "*"}, origin, false, ""},
	} {
		m, err := newCORS(c.options)
		if err != nil {
			t.Fatal(err)
		}
		w := serve(m(body("next")), func(r *http.Request) {
			if c.origin != "" {
				r.Header.Set("Origin", c.origin)
			}
			if c.preflight {
				r.Method = http.MethodOptions
				r.Header.Set("Access-Control-Request-Method", "POST")
			}
		})
		if got := answered(w.Header(), "Access-Control-"); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
		if ends := c.preflight && c.want != ""; ends != (w.Code == http.StatusNoContent) || ends == (w.Body.String() == "next") {
			t.Errorf("%s: %d %q", c.name, w.Code, w.Body)
		}
	}
	// OPTIONS without a question is an ordinary request.
	m, _ := newCORS(nil)
	if w := serve(m(body("next")), func(r *http.Request) { r.Method = http.MethodOptions; r.Header.Set("Origin", origin) }); w.Code != 200 || w.Body.String() != "next" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

func TestRateLimitOptions(t *testing.T) {
	now := time.Unix(0, 0)
	ip := func(addr string) func(*http.Request) { return func(r *http.Request) { r.RemoteAddr = addr } }
	// step is a request at some time after the last one.
	type step struct {
		after  time.Duration
		change func(*http.Request)
		want   int
	}
	for _, c := range []struct {
		name    string
		options settings
		steps   []step
		headers string // of the refusal
	}{
		{"window of seconds", settings{"ratelimit.requests": "2", "ratelimit.window": "10s", "ratelimit.burst": "1"},
			[]step{{0, nil, 200}, {4 * time.Second, nil, 429}, {time.Second, nil, 200}, {0, nil, 429}}, "Limit=2; Window=10s"},
		{"window of hours", settings{"ratelimit.requests": "1", "ratelimit.window": "1h", "ratelimit.burst": "1"},
			[]step{{0, nil, 200}, {59 * time.Minute, nil, 429}, {time.Minute, nil, 200}, {0, nil, 429}}, "Limit=1; Window=1h"},
		{"a window that is none", settings{"ratelimit.requests": "1", "ratelimit.window": "1.5m", "ratelimit.burst": "1"},
			[]step{{0, nil, 200}, {0, nil, 429}, {time.Minute, nil, 200}, {0, nil, 429}}, "Limit=1; Window=1m"},
		{"by address, not by port", settings{"ratelimit.burst": "1"},
			[]step{{0, ip("1.2.3.4:1"), 200}, {0, ip("1.2.3.4:2"), 429}, {0, ip("[::1]:1"), 200}, {0, ip("1.2.3.4"), 429}}, "Limit=100; Window=1m"},
		{"by a parameter", settings{"ratelimit.burst": "1", "ratelimit.key": "query:k"}, []step{
			{0, func(r *http.Request) { r.URL.RawQuery = "k=a" }, 200}, {0, func(r *http.Request) { r.URL.RawQuery = "k=b" }, 200},
			{0, nil, 400}, {0, func(r *http.Request) { r.URL.RawQuery = "k=a" }, 429}}, "Limit=100; Window=1m"},
		{"forgetting a key gives no tokens", settings{"ratelimit.requests": "1", "ratelimit.window": "100h", "ratelimit.burst": "1", "ratelimit.entry_ttl": "1m", "ratelimit.cleanup_interval": "1s"},
			[]step{{0, nil, 200}, {99 * time.Hour, nil, 429}, {time.Hour, nil, 200}}, "Limit=1; Window=100h"},
		{"the oldest key goes", settings{"ratelimit.burst": "1", "ratelimit.max_entries": "1"},
			[]step{{0, ip("1.1.1.1:1"), 200}, {0, ip("2.2.2.2:1"), 200}, {0, ip("3.3.3.3:1"), 200}, {0, ip("1.1.1.1:1"), 200}, {0, ip("1.1.1.1:1"), 429}}, "Limit=100; Window=1m"},
	} {
		m, err := rateLimit(c.options, func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		h := m(body("next"))
		for i, s := range c.steps {
			now = now.Add(s.after)
			w := serve(h, s.change)
			if w.Code != s.want {
				t.Errorf("%s, request %d: %d, want %d", c.name, i, w.Code, s.want)
			}
			if got := answered(w.Header(), "X-Ratelimit-"); w.Code == 429 && (got != c.headers || w.Body.String() != "Rate limit exceeded\n") {
				t.Errorf("%s, request %d: %s %q", c.name, i, got, w.Body)
			}
			if w.Code == 400 && w.Body.String() != "Rate limit key extraction failed\n" {
				t.Errorf("%s, request %d: %q", c.name, i, w.Body)
			}
		}
	}
	// A key that was not used for a while goes.
	b := &buckets{rate: 1, burst: 1, ttl: time.Minute, most: 100, now: func() time.Time { return now }}
	b.byKey, b.order = newBuckets()
	for _, key := range []string{"a", "b", "c"} {
		b.take(key)
		now = now.Add(40 * time.Second)
	}
	if _, kept := b.byKey["a"]; kept || len(b.byKey) != 2 {
		t.Errorf("kept %v", b.byKey)
	}
	// The default is 20 at once.
	m, _ := rateLimit(nil, func() time.Time { return now })
	h, n := m(body("next")), 0
	for serve(h, nil).Code == 200 {
		n++
	}
	if n != 20 {
		t.Errorf("%d requests at once", n)
	}
}

func TestRealIPOptions(t *testing.T) {
	for _, c := range []struct {
		options settings
		peer    string
		header  [3]string // True-Client-IP, X-Real-IP, X-Forwarded-For
		want    string
	}{
		{nil, "127.0.0.1:1", [3]string{"1.1.1.1", "2.2.2.2", "3.3.3.3"}, "1.1.1.1"},
		{nil, "127.0.0.1:1", [3]string{"", "2.2.2.2", "3.3.3.3"}, "2.2.2.2"},
		{nil, "127.0.0.1:1", [3]string{"x", "", " 3.3.3.3 , 4.4.4.4"}, "3.3.3.3"},
		{nil, "127.0.0.1:1", [3]string{"", "", "x, 4.4.4.4"}, "127.0.0.1:1"},
		{nil, "172.16.0.1:1", [3]string{"1.1.1.1"}, "1.1.1.1"},
		{nil, "192.168.1.1:1", [3]string{"1.1.1.1"}, "1.1.1.1"},
		{nil, "169.254.1.1:1", [3]string{"1.1.1.1"}, "1.1.1.1"},
		{nil, "100.64.0.1:1", [3]string{"1.1.1.1"}, "1.1.1.1"},
		{nil, "[::1]:1", [3]string{"2001:db8::1"}, "2001:db8::1"},
		{nil, "[fd00::1]:1", [3]string{"1.1.1.1"}, "1.1.1.1"},
		{nil, "[fe80::1%eth0]:1", [3]string{"1.1.1.1"}, "1.1.1.1"},
		{nil, "[::ffff:10.0.0.1]:1", [3]string{"1.1.1.1"}, "1.1.1.1"},
		{nil, "172.32.0.1:1", [3]string{"1.1.1.1"}, "172.32.0.1:1"},
		{nil, "nonsense", [3]string{"1.1.1.1"}, "nonsense"},
		{settings{"real_ip.trusted.subnets": "8.8.8.0/24"}, "8.8.8.8:1", [3]string{"1.1.1.1"}, "1.1.1.1"},
		{settings{"real_ip.trusted.subnets": "8.8.8.0/24"}, "127.0.0.1:1", [3]string{"1.1.1.1"}, "127.0.0.1:1"},
		{settings{"trusted_subnets": "8.8.8.0/24"}, "8.8.8.8:1", [3]string{"1.1.1.1"}, "1.1.1.1"},
		{settings{"real_ip.trust_all": "true"}, "9.9.9.9:1", [3]string{"1.1.1.1"}, "1.1.1.1"},
	} {
		m, err := newRealIP(c.options)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		serve(m(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.RemoteAddr })), func(r *http.Request) {
			r.RemoteAddr = c.peer
			for i, name := range []string{"True-Client-IP", "X-Real-IP", "X-Forwarded-For"} {
				if c.header[i] != "" {
					r.Header.Set(name, c.header[i])
				}
			}
		})
		if got != c.want {
			t.Errorf("%v: %s", c, got)
		}
	}
}

func TestCompressOptions(t *testing.T) {
	long := strings.Repeat("text ", 400) // 2000 bytes
	for name, c := range map[string]struct {
		options settings
		accept  string
		header  map[string]string // that the handler sets
		body    string
		want    string
	}{
		"defaults":                {nil, "gzip", nil, long, "gzip"},
		"fastest":                 {settings{"compress.level": "fastest"}, "gzip", nil, long, "gzip"},
		"best":                    {settings{"compress.level": "best"}, "br, gzip;q=0.5", nil, long, "gzip"},
		"the client does not":     {nil, "", nil, long, ""},
		"the client does no gzip": {nil, "br", nil, long, ""},
		"the client refuses":      {nil, "gzip;q=0", nil, long, ""},
		"below 1024":              {nil, "gzip", nil, long[:1023], ""},
		"1024":                    {nil, "gzip", nil, long[:1024], "gzip"},
		"a lower minimum":         {settings{"compress.min.length": "10"}, "gzip", nil, long[:20], "gzip"},
		"a higher minimum":        {settings{"compress.min.length": "3000"}, "gzip", nil, long, ""},
		"JSON":                    {nil, "gzip", map[string]string{"Content-Type": "application/json"}, long, "gzip"},
		"an image":                {nil, "gzip", map[string]string{"Content-Type": "image/png"}, long, ""},
		"a drawing":               {nil, "gzip", map[string]string{"Content-Type": "image/svg+xml"}, long, "gzip"},
		"a font":                  {nil, "gzip", map[string]string{"Content-Type": "font/woff2"}, long, ""},
		"a film":                  {nil, "gzip", map[string]string{"Content-Type": "video/mp4"}, long, ""},
		"an archive":              {nil, "gzip", map[string]string{"Content-Type": "application/zip"}, long, ""},
		"encoded already":         {nil, "gzip", map[string]string{"Content-Encoding": "br"}, long, "br"},
	} {
		m, err := newCompress(c.options)
		if err != nil {
			t.Fatal(err)
		}
		w := serve(m(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for name, value := range c.header {
				w.Header().Set(name, value)
			}
			w.Header().Set("Content-Length", strconv.Itoa(len(c.body)))
			_, _ = w.Write([]byte(c.body))
		})), func(r *http.Request) { r.Header.Set("Accept-Encoding", c.accept) })
		if got := w.Header().Get("Content-Encoding"); got != c.want {
			t.Errorf("%s: encoding %q, want %q", name, got, c.want)
		}
		if w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: Vary %q", name, w.Header().Get("Vary"))
		}
		if gone := w.Header().Get("Content-Length") == ""; gone != (c.want == "gzip") {
			t.Errorf("%s: Content-Length %q", name, w.Header().Get("Content-Length"))
		}
	}
	if _, err := newCompress(settings{"compress.min.length": "-1"}); err == nil {
		t.Error("a negative length was taken")
	}
}
