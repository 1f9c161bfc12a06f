// SPDX-License-Identifier: Apache-2.0

package http

import (
	"net/http"
	"strconv"
	"time"

	"github.com/wippyrun/kit/wippy/system/metrics"
)

// The metrics of requests.
const (
	requestsName = "wippy_http_requests_total"
	durationName = "wippy_http_request_duration_seconds"
	inFlightName = "wippy_http_requests_in_flight"
)

// newMetrics makes the middleware that counts requests. Their route is the id of their endpoint; in front
// of the match there is none yet.
func newMetrics(m *metrics.Metrics) func(settings) (middleware, error) {
	return func(settings) (middleware, error) {
		m.Describe(requestsName, "Requests that were answered.")
		m.Describe(durationName, "How long requests took, in seconds.")
		m.Describe(inFlightName, "Requests that are being answered.")
		return func(next http.Handler) http.Handler {
			if m == nil {
				return next
			}
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				labels := []metrics.Label{{Name: "method", Value: methodLabel(r.Method)}, {Name: "route", Value: routeLabel(r)}}
				inFlight := m.Gauge(inFlightName, labels...)
				inFlight.Add(1)
				begin := time.Now()
				s := &statusWriter{ResponseWriter: w}
				defer func() {
					v := recover()
					inFlight.Add(-1)
					labels = append(labels, metrics.Label{Name: "status", Value: strconv.Itoa(s.outcome(v != nil))})
					m.Histogram(durationName, labels...).Since(begin)
					m.Counter(requestsName, labels...).Add(1)
					if v != nil {
						panic(v)
					}
				}()
				next.ServeHTTP(s, r)
			})
		}, nil
	}
}

// unmatched is the route of requests that have none yet.
const unmatched = "unmatched"

func routeLabel(r *http.Request) string {
	if route := routeOf(r); route != nil {
		return route.Endpoint
	}
	return unmatched
}

// methodLabel keeps clients from making series: what is no method of HTTP is "other".
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return method
	}
	return "other"
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int // 0 while the header block is not out
}

// outcome is the status that counts: a handler that panicked before it answered has failed.
func (s *statusWriter) outcome(panicked bool) int {
	switch {
	case s.status != 0:
		return s.status
	case panicked:
		return http.StatusInternalServerError
	}
	return http.StatusOK // what net/http answers when nobody has
}

// WriteHeader implements http.ResponseWriter.
func (s *statusWriter) WriteHeader(status int) {
	if s.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		s.status = status
	}
	s.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (s *statusWriter) Write(p []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	return s.ResponseWriter.Write(p)
}

// Unwrap gives http.ResponseController what is below.
func (s *statusWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }
