// SPDX-License-Identifier: Apache-2.0

package otel_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/otel"
	"github.com/wippyrun/kit/wippy/service/otel/export"
	"github.com/wippyrun/kit/wippy/service/otlp/otlptest"
	"github.com/wippyrun/kit/wippy/service/queue"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/frames"
	"github.com/wippyrun/kit/wippy/system/functions"
	"github.com/wippyrun/kit/wippy/system/lifecycle"
	"github.com/wippyrun/kit/wippy/system/metrics"
	"github.com/wippyrun/kit/wippy/system/processes"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// tracing is tracing whose spans a collector gets, over the real protocol. The function returned ends it and
// returns them by name.
func tracing(t *testing.T, change func(*otel.Config)) (*otel.Tracing, func() map[string]otlptest.Span) {
	t.Helper()
	r := otlptest.HTTP(t)
	c := defaults
	c.Endpoint = r.Endpoint()
	if change != nil {
		change(&c)
	}
	telemetry, err := export.Start(t.Context(), c, metrics.New(), func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	return otel.New(c, telemetry.Tracers()), func() map[string]otlptest.Span {
		if err := telemetry.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		all := map[string]otlptest.Span{}
		for _, s := range r.Spans() {
			if _, twice := all[s.Name]; twice {
				t.Errorf("span %s twice", s.Name)
			}
			all[s.Name] = s
		}
		return all
	}
}

const (
	remoteTrace = "0af7651916cd43dd8448eb211c80319c"
	remoteSpan  = "b7ad6b7169203331"
	traceparent = "00-" + remoteTrace + "-" + remoteSpan + "-01"
)

func TestCalls(t *testing.T) {
	tr, spans := tracing(t, nil)
	f := functions.New()
	if err := f.Intercept(tr.Calls()); err != nil {
		t.Fatal(err)
	}
	caller := relay.NewPID("", "app:host", "0x1")
	var inside otel.Trace
	f.Register("app:outer", func(ctx context.Context, task functions.Task, done functions.Done) func() {
		own := frames.Fork(task.Frame) // as callees do
		inside, _ = otel.Current.Get(own)
		return f.CallAsync(ctx, functions.Task{ID: "app:inner", Frame: own, Caller: caller}, func(p payload.Payload, err error) {
			_ = own.Release()
			done(p, nil)
		})
	}, nil)
	f.Register("app:inner", func(_ context.Context, _ functions.Task, done functions.Done) func() {
		done(payload.Payload{}, fault.New(fault.Unavailable, "try again"))
		return func() {}
	}, nil)
	frame := appctx.NewFrame()
	if _, err := f.Call(t.Context(), functions.Task{ID: "app:outer", Frame: frame}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Call(t.Context(), functions.Task{ID: "app:none"}); err == nil {
		t.Fatal("no error")
	}
	if _, ok := otel.Current.Get(frame); ok {
		t.Error("the frame of the caller has changed")
	}
	all := spans()
	outer, inner, none := all["app:outer"], all["app:inner"], all["app:none"]
	if outer.Kind != "internal" || outer.Parent != "" || outer.Status != "ok" || outer.Attributes["frame.id"] != "app:outer" || outer.Attributes["process.pid"] != "" {
		t.Errorf("%+v", outer)
	}
	if inner.Parent != outer.ID || inner.TraceID != outer.TraceID || inner.Status != "error" || inner.Message != "try again" ||
		inner.Attributes["error.type"] != "Unavailable" || inner.Attributes["process.pid"] != caller.String() || inner.Events != 1 {
		t.Errorf("%+v", inner)
	}
	if none.Status != "error" || none.TraceID == outer.TraceID {
		t.Errorf("%+v", none)
	}
	if inside.Span.TraceID().String() != outer.TraceID || inside.Span.SpanID().String() != outer.ID {
		t.Errorf("the callee is in %v", inside.Span)
	}
}

func TestCancelledCallsEndTheirSpans(t *testing.T) {
	tr, spans := tracing(t, nil)
	f := functions.New()
	if err := f.Intercept(tr.Calls()); err != nil {
		t.Fatal(err)
	}
	f.Register("app:slow", func(_ context.Context, _ functions.Task, done functions.Done) func() {
		return func() { done(payload.Payload{}, fault.New(fault.Canceled, "context canceled")) }
	}, nil)
	ended := make(chan error, 1)
	cancel := f.CallAsync(t.Context(), functions.Task{ID: "app:slow"}, func(_ payload.Payload, err error) { ended <- err })
	cancel()
	<-ended
	if s := spans()["app:slow"]; s.Status != "error" || s.Attributes["error.type"] != "Canceled" {
		t.Errorf("%+v", s)
	}
}

// serve answers one request behind the middleware.
func serve(t *testing.T, tr *otel.Tracing, header map[string]string, handler http.HandlerFunc) *httptest.ResponseRecorder {
	t.Helper()
	m, err := tr.Middleware(nil)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "http://shop.example/users/1?q=\xff", nil)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	func() {
		defer func() { _ = recover() }()
		m(handler).ServeHTTP(w, r)
	}()
	return w
}

func TestMiddlewareContinuesTraces(t *testing.T) {
	tr, spans := tracing(t, nil)
	var inside otel.Trace
	w := serve(t, tr, map[string]string{"traceparent": traceparent, "baggage": "tenant=a"}, func(w http.ResponseWriter, r *http.Request) {
		inside, _ = otel.Current.Get(appctx.FrameFrom(r.Context()))
		w.WriteHeader(404)
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
	})
	s := spans()["GET unmatched"]
	if s.TraceID != remoteTrace || s.Parent != remoteSpan || s.Kind != "server" || s.Status != "" {
		t.Errorf("%+v", s)
	}
	for name, want := range map[string]string{
		"http.method": "GET", "http.host": "shop.example", "http.route": "unmatched", "http.status_code": "404",
		"http.url": "http://shop.example/users/1?q=\uFFFD",
	} {
		if got := s.Attributes[name]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got, want := w.Header().Get("traceparent"), "00-"+remoteTrace+"-"+s.ID+"-01"; got != want {
		t.Errorf("answer names %q, want %q", got, want)
	}
	if inside.Span.SpanID().String() != s.ID || inside.Baggage.Member("tenant").Value() != "a" || w.Header().Get("baggage") != "tenant=a" {
		t.Errorf("inside %v, %v, %q", inside.Span, inside.Baggage, w.Header().Get("baggage"))
	}
}

func TestMiddlewareOutcomes(t *testing.T) {
	for name, test := range map[string]struct {
		handler      http.HandlerFunc
		code, status string
	}{
		"nothing":     {func(http.ResponseWriter, *http.Request) {}, "200", ""},
		"body":        {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("x")) }, "200", ""},
		"fault":       {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, "503", "error"},
		"panic":       {func(http.ResponseWriter, *http.Request) { panic("boom") }, "500", "error"},
		"cut off":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200); panic(http.ErrAbortHandler) }, "200", "error"},
		"early hints": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(103); w.WriteHeader(201) }, "201", ""},
	} {
		t.Run(name, func(t *testing.T) {
			tr, spans := tracing(t, nil)
			serve(t, tr, map[string]string{"traceparent": "nonsense"}, test.handler)
			if s := spans()["GET unmatched"]; s.Attributes["http.status_code"] != test.code || s.Status != test.status || s.Parent != "" {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestMiddlewareFollowsTheConfiguration(t *testing.T) {
	tr, spans := tracing(t, func(c *otel.Config) { c.ExtractHeaders, c.InjectHeaders = false, false })
	w := serve(t, tr, map[string]string{"traceparent": traceparent}, func(http.ResponseWriter, *http.Request) {})
	if s := spans()["GET unmatched"]; s.TraceID == remoteTrace || w.Header().Get("traceparent") != "" {
		t.Errorf("%+v, %v", s, w.Header())
	}
	for name, change := range map[string]func(*otel.Config){
		"requests are not traced": func(c *otel.Config) { c.HTTP = false },
		"nothing is propagated":   func(c *otel.Config) { c.Propagators = []string{"none"} },
	} {
		tr, spans := tracing(t, change)
		w := serve(t, tr, map[string]string{"traceparent": traceparent}, func(http.ResponseWriter, *http.Request) {})
		if len(w.Header()) != 0 {
			t.Errorf("%s: %v", name, w.Header())
		}
		if s, ok := spans()["GET unmatched"]; ok && s.TraceID == remoteTrace {
			t.Errorf("%s: %+v", name, s)
		}
	}
	w = serve(t, nil, nil, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) })
	if w.Body.String() != "ok" {
		t.Error("without tracing requests do not pass")
	}
}

func TestProcesses(t *testing.T) {
	tr, spans := tracing(t, nil)
	life := lifecycle.New(topology.New(func(m *relay.Message) error { m.Release(); return nil }), nil, lifecycle.WithObserver(tr))
	f := functions.New()
	if err := f.Intercept(tr.Calls()); err != nil {
		t.Fatal(err)
	}
	f.Register("app:spawner", func(ctx context.Context, task functions.Task, done functions.Done) func() {
		s := &lifecycle.Spawned{PID: relay.NewPID("n", "app:host", "0x2"), Spawn: processes.Spawn{
			Source: "app:worker", Name: "w", Parent: relay.NewPID("n", "app:host", "0x1"), Frame: frames.Propagate(task.Frame),
		}}
		err := life.OnStart(ctx, s)
		life.OnExit(s, payload.Payload{}, errors.New("crashed"))
		done(payload.Payload{}, err)
		return func() {}
	}, nil)
	if _, err := f.Call(t.Context(), functions.Task{ID: "app:spawner"}); err != nil {
		t.Fatal(err)
	}
	all := spans()
	begun, ended, spawner := all["app:worker.started"], all["app:worker.terminated"], all["app:spawner"]
	if begun.Parent != spawner.ID || begun.Status != "ok" || begun.Attributes["process.pid"] != "{n@app:host|0x2}" || begun.Attributes["process.host"] != "app:host" ||
		begun.Attributes["process.source"] != "app:worker" || begun.Attributes["process.parent"] != "{n@app:host|0x1}" || begun.Attributes["process.name"] != "w" {
		t.Errorf("%+v", begun)
	}
	if ended.Parent != spawner.ID || ended.Status != "error" || ended.Message != "crashed" || ended.Attributes["process.duration"] == "" {
		t.Errorf("%+v", ended)
	}
}

func TestProcessesFollowTheConfiguration(t *testing.T) {
	for _, change := range []func(*otel.Config){
		func(c *otel.Config) { c.Processes = false },
		func(c *otel.Config) { c.ProcessLifecycles = false },
	} {
		tr, spans := tracing(t, change)
		tr.Started(&lifecycle.Spawned{}, &lifecycle.Event{})
		tr.Stopped(&lifecycle.Spawned{}, &lifecycle.Event{})
		if all := spans(); len(all) > 0 {
			t.Errorf("%+v", all)
		}
	}
}

// TestMessagesCarryTraces publishes within a call and handles the message in another, as a consumer does.
func TestMessagesCarryTraces(t *testing.T) {
	tr, spans := tracing(t, nil)
	f := functions.New()
	if err := f.Intercept(tr.Calls()); err != nil {
		t.Fatal(err)
	}
	var published *queue.Message
	publish := tr.Publishing().Wrap(func(_ context.Context, _ string, m *queue.Message) error {
		published = m
		return nil
	})
	sent := queue.NewMessage(payload.New("x"), map[string]any{"priority": int64(1)})
	f.Register("app:seller", func(ctx context.Context, task functions.Task, done functions.Done) func() {
		done(payload.Payload{}, publish(appctx.WithFrame(ctx, task.Frame), "app:orders", sent))
		return func() {}
	}, nil)
	f.Register("app:packer", func(_ context.Context, _ functions.Task, done functions.Done) func() {
		done(payload.Payload{}, errors.New("no box"))
		return func() {}
	}, nil)
	if _, err := f.Call(t.Context(), functions.Task{ID: "app:seller"}); err != nil {
		t.Fatal(err)
	}
	if _, changed := sent.Headers["traceparent"]; changed || published.ID != sent.ID || published.Headers["priority"] != int64(1) {
		t.Errorf("sent %v, published %v", sent.Headers, published.Headers)
	}
	frame := appctx.NewFrame()
	if err := queue.Current.Set(frame, queue.NewDelivery(published, 2, nil)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Call(t.Context(), functions.Task{ID: "app:packer", Frame: frame}); err == nil {
		t.Fatal("no error")
	}
	// One that is passed on keeps the trace it came with.
	if err := publish(t.Context(), "app:later", published); err != nil {
		t.Fatal(err)
	}
	all := spans()
	seller, producer, consumer, packer := all["app:seller"], all["app:orders.publish"], all["queue.consume"], all["app:packer"]
	if producer.Parent != seller.ID || producer.Kind != "producer" || producer.Attributes["messaging.destination.name"] != "app:orders" || producer.Attributes["messaging.message.id"] != sent.ID {
		t.Errorf("%+v", producer)
	}
	if consumer.Parent != producer.ID || consumer.Kind != "consumer" || consumer.Status != "error" || consumer.Attributes["messaging.delivery_attempt"] != "2" {
		t.Errorf("%+v", consumer)
	}
	if packer.Parent != consumer.ID || packer.TraceID != seller.TraceID {
		t.Errorf("%+v", packer)
	}
	if got := published.Headers["traceparent"]; got != "00-"+seller.TraceID+"-"+producer.ID+"-01" {
		t.Errorf("passed on as %v", got)
	}
}

func TestPublishingReportsErrors(t *testing.T) {
	tr, spans := tracing(t, nil)
	failure := fault.New(fault.NotFound, "queue not found")
	publish := tr.Publishing().Wrap(func(context.Context, string, *queue.Message) error { return failure })
	if err := publish(t.Context(), "app:none", &queue.Message{}); !errors.Is(err, failure) {
		t.Error(err)
	}
	if s := spans()["app:none.publish"]; s.Status != "error" || s.Attributes["error.type"] != "NotFound" {
		t.Errorf("%+v", s)
	}
}

func TestMetricsAreSent(t *testing.T) {
	r := otlptest.GRPC(t)
	m := metrics.New()
	m.Counter("jobs", metrics.Label{Name: "kind", Value: "mail"}).Add(3)
	m.Histogram("took").Observe(0.2)
	c := defaults
	c.Endpoint, c.Protocol, c.Traces, c.Metrics = r.Endpoint(), "grpc", false, true
	telemetry, err := export.Start(t.Context(), c, m, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	if err := telemetry.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.Wait("the metrics", func(_ []otlptest.Span, m map[string]otlptest.Metric) bool {
		return m["jobs"].Kind == "sum" && m["jobs"].Values["kind=mail"] == 3 && m["took"].Kind == "histogram" && m["took"].Values[""] == 1
	})
}

// FuzzHeaders checks that whatever the headers of a request say, it is answered, and in a valid trace.
func FuzzHeaders(f *testing.F) {
	for _, h := range []string{traceparent, "", "00-0-0-0", "ff-" + remoteTrace + "-" + remoteSpan + "-01", traceparent + "-more", strings.Repeat("0", 10000)} {
		f.Add(h, "a=b", "k=v;p")
	}
	f.Fuzz(func(t *testing.T, parent, state, baggage string) {
		c := defaults
		telemetry, err := export.Start(t.Context(), otel.Config{Endpoint: "localhost:1", Protocol: "http", Propagators: c.Propagators}, metrics.New(), func(error) {})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		defer func() { _ = telemetry.Stop(ctx) }()
		answered := false
		serve(t, otel.New(c, telemetry.Tracers()), map[string]string{"traceparent": parent, "tracestate": state, "baggage": baggage}, func(_ http.ResponseWriter, r *http.Request) {
			answered = true
		})
		if !answered {
			t.Error("not answered")
		}
	})
}
