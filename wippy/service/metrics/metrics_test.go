// SPDX-License-Identifier: Apache-2.0

package metrics_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/wippyrun/kit/eventbus"
	"github.com/wippyrun/kit/relay/internode"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/wippy/service/metrics"
	"github.com/wippyrun/kit/wippy/system/functions"
	"github.com/wippyrun/kit/wippy/system/groups"
	counting "github.com/wippyrun/kit/wippy/system/metrics"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

var quiet = slog.New(slog.DiscardHandler)

// scrape reads /metrics in the format asked for and parses it with Prometheus' own parser.
func scrape(t *testing.T, m *counting.Metrics, accept string) map[string]*dto.MetricFamily {
	t.Helper()
	request := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	request.Header.Set("Accept", accept)
	answer := httptest.NewRecorder()
	(&metrics.Server{Metrics: m, Log: quiet}).Handler().ServeHTTP(answer, request)
	if answer.Code != http.StatusOK {
		t.Fatalf("status %d: %s", answer.Code, answer.Body)
	}
	format := expfmt.Format(answer.Header().Get("Content-Type"))
	if !strings.HasPrefix(string(format), strings.SplitN(accept, ";", 2)[0]) {
		t.Fatalf("format %q for %q", format, accept)
	}
	decoder := expfmt.NewDecoder(answer.Body, format)
	all := map[string]*dto.MetricFamily{}
	for {
		var f dto.MetricFamily
		if err := decoder.Decode(&f); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("%s: %v", accept, err)
		}
		if all[f.GetName()] != nil {
			t.Errorf("%s: metric %s twice", accept, f.GetName())
		}
		all[f.GetName()] = &f
	}
}

var formats = []string{
	"text/plain; version=0.0.4",
	"text/plain; version=1.0.0; escaping=allow-utf-8",
	"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
	"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; escaping=allow-utf-8",
}

// find returns the metric with those labels.
func find(t *testing.T, all map[string]*dto.MetricFamily, name string, labels ...string) *dto.Metric {
	t.Helper()
	for _, m := range all[name].GetMetric() {
		var have []string
		for _, l := range m.GetLabel() {
			have = append(have, l.GetName(), l.GetValue())
		}
		if strings.Join(have, "\x00") == strings.Join(labels, "\x00") {
			return m
		}
	}
	t.Fatalf("no %s with %q in %v", name, labels, all[name])
	return nil
}

func TestGatheredIsValid(t *testing.T) {
	m := counting.New()
	m.Describe("jobs", "Jobs\nof \\ all \"kinds\".")
	odd := "line\n\"quote\" \\ back\xff"
	m.Counter("jobs", counting.Label{Name: "kind", Value: odd}).Add(2)
	m.Counter("jobs").Add(1)
	m.Counter("jobs", counting.Label{Name: "other", Value: "x"}, counting.Label{Name: "kind", Value: "y"}).Add(3)
	m.Gauge("level").Set(math.Inf(-1))
	m.Gauge("my.metric-ü", counting.Label{Name: "a b", Value: "1"}).Set(4)
	m.Gauge("my_metric__", counting.Label{Name: "a_b", Value: "1"}).Set(5) // looks the same where names are plain
	for _, v := range []float64{0.001, 0.3, 100} {
		m.Histogram("took").Observe(v)
	}
	m.Counter("go_goroutines").Add(1) // a name the runtime uses, with another type
	for _, format := range formats {
		all := scrape(t, m, format)
		if v := find(t, all, "jobs", "kind", "line\n\"quote\" \\ back\uFFFD").GetCounter().GetValue(); v != 2 {
			t.Errorf("%s: %v", format, v)
		}
		if v := find(t, all, "jobs", "kind", "y", "other", "x").GetCounter().GetValue(); v != 3 {
			t.Errorf("%s: %v", format, v)
		}
		find(t, all, "jobs")
		if h := all["jobs"].GetHelp(); h != "Jobs\nof \\ all \"kinds\"." {
			t.Errorf("%s: help %q", format, h)
		}
		if v := find(t, all, "level").GetGauge().GetValue(); !math.IsInf(v, -1) {
			t.Errorf("%s: %v", format, v)
		}
		name, label := "my_metric__", "a_b"
		if strings.Contains(format, "allow-utf-8") {
			name, label = "my.metric-ü", "a b"
		}
		if v := find(t, all, name, label, "1").GetGauge().GetValue(); v != 5 {
			t.Errorf("%s: %v", format, v)
		}
		h := find(t, all, "took").GetHistogram()
		if h.GetSampleCount() != 3 || math.Abs(h.GetSampleSum()-100.301) > 1e-9 {
			t.Errorf("%s: %v", format, h)
		}
		for _, b := range h.GetBucket() {
			want := uint64(1)
			switch {
			case math.IsInf(b.GetUpperBound(), 1):
				want = 3
			case b.GetUpperBound() >= 0.5:
				want = 2
			}
			if b.GetCumulativeCount() != want {
				t.Errorf("%s: %v", format, b)
			}
		}
		if all["go_goroutines"].GetType() != dto.MetricType_GAUGE {
			t.Errorf("%s: go_goroutines is a %v", format, all["go_goroutines"].GetType())
		}
	}
}

// TestGatheredStaysValid lets names and labels come as a careless program could make them.
func TestGatheredStaysValid(t *testing.T) {
	m := counting.New(counting.WithLimits(counting.Limits{Series: 50}))
	names := []string{"a", "a.b", "a_b", "9", "_9", "ü", "x y", "x\ny", `x"y`, "a_total", "h", "h_count", "h_sum", "h_bucket", "with{brace}", "#"}
	for i, name := range names {
		for j, label := range names {
			for _, value := range []string{"", "v", "\xff\xfe", strings.Repeat("long", 1000), "\n\\\"", "}"} {
				labels := []counting.Label{{Name: label, Value: value}, {Name: "second", Value: "x"}}
				switch (i + j) % 3 {
				case 0:
					m.Counter(name, labels...).Add(1)
				case 1:
					m.Histogram(name, labels...).Observe(1)
				case 2:
					m.Gauge(name, labels...).Set(1)
				}
			}
		}
	}
	for _, format := range formats {
		all := scrape(t, m, format)
		for name, f := range all {
			if !model.UTF8Validation.IsValidMetricName(name) {
				t.Errorf("name %q", name)
			}
			seen := map[string]bool{}
			for _, metric := range f.GetMetric() {
				text := ""
				for _, l := range metric.GetLabel() {
					text += l.GetName() + "\xff" + l.GetValue() + "\xff"
				}
				if seen[text] {
					t.Errorf("%s: %s has %q twice", format, name, text)
				}
				seen[text] = true
			}
		}
	}
}

func TestServer(t *testing.T) {
	m := counting.New()
	m.Counter("hits").Add(1)
	checks := &metrics.Checks{}
	checks.Add("b", func() error { return nil })
	s := &metrics.Server{Address: "127.0.0.1:0", Metrics: m, Checks: checks, Log: quiet}
	if s.Addr() != nil {
		t.Error("an address before the start")
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	get := func(path string) (int, string) {
		t.Helper()
		answer, err := client.Get("http://" + s.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(body)
	}
	if code, body := get("/metrics"); code != 200 || !strings.Contains(body, "\nhits 1\n") || !strings.Contains(body, "\ngo_goroutines ") {
		t.Errorf("%d\n%s", code, body)
	}
	if code, body := get("/livez"); code != 200 || body != "b\tok\n" {
		t.Errorf("%d %q", code, body)
	}
	checks.Add("a", func() error { return errors.New("no\ncontact") })
	checks.Add("c", func() error { panic("boom") })
	if code, body := get("/livez"); code != 503 || body != "a\tfail: no contact\nb\tok\nc\tfail: panic: boom\n" {
		t.Errorf("%d %q", code, body)
	}
	checks.Remove("a")
	checks.Remove("c")
	if code, _ := get("/livez"); code != 200 {
		t.Error(code)
	}
	if code, _ := get("/debug/pprof/"); code != 404 {
		t.Errorf("profiles are served: %d", code)
	}
	if err := (&metrics.Server{Address: s.Addr().String(), Log: quiet}).Start(); err == nil || !strings.HasPrefix(err.Error(), "prometheus.address: ") {
		t.Errorf("the same address again: %v", err)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if err := (&metrics.Server{}).Stop(t.Context()); err != nil {
		t.Error(err)
	}
	answer := httptest.NewRecorder()
	(&metrics.Server{Profile: true, Log: quiet}).Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/debug/pprof/cmdline", nil))
	if answer.Code != 200 {
		t.Errorf("profiles: %d", answer.Code)
	}
}

func TestCallsAreCounted(t *testing.T) {
	m := counting.New()
	f := functions.New()
	if err := f.Intercept(metrics.Calls(m, f.Has)); err != nil {
		t.Fatal(err)
	}
	running := make(chan struct{})
	finish := make(chan error)
	f.Register("app:f", func(_ context.Context, _ functions.Task, done functions.Done) func() {
		go func() {
			running <- struct{}{}
			done(payload.Payload{}, <-finish)
		}()
		return func() {}
	}, nil)
	for _, want := range []error{nil, errors.New("bad"), nil} {
		ended := make(chan error)
		f.CallAsync(t.Context(), functions.Task{ID: "app:f"}, func(_ payload.Payload, err error) { ended <- err })
		<-running
		if v := m.Gauge("wippy_function_in_flight", counting.Label{Name: "function_id", Value: "app:f"}).Value(); v != 1 {
			t.Errorf("%v in flight", v)
		}
		finish <- want
		if err := <-ended; err != want {
			t.Error(err)
		}
	}
	all := scrape(t, m, formats[0])
	if v := find(t, all, "wippy_function_calls", "function_id", "app:f", "status", "success").GetCounter().GetValue(); v != 2 {
		t.Error(v)
	}
	if v := find(t, all, "wippy_function_calls", "function_id", "app:f", "status", "error").GetCounter().GetValue(); v != 1 {
		t.Error(v)
	}
	if n := find(t, all, "wippy_function_duration", "function_id", "app:f").GetHistogram().GetSampleCount(); n != 3 {
		t.Error(n)
	}
	if v := find(t, all, "wippy_function_in_flight", "function_id", "app:f").GetGauge().GetValue(); v != 0 {
		t.Error(v)
	}
}

func TestCallsOfUnknownFunctionsShareOneSeries(t *testing.T) {
	m := counting.New()
	f := functions.New()
	if err := f.Intercept(metrics.Calls(m, f.Has)); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if _, err := f.Call(t.Context(), functions.Task{ID: "app:" + strings.Repeat("x", i)}); err == nil {
			t.Fatal("no error")
		}
	}
	all := scrape(t, m, formats[0])
	if n := len(all["wippy_function_calls"].GetMetric()); n != 2 { // one for each outcome
		t.Errorf("%d series", n)
	}
	if v := find(t, all, "wippy_function_calls", "function_id", "unknown", "status", "error").GetCounter().GetValue(); v != 100 {
		t.Error(v)
	}
}

func TestObserve(t *testing.T) {
	m := counting.New()
	hosts := map[string]scheduler.Stats{"app:a": {Processes: 3, Workers: 2, Spares: 1, GlobalQueue: 4, Executed: 10, Stolen: 5, Lost: 6, Panics: 7}, "app:b": {}}
	services := []supervisor.Status{{ID: "app:s", State: supervisor.Running}, {ID: "app:t", State: supervisor.Failed, RetryCount: 3}}
	metrics.Observe(m, metrics.Parts{
		Schedulers: func(f func(string, scheduler.Stats)) {
			for id, s := range hosts {
				f(id, s)
			}
		},
		Services: func() []supervisor.Status { return services },
		Bus: func() eventbus.Stats {
			return eventbus.Stats{Subscriptions: 2, Published: 9, Dropped: 1, Overflowed: 2, Discarded: 3, Rejected: 4}
		},
		Nodes: func() map[string]internode.Stats {
			return map[string]internode.Stats{"b": {Up: true, Waiting: 1, Sent: 2, Delivered: 3, Refused: 4, Lost: 5}}
		},
		Groups:  func() groups.Stats { return groups.Stats{Joins: 11, Leaves: 12, Broadcasts: 13, Dropped: 14} },
		Names:   func() uint64 { return 15 },
		Entries: func() int { return 42 },
		Logs:    func() map[slog.Level]uint64 { return map[slog.Level]uint64{slog.LevelWarn: 3} },
	})
	metrics.Observe(counting.New(), metrics.Parts{})
	all := scrape(t, m, formats[0])
	for name, want := range map[string]float64{
		"wippy_scheduler_processes": 3, "wippy_scheduler_workers": 2, "wippy_scheduler_spare_workers": 1, "wippy_scheduler_queue_depth": 4,
	} {
		if v := find(t, all, name, "host", "app:a").GetGauge().GetValue(); v != want {
			t.Errorf("%s: %v", name, v)
		}
	}
	for name, want := range map[string]float64{
		"wippy_scheduler_executed_total": 10, "wippy_scheduler_stolen_total": 5, "wippy_scheduler_lost_messages_total": 6, "wippy_scheduler_panics_total": 7,
	} {
		if v := find(t, all, name, "host", "app:a").GetCounter().GetValue(); v != want {
			t.Errorf("%s: %v", name, v)
		}
	}
	if up, down := find(t, all, "wippy_service_up", "service", "app:s"), find(t, all, "wippy_service_up", "service", "app:t"); up.GetGauge().GetValue() != 1 || down.GetGauge().GetValue() != 0 {
		t.Error(up, down)
	}
	if v := find(t, all, "wippy_service_retries", "service", "app:t").GetGauge().GetValue(); v != 3 {
		t.Error(v)
	}
	if run, stopped := find(t, all, "wippy_services", "state", "running"), find(t, all, "wippy_services", "state", "stopped"); run.GetGauge().GetValue() != 1 || stopped.GetGauge().GetValue() != 0 {
		t.Error(run, stopped)
	}
	for name, want := range map[string]float64{
		"eventbus_published_total": 9, "eventbus_dropped_total": 6, "eventbus_subscribers_rejected_total": 4,
		"pg_join_total": 11, "pg_leave_total": 12, "pg_broadcast_total": 13, "pg_broadcast_dropped_total": 14,
		"runtime_name_reregistrations_total": 15,
	} {
		if v := find(t, all, name).GetCounter().GetValue(); v != want {
			t.Errorf("%s: %v", name, v)
		}
	}
	if v := find(t, all, "internode_dropped_total", "node", "b").GetCounter().GetValue(); v != 9 {
		t.Error(v)
	}
	if v := find(t, all, "runtime_log_emissions_total", "level", "warn").GetCounter().GetValue(); v != 3 {
		t.Error(v)
	}
	if v := find(t, all, "wippy_registry_entries").GetGauge().GetValue(); v != 42 {
		t.Error(v)
	}
	delete(hosts, "app:b")
	services = services[:1]
	all = scrape(t, m, formats[0])
	if n, s := len(all["wippy_scheduler_processes"].GetMetric()), len(all["wippy_service_up"].GetMetric()); n != 1 || s != 1 {
		t.Errorf("%d hosts, %d services left", n, s)
	}
	for name, f := range all {
		if f.GetHelp() == "" {
			t.Errorf("%s explains nothing", name)
		}
	}
}

// TestStuckReadersHoldUpNobody records while a reader stands still in the middle.
func TestStuckReadersHoldUpNobody(t *testing.T) {
	m := counting.New()
	inside, leave := make(chan struct{}), make(chan struct{})
	m.OnGather(func() {
		close(inside)
		<-leave
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.Gather()
	}()
	<-inside
	m.Counter("hits").Add(1)
	m.Histogram("took").Since(time.Now())
	close(leave)
	<-done
	if m.Counter("hits").Value() != 1 {
		t.Error("not counted")
	}
}

func BenchmarkCalls(b *testing.B) {
	m := counting.New()
	call := metrics.Calls(m, func(string) bool { return true }).Wrap(func(_ context.Context, _ functions.Task, done functions.Done) func() {
		done(payload.Payload{}, nil)
		return nil
	})
	task, done := functions.Task{ID: "app:f"}, func(payload.Payload, error) {}
	b.ReportAllocs()
	for b.Loop() {
		call(b.Context(), task, done)
	}
}
