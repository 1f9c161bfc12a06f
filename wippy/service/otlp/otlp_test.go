// SPDX-License-Identifier: Apache-2.0

package otlp_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/wippyrun/kit/wippy/service/otlp"
	"github.com/wippyrun/kit/wippy/service/otlp/otlptest"
)

// collectors are those of both protocols.
var collectors = map[string]func(testing.TB) *otlptest.Receiver{
	"http/protobuf": otlptest.HTTP,
	"http":          otlptest.HTTP,
	"grpc":          otlptest.GRPC,
}

func start(t *testing.T, c otlp.Config) *otlp.Telemetry {
	t.Helper()
	telemetry, err := otlp.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return telemetry
}

func TestSpansArrive(t *testing.T) {
	for protocol, collector := range collectors {
		t.Run(protocol, func(t *testing.T) {
			r := collector(t)
			telemetry := start(t, otlp.Config{
				Endpoint: "http://" + r.Endpoint() + "/", Protocol: protocol, Insecure: true, ServiceName: "shop", ServiceVersion: "1.2",
				SampleRate: 1, Traces: true, TraceInterval: 10 * time.Millisecond,
			})
			tracer := telemetry.Tracers().Tracer("test")
			ctx, parent := tracer.Start(t.Context(), "parent", trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attribute.Int("n", 7)))
			_, child := tracer.Start(ctx, "child")
			child.RecordError(errors.New("boom"))
			child.SetStatus(codes.Error, "boom")
			child.End()
			parent.End()
			got, inner := r.Span("parent"), r.Span("child") // without a stop: they are sent by themselves
			if got.Kind != "server" || got.Attributes["n"] != "7" || got.Service != "shop" || got.Version != "1.2" || got.Parent != "" {
				t.Errorf("%+v", got)
			}
			if inner.Parent != got.ID || inner.TraceID != got.TraceID || inner.Status != "error" || inner.Message != "boom" || inner.Events != 1 {
				t.Errorf("%+v", inner)
			}
			if err := telemetry.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestMetricsArrive(t *testing.T) {
	for protocol, collector := range collectors {
		t.Run(protocol, func(t *testing.T) {
			r := collector(t)
			var reads atomic.Int64
			telemetry := start(t, otlp.Config{
				Endpoint: r.Endpoint(), Protocol: protocol, Insecure: true, SampleRate: 1, MetricInterval: 10 * time.Millisecond,
				Metrics: func() []otlp.Metric {
					n := float64(reads.Add(1))
					return []otlp.Metric{
						{Name: "hits", Kind: otlp.Counter, Points: []otlp.Point{{Labels: map[string]string{"b": "2", "a": "1"}, Value: n}, {Value: 5}}},
						{Name: "level", Help: "How high.", Kind: otlp.Gauge, Points: []otlp.Point{{Value: -1.5}}},
						{Name: "took", Kind: otlp.Histogram, Bounds: []float64{1, 2}, Points: []otlp.Point{{Value: 9, Counts: []uint64{1, 2, 3}}}},
					}
				},
			})
			r.Wait("the metrics, twice", func(_ []otlptest.Span, m map[string]otlptest.Metric) bool {
				return m["hits"].Values["a=1,b=2"] > 1
			})
			r.Wait("the rest", func(_ []otlptest.Span, m map[string]otlptest.Metric) bool {
				return m["hits"].Kind == "sum" && m["hits"].Values[""] == 5 && m["level"].Kind == "gauge" && m["level"].Values[""] == -1.5 &&
					m["took"].Kind == "histogram" && m["took"].Values[""] == 6
			})
			if _, span := telemetry.Tracers().Tracer("test").Start(t.Context(), "x"); span.IsRecording() {
				t.Error("spans are recorded without traces")
			}
			if err := telemetry.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestStopSendsWhatIsLeft(t *testing.T) {
	r := otlptest.HTTP(t)
	telemetry := start(t, otlp.Config{Endpoint: r.Endpoint(), Insecure: true, SampleRate: 1, Traces: true, TraceInterval: time.Hour, MetricInterval: time.Hour,
		Metrics: func() []otlp.Metric {
			return []otlp.Metric{{Name: "last", Kind: otlp.Gauge, Points: []otlp.Point{{Value: 1}}}}
		}})
	for i := range 1000 {
		_, span := telemetry.Tracers().Tracer("test").Start(t.Context(), fmt.Sprint("span ", i))
		span.End()
	}
	if err := telemetry.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(r.Spans()); n != 1000 {
		t.Errorf("%d spans", n)
	}
	r.Wait("the last metrics", func(_ []otlptest.Span, m map[string]otlptest.Metric) bool { return m["last"].Values[""] == 1 })
}

func TestSampling(t *testing.T) {
	r := otlptest.HTTP(t)
	telemetry := start(t, otlp.Config{Endpoint: r.Endpoint(), Insecure: true, SampleRate: 0, Traces: true})
	tracer := telemetry.Tracers().Tracer("test")
	_, own := tracer.Start(t.Context(), "own")
	own.End()
	for name, flags := range map[string]trace.TraceFlags{"kept elsewhere": trace.FlagsSampled, "dropped elsewhere": 0} {
		remote := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: flags, Remote: true})
		_, span := tracer.Start(trace.ContextWithSpanContext(t.Context(), remote), name)
		span.End()
	}
	if err := telemetry.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if spans := r.Spans(); len(spans) != 1 || spans[0].Name != "kept elsewhere" {
		t.Errorf("%+v", spans)
	}
}

func TestUnreachableCollectorAffectsNobody(t *testing.T) {
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) }))
	defer refusing.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	const closed = "127.0.0.1:1" // a port that the system gives to nobody
	for _, c := range []struct{ name, endpoint, protocol string }{
		{"refuses connections", closed, "http"},
		{"refuses connections", closed, "grpc"},
		{"refuses data", strings.TrimPrefix(refusing.URL, "http://"), "http"},
		{"answers nothing", silent.Addr().String(), "http"},
		{"answers nothing", silent.Addr().String(), "grpc"},
	} {
		t.Run(c.name+" "+c.protocol, func(t *testing.T) {
			reports := make(chan error, 100)
			telemetry := start(t, otlp.Config{
				Endpoint: c.endpoint, Protocol: c.protocol, Insecure: true, SampleRate: 1, Traces: true, TraceInterval: time.Millisecond,
				MetricInterval: time.Millisecond, Metrics: func() []otlp.Metric { return nil }, Report: func(err error) { reports <- err },
			})
			tracer := telemetry.Tracers().Tracer("test")
			for range 5000 { // more than the queue holds
				_, span := tracer.Start(t.Context(), "x")
				span.End()
			}
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_ = telemetry.Stop(ctx) // it may say that it could not send all
			if n := len(reports); n > 1 {
				t.Errorf("%d reports", n)
			}
			if c.name == "refuses data" {
				if err := <-reports; err == nil {
					t.Error("no error was reported")
				}
			}
		})
	}
}

func TestConfigIsChecked(t *testing.T) {
	for text, c := range map[string]otlp.Config{
		"endpoint is required":                           {},
		`unknown protocol "udp" (http/protobuf or grpc)`: {Endpoint: "x:1", Protocol: "udp"},
		"sample rate 1.5 is not between 0 and 1":         {Endpoint: "x:1", SampleRate: 1.5},
		"sample rate -1 is not between 0 and 1":          {Endpoint: "x:1", SampleRate: -1},
	} {
		if _, err := otlp.Start(t.Context(), c); err == nil || err.Error() != text {
			t.Errorf("%v, want %s", err, text)
		}
	}
	telemetry := start(t, otlp.Config{Endpoint: "x:1"})
	if err := telemetry.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}
