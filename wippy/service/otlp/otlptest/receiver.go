// SPDX-License-Identifier: Apache-2.0

// Package otlptest is an OpenTelemetry collector for tests: it speaks OTLP over HTTP and gRPC, as collectors do, and
// remembers what it gets. All methods may be called concurrently.
package otlptest

import (
	"compress/gzip"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	collectormetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	protometrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	prototrace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// Span is a span that was received.
type Span struct {
	Name, Kind          string // the kind as "server", "internal", ...
	TraceID, ID, Parent string // hex; no parent is ""
	Status, Message     string // "ok", "error" or ""
	Attributes          map[string]string
	Service, Version    string // who sent it
	Events              int
}

// Metric is a metric that was received last.
type Metric struct {
	Kind   string             // "sum", "gauge" or "histogram"
	Values map[string]float64 // by labels, "a=1,b=2" in order of names; the count of a histogram
}

// limit bounds how long a test waits for something. It is only reached when something is broken.
const limit = 2 * time.Minute

// Receiver is a collector.
type Receiver struct {
	tb       testing.TB
	endpoint string

	mu      sync.Mutex // guards all below
	spans   []Span
	metrics map[string]Metric
	batches int
	changed chan struct{} // closed and replaced when something comes
}

func receiver(tb testing.TB) (*Receiver, net.Listener) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	return &Receiver{tb: tb, endpoint: l.Addr().String(), metrics: map[string]Metric{}, changed: make(chan struct{})}, l
}

// HTTP starts a collector that speaks OTLP over HTTP. It ends with the test.
func HTTP(tb testing.TB) *Receiver {
	tb.Helper()
	r, l := receiver(tb)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/traces", func(w http.ResponseWriter, q *http.Request) {
		var m collectortrace.ExportTraceServiceRequest
		if decode(w, q, &m) {
			r.traces(&m)
			answer(w, &collectortrace.ExportTraceServiceResponse{})
		}
	})
	mux.HandleFunc("POST /v1/metrics", func(w http.ResponseWriter, q *http.Request) {
		var m collectormetrics.ExportMetricsServiceRequest
		if decode(w, q, &m) {
			r.measurements(&m)
			answer(w, &collectormetrics.ExportMetricsServiceResponse{})
		}
	})
	server := &http.Server{Handler: mux}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // until Close
	}()
	tb.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return r
}

func decode(w http.ResponseWriter, q *http.Request, m proto.Message) bool {
	var body io.Reader = q.Body
	if q.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return false
		}
		body = z
	}
	data, err := io.ReadAll(body)
	if err == nil && q.Header.Get("Content-Type") != "application/x-protobuf" {
		err = fmt.Errorf("content type %q", q.Header.Get("Content-Type"))
	}
	if err == nil {
		err = proto.Unmarshal(data, m)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
	return err == nil
}

func answer(w http.ResponseWriter, m proto.Message) {
	w.Header().Set("Content-Type", "application/x-protobuf")
	data, err := proto.Marshal(m)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(data)
}

// GRPC starts a collector that speaks OTLP over gRPC. It ends with the test.
func GRPC(tb testing.TB) *Receiver {
	tb.Helper()
	r, l := receiver(tb)
	server := grpc.NewServer()
	collectortrace.RegisterTraceServiceServer(server, &traceService{r: r})
	collectormetrics.RegisterMetricsServiceServer(server, &metricsService{r: r})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // until Stop
	}()
	tb.Cleanup(func() {
		server.Stop()
		<-done
	})
	return r
}

type traceService struct {
	collectortrace.UnimplementedTraceServiceServer
	r *Receiver
}

// Export takes spans.
func (s *traceService) Export(_ context.Context, m *collectortrace.ExportTraceServiceRequest) (*collectortrace.ExportTraceServiceResponse, error) {
	s.r.traces(m)
	return &collectortrace.ExportTraceServiceResponse{}, nil
}

type metricsService struct {
	collectormetrics.UnimplementedMetricsServiceServer
	r *Receiver
}

// Export takes metrics.
func (s *metricsService) Export(_ context.Context, m *collectormetrics.ExportMetricsServiceRequest) (*collectormetrics.ExportMetricsServiceResponse, error) {
	s.r.measurements(m)
	return &collectormetrics.ExportMetricsServiceResponse{}, nil
}

// Endpoint is where it listens, host:port.
func (r *Receiver) Endpoint() string { return r.endpoint }

func (r *Receiver) update(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
	r.batches++
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *Receiver) traces(m *collectortrace.ExportTraceServiceRequest) {
	r.update(func() {
		for _, resource := range m.ResourceSpans {
			who := attributes(resource.Resource.GetAttributes())
			for _, scope := range resource.ScopeSpans {
				for _, s := range scope.Spans {
					r.spans = append(r.spans, convert(s, who))
				}
			}
		}
	})
}

func convert(s *prototrace.Span, who map[string]string) Span {
	out := Span{
		Name: s.Name, TraceID: hex.EncodeToString(s.TraceId), ID: hex.EncodeToString(s.SpanId), Parent: hex.EncodeToString(s.ParentSpanId),
		Kind:       strings.ToLower(strings.TrimPrefix(s.Kind.String(), "SPAN_KIND_")),
		Attributes: attributes(s.Attributes), Message: s.Status.GetMessage(),
		Service: who["service.name"], Version: who["service.version"], Events: len(s.Events),
	}
	switch s.Status.GetCode() {
	case prototrace.Status_STATUS_CODE_OK:
		out.Status = "ok"
	case prototrace.Status_STATUS_CODE_ERROR:
		out.Status = "error"
	}
	return out
}

func attributes(all []*common.KeyValue) map[string]string {
	out := map[string]string{}
	for _, a := range all {
		switch v := a.Value.GetValue().(type) {
		case *common.AnyValue_StringValue:
			out[a.Key] = v.StringValue
		case *common.AnyValue_IntValue:
			out[a.Key] = fmt.Sprint(v.IntValue)
		case *common.AnyValue_DoubleValue:
			out[a.Key] = fmt.Sprint(v.DoubleValue)
		case *common.AnyValue_BoolValue:
			out[a.Key] = fmt.Sprint(v.BoolValue)
		}
	}
	return out
}

func (r *Receiver) measurements(m *collectormetrics.ExportMetricsServiceRequest) {
	r.update(func() {
		for _, resource := range m.ResourceMetrics {
			for _, scope := range resource.ScopeMetrics {
				for _, metric := range scope.Metrics {
					r.metrics[metric.Name] = measured(metric)
				}
			}
		}
	})
}

func measured(m *protometrics.Metric) Metric {
	out := Metric{Values: map[string]float64{}}
	switch d := m.Data.(type) {
	case *protometrics.Metric_Sum:
		out.Kind = "sum"
		for _, p := range d.Sum.DataPoints {
			out.Values[series(p.Attributes)] = p.GetAsDouble()
		}
	case *protometrics.Metric_Gauge:
		out.Kind = "gauge"
		for _, p := range d.Gauge.DataPoints {
			out.Values[series(p.Attributes)] = p.GetAsDouble()
		}
	case *protometrics.Metric_Histogram:
		out.Kind = "histogram"
		for _, p := range d.Histogram.DataPoints {
			out.Values[series(p.Attributes)] = float64(p.Count)
		}
	}
	return out
}

func series(labels []*common.KeyValue) string {
	parts := make([]string, len(labels))
	for i, l := range labels {
		parts[i] = l.Key + "=" + l.Value.GetStringValue()
	}
	return strings.Join(parts, ",")
}

// Wait waits until ok holds, and fails the test when it does not in good time. ok is called with what has come so
// far.
func (r *Receiver) Wait(what string, ok func(spans []Span, metrics map[string]Metric) bool) {
	r.tb.Helper()
	timeout := time.NewTimer(limit)
	defer timeout.Stop()
	for {
		r.mu.Lock()
		good, changed := ok(r.spans, r.metrics), r.changed
		r.mu.Unlock()
		if good {
			return
		}
		select {
		case <-changed:
		case <-timeout.C:
			r.tb.Fatalf("%s did not come; there are %v, %v", what, r.Spans(), r.metrics)
		}
	}
}

// Span waits for a span of that name.
func (r *Receiver) Span(name string) Span {
	r.tb.Helper()
	var found Span
	r.Wait("span "+name, func(spans []Span, _ map[string]Metric) bool {
		for _, s := range spans {
			if s.Name == name {
				found = s
				return true
			}
		}
		return false
	})
	return found
}

// Spans are all spans so far.
func (r *Receiver) Spans() []Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Span(nil), r.spans...)
}

// Batches counts what has come.
func (r *Receiver) Batches() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.batches
}
