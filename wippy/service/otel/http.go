// SPDX-License-Identifier: Apache-2.0

package otel

import (
	"net/http"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/wippyrun/kit/appctx"
	serving "github.com/wippyrun/kit/wippy/service/http"
)

// unmatched is the route of requests in front of the match.
const unmatched = "unmatched"

// Middleware makes a span of every request. It continues the trace that the headers of the request name,
// and names its own in those of the answer. Without tracing, and on a nil Tracing, requests pass.
func (t *Tracing) Middleware(map[string]string) (func(http.Handler) http.Handler, error) {
	return func(next http.Handler) http.Handler {
		if t == nil || !t.config.HTTP {
			return next
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { t.serve(next, w, r) })
	}, nil
}

func (t *Tracing) serve(next http.Handler, w http.ResponseWriter, r *http.Request) {
	parent := traceOf(appctx.FrameFrom(r.Context()))
	if t.config.ExtractHeaders && !parent.Span.IsValid() {
		parent = t.extract(propagation.HeaderCarrier(r.Header))
	}
	route := unmatched
	attributes := []attribute.KeyValue{attribute.String("http.method", r.Method), attribute.String("http.url", text(r.URL.String())), attribute.String("http.host", text(r.Host))}
	if matched := serving.RouteOf(r); matched != nil {
		route = matched.Endpoint
		if _, path, ok := strings.Cut(r.Pattern, " "); ok {
			attributes = append(attributes, attribute.String("url.template", path))
		}
	}
	span, inside := t.start(parent, r.Method+" "+route, trace.SpanKindServer, append(attributes, attribute.String("http.route", route))...)
	if t.config.InjectHeaders {
		t.inject(inside, propagation.HeaderCarrier(w.Header()))
	}
	if frame, err := within(appctx.FrameFrom(r.Context()), inside); err == nil {
		defer func() { _ = frame.Release() }() // it holds nothing but what the request has
		r = r.WithContext(appctx.WithFrame(r.Context(), frame))
	}
	s := &status{ResponseWriter: w}
	defer func() {
		v := recover()
		if v != nil && s.code == 0 {
			s.code = http.StatusInternalServerError
		}
		if s.code == 0 {
			s.code = http.StatusOK
		}
		span.SetAttributes(attribute.Int("http.status_code", s.code))
		switch {
		case v != nil:
			span.SetStatus(codes.Error, "the answer was cut off")
		case s.code >= http.StatusInternalServerError:
			span.SetStatus(codes.Error, "status "+strconv.Itoa(s.code))
		}
		span.End()
		if v != nil {
			panic(v)
		}
	}()
	next.ServeHTTP(s, r)
}

// Outgoing writes the trace that an execution belongs to into the headers of a request to somebody else. f may be nil,
// and so may t: then there is none.
func (t *Tracing) Outgoing(f *appctx.Frame, headers http.Header) {
	if t == nil || f == nil || !t.config.HTTP || !t.config.InjectHeaders {
		return
	}
	if current := traceOf(f); current.Span.IsValid() {
		t.inject(current, propagation.HeaderCarrier(headers))
	}
}

// text is what a client wrote, as text that can be sent.
func text(s string) string {
	const most = 4096
	return strings.ToValidUTF8(s[:min(len(s), most)], "\uFFFD")
}

// status remembers the status of an answer.
type status struct {
	http.ResponseWriter
	code int // 0 while the header block is not out
}

// WriteHeader implements http.ResponseWriter.
func (s *status) WriteHeader(code int) {
	if s.code == 0 && (code >= 200 || code == http.StatusSwitchingProtocols) {
		s.code = code
	}
	s.ResponseWriter.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (s *status) Write(p []byte) (int, error) {
	if s.code == 0 {
		s.code = http.StatusOK
	}
	return s.ResponseWriter.Write(p)
}

// Unwrap gives http.ResponseController what is below.
func (s *status) Unwrap() http.ResponseWriter { return s.ResponseWriter }
