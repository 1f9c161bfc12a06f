// SPDX-License-Identifier: Apache-2.0

package http

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wippyrun/kit/wippy/system/exchange"
	"github.com/wippyrun/kit/wippy/system/metrics"
)

// counted shows the requests of m.
func counted(m *metrics.Metrics) string {
	var b strings.Builder
	for _, f := range m.Gather() {
		if !strings.HasPrefix(f.Name, "wippy_http_") {
			continue
		}
		for _, p := range f.Points {
			n := p.Value
			if p.Counts != nil {
				n = 0
				for _, c := range p.Counts {
					n += float64(c)
				}
			}
			fmt.Fprintln(&b, f.Name, p.Labels, n)
		}
	}
	return b.String()
}

func TestRequestsAreCounted(t *testing.T) {
	m := metrics.New()
	count, err := newMetrics(m)(settings{})
	if err != nil {
		t.Fatal(err)
	}
	route := &exchange.Route{Endpoint: "app:users"}
	for _, c := range []struct {
		method string
		route  *exchange.Route
		answer http.HandlerFunc
	}{
		{"GET", route, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404); w.WriteHeader(500) }},
		{"GET", route, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(nil) }},
		{"GET", route, func(http.ResponseWriter, *http.Request) {}},
		{"GET", route, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(103); w.WriteHeader(201) }},
		{"GET", nil, func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }},
		{"GET", nil, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(202); panic("boom") }},
	} {
		func() {
			defer func() { _ = recover() }()
			serve(count(c.answer), func(r *http.Request) {
				r.Method = c.method
				if c.route != nil {
					*r = *r.WithContext(contextWith(r.Context(), c.route))
				}
			})
		}()
	}
	for i := range 100 {
		serve(count(http.HandlerFunc(noContent)), func(r *http.Request) { r.Method = fmt.Sprintf("M%d", i) })
	}
	if got, want := counted(m), `wippy_http_request_duration_seconds [{method GET} {route app:users} {status 200}] 2
wippy_http_request_duration_seconds [{method GET} {route app:users} {status 201}] 1
wippy_http_request_duration_seconds [{method GET} {route app:users} {status 404}] 1
wippy_http_request_duration_seconds [{method GET} {route unmatched} {status 202}] 1
wippy_http_request_duration_seconds [{method GET} {route unmatched} {status 500}] 1
wippy_http_request_duration_seconds [{method other} {route unmatched} {status 204}] 100
wippy_http_requests_in_flight [{method GET} {route app:users}] 0
wippy_http_requests_in_flight [{method GET} {route unmatched}] 0
wippy_http_requests_in_flight [{method other} {route unmatched}] 0
wippy_http_requests_total [{method GET} {route app:users} {status 200}] 2
wippy_http_requests_total [{method GET} {route app:users} {status 201}] 1
wippy_http_requests_total [{method GET} {route app:users} {status 404}] 1
wippy_http_requests_total [{method GET} {route unmatched} {status 202}] 1
wippy_http_requests_total [{method GET} {route unmatched} {status 500}] 1
wippy_http_requests_total [{method other} {route unmatched} {status 204}] 100
`; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestRequestsAreCountedWhileTheyAreAnswered(t *testing.T) {
	m := metrics.New()
	count, _ := newMetrics(m)(settings{})
	inFlight := 0.0
	serve(count(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inFlight = m.Gauge(inFlightName, metrics.Label{Name: "method", Value: "GET"}, metrics.Label{Name: "route", Value: unmatched}).Value()
		if err := http.NewResponseController(w).Flush(); err != nil { // what is below stays within reach
			t.Error(err)
		}
	})), nil)
	if inFlight != 1 {
		t.Errorf("%v in flight", inFlight)
	}
}

func TestWithoutMetricsNothingIsPutInFront(t *testing.T) {
	count, err := newMetrics(nil)(settings{})
	if err != nil {
		t.Fatal(err)
	}
	if w := serve(count(body("ok")), nil); w.Body.String() != "ok" {
		t.Error(w.Body)
	}
}

func TestMiddlewareOfOthers(t *testing.T) {
	l := NewListener(Deps{Middleware: map[string]Middleware{
		"mark": func(o map[string]string) (func(http.Handler) http.Handler, error) {
			if o["mark.bad"] != "" {
				return nil, errors.New("bad mark")
			}
			return func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("X-Mark", o["mark.text"]+fmt.Sprint(RouteOf(r) != nil))
					next.ServeHTTP(w, r)
				})
			}, nil
		},
	}})
	c, err := l.newChain([]string{"metrics", "mark"}, map[string]string{"mark.text": "x"})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/", nil)
	c.wrap(body("ok")).ServeHTTP(w, r.WithContext(contextWith(context.Background(), &exchange.Route{})))
	if w.Header().Get("X-Mark") != "xtrue" {
		t.Error(w.Header())
	}
	if _, err := l.newChain([]string{"mark"}, map[string]string{"mark.bad": "x"}); err == nil {
		t.Error("no error")
	}
}
