// SPDX-License-Identifier: Apache-2.0

package http

import (
	"container/list"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// buckets are token buckets by key, the one used last first. Those that were not used for
// a while go, and the oldest when there are too many: a flood of keys costs a bounded
// amount of memory.
type buckets struct {
	rate  float64 // tokens per second
	burst float64
	ttl   time.Duration
	most  int
	now   func() time.Time

	mu    sync.Mutex // guards all below
	byKey map[string]*list.Element
	order *list.List // of *bucket
}

type bucket struct {
	key    string
	tokens float64
	used   time.Time
}

func newBuckets() (map[string]*list.Element, *list.List) {
	return map[string]*list.Element{}, list.New()
}

// take takes a token and reports whether there was one.
func (b *buckets) take(key string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	for last := b.order.Back(); last != nil; last = b.order.Back() {
		old := last.Value.(*bucket)
		if now.Sub(old.used) < b.ttl && b.order.Len() <= b.most {
			break
		}
		b.order.Remove(last)
		delete(b.byKey, old.key)
	}
	e := b.byKey[key]
	if e == nil {
		e = b.order.PushFront(&bucket{key: key, tokens: b.burst, used: now})
		b.byKey[key] = e
	} else {
		b.order.MoveToFront(e)
	}
	t := e.Value.(*bucket)
	t.tokens = min(b.burst, t.tokens+b.rate*now.Sub(t.used).Seconds())
	t.used = now
	if t.tokens < 1 {
		return false
	}
	t.tokens--
	return true
}

// duration reads "<integer>s|m|h"; anything else is the default.
func duration(text string, def time.Duration) time.Duration {
	units := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}
	if text == "" {
		return def
	}
	n, err := strconv.Atoi(text[:len(text)-1])
	unit := units[text[len(text)-1:]]
	if err != nil || unit == 0 || n <= 0 {
		return def
	}
	return time.Duration(n) * unit
}

// newRateLimit refuses requests of who sends too many.
func newRateLimit(s settings) (middleware, error) { return rateLimit(s, time.Now) }

func rateLimit(s settings, now func() time.Time) (middleware, error) {
	number := func(name string, def int) (int, error) {
		n, err := strconv.Atoi(s.get(name, "", strconv.Itoa(def)))
		if err != nil || n <= 0 {
			return 0, fault.New(fault.Invalid, name+" must be a number above 0")
		}
		return n, nil
	}
	requests, err := number("ratelimit.requests", 100)
	if err != nil {
		return nil, err
	}
	burst, err := number("ratelimit.burst", 20)
	if err != nil {
		return nil, err
	}
	most, err := number("ratelimit.max_entries", 100_000)
	if err != nil {
		return nil, err
	}
	windowText := s.get("ratelimit.window", "", "1m")
	window := duration(windowText, 0)
	if window == 0 {
		windowText, window = "1m", time.Minute // clients hear what counts
	}
	key, err := rateKey(s.get("ratelimit.key", "", "ip"))
	if err != nil {
		return nil, err
	}
	b := &buckets{rate: float64(requests) / window.Seconds(), burst: float64(burst), most: most, now: now,
		ttl: duration(s.get("ratelimit.entry_ttl", "", "10m"), 10*time.Minute)}
	// Who is forgotten begins anew, with all tokens: not before they would all be there anyway.
	b.ttl = max(b.ttl, time.Duration(b.burst/b.rate*float64(time.Second)))
	b.byKey, b.order = newBuckets()
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			k := key(r)
			if k == "" {
				http.Error(w, "Rate limit key extraction failed", http.StatusBadRequest)
				return
			}
			if !b.take(k) {
				w.Header().Set("X-RateLimit-Limit", strconv.Itoa(requests))
				w.Header().Set("X-RateLimit-Window", windowText)
				http.Error(w, "Rate limit exceeded", http.StatusTooManyRequests)
				return
			}
			next.ServeHTTP(w, r)
		})
	}, nil
}

// rateKey says what tells clients apart.
func rateKey(text string) (func(*http.Request) string, error) {
	kind, name, _ := strings.Cut(text, ":")
	switch {
	case text == "ip":
		return func(r *http.Request) string {
			if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
				return host
			}
			return r.RemoteAddr
		}, nil
	case kind == "header" && name != "":
		return func(r *http.Request) string { return r.Header.Get(name) }, nil
	case kind == "query" && name != "":
		return func(r *http.Request) string { return r.URL.Query().Get(name) }, nil
	}
	return nil, fault.New(fault.Invalid, "ratelimit.key: "+text+" is not ip, header:NAME or query:NAME")
}
