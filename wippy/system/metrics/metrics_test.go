// SPDX-License-Identifier: Apache-2.0

package metrics_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/metrics"
)

func labels(pairs ...string) []metrics.Label {
	var out []metrics.Label
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, metrics.Label{Name: pairs[i], Value: pairs[i+1]})
	}
	return out
}

// dump shows everything but what was dropped.
func dump(m *metrics.Metrics) string {
	var b strings.Builder
	for _, f := range m.Gather() {
		if f.Name == "metrics_dropped_total" {
			continue
		}
		for _, p := range f.Points {
			fmt.Fprintf(&b, "%s %s", f.Type, f.Name)
			for _, l := range p.Labels {
				fmt.Fprintf(&b, " %s=%s", l.Name, l.Value)
			}
			fmt.Fprintf(&b, " %v", p.Value)
			if p.Counts != nil {
				fmt.Fprintf(&b, " %v", p.Counts)
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// dropped counts what was refused.
func dropped(m *metrics.Metrics, reason string) float64 {
	return m.Counter("metrics_dropped_total", metrics.Label{Name: "reason", Value: reason}).Value()
}

func TestRecording(t *testing.T) {
	m := metrics.New()
	m.Counter("hits", labels("b", "2", "a", "1")...).Add(2)
	m.Counter("hits", labels("a", "1", "b", "2")...).Add(0.5)
	m.Counter("hits", labels("a", "1", "b", "2", "none", "")...).Add(1)
	m.Counter("hits").Add(1)
	m.Counter("hits", labels("other", "x")...).Add(1)
	m.Gauge("level").Set(5)
	m.Gauge("level").Add(-7)
	for _, v := range []float64{0, 0.005, 0.006, 10, 11, math.Inf(1)} {
		m.Histogram("took").Observe(v)
	}
	if got, want := dump(m), `counter hits 1
counter hits a=1 b=2 3.5
counter hits other=x 1
gauge level -2
histogram took +Inf [2 1 0 0 0 0 0 0 0 0 1 2]
`; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestWhatCannotBeRecordedChangesNothing(t *testing.T) {
	m := metrics.New()
	c, g, h := m.Counter("c"), m.Gauge("g"), m.Histogram("h")
	c.Add(-1)
	c.Add(math.NaN())
	c.Observe(1)
	g.Add(math.NaN())
	g.Observe(1)
	h.Add(1)
	h.Set(1)
	h.Observe(math.NaN())
	if got, want := dump(m), "counter c 0\ngauge g 0\nhistogram h 0 [0 0 0 0 0 0 0 0 0 0 0 0]\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestNothingIsCountedOnNil(t *testing.T) {
	var m *metrics.Metrics
	m.Describe("x", "y")
	m.OnGather(func() { t.Error("called") })
	m.Counter("x").Add(1)
	m.Gauge("x").Set(1)
	m.Histogram("x").Observe(1)
	m.Reset("x")
	if m.Gather() != nil || m.Counter("x").Value() != 0 {
		t.Error("something was counted")
	}
}

func TestRefusals(t *testing.T) {
	m := metrics.New(metrics.WithLimits(metrics.Limits{NameBytes: 10, Labels: 2}))
	m.Counter("c")
	for _, c := range []struct {
		kind   metrics.Type
		name   string
		labels []metrics.Label
		want   fault.Kind
		reason string
	}{
		{metrics.CounterType, "", nil, fault.Invalid, "name"},
		{metrics.CounterType, "a-name-too-long", nil, fault.Invalid, "name"},
		{metrics.CounterType, "\xff", nil, fault.Invalid, "name"},
		{metrics.GaugeType, "c", nil, fault.Invalid, "type"},
		{metrics.HistogramType, "c", nil, fault.Invalid, "type"},
		{metrics.CounterType, "c", labels("", "x"), fault.Invalid, "labels"},
		{metrics.CounterType, "c", labels("__x", "x"), fault.Invalid, "labels"},
		{metrics.CounterType, "c", labels("\xff", "x"), fault.Invalid, "labels"},
		{metrics.CounterType, "c", labels("a", "1", "a", "2"), fault.Invalid, "labels"},
		{metrics.CounterType, "c", labels("a", "1", "b", "2", "c", "3"), fault.LimitExceeded, "labels"},
		{metrics.HistogramType, "h", labels("le", "1"), fault.Invalid, "labels"},
	} {
		before := dropped(m, c.reason)
		s, err := m.Find(c.kind, c.name, c.labels)
		if s != nil || fault.KindOf(err) != c.want {
			t.Errorf("%s %q %v: %v, %v", c.kind, c.name, c.labels, s, err)
		}
		if dropped(m, c.reason) != before+1 {
			t.Errorf("%s %q %v: not counted as %s", c.kind, c.name, c.labels, c.reason)
		}
	}
	if got := dump(m); got != "counter c 0\n" && !strings.HasPrefix(got, "counter c 0\n") {
		t.Errorf("left\n%s", got)
	}
}

func TestLimits(t *testing.T) {
	m := metrics.New(metrics.WithLimits(metrics.Limits{Metrics: 5, Series: 10, ValueBytes: 8}))
	for i := range 1000 {
		m.Counter("hits", metrics.Label{Name: "user", Value: strconv.Itoa(i)}).Add(1)
		m.Gauge("g" + strconv.Itoa(i)).Set(1)
	}
	families := m.Gather()
	if len(families) != 5 {
		t.Errorf("%d metrics", len(families))
	}
	for _, f := range families {
		if len(f.Points) > 10 {
			t.Errorf("%s has %d series", f.Name, len(f.Points))
		}
	}
	if n := dropped(m, "series"); n != 990 {
		t.Errorf("%v series were dropped", n)
	}
	if n := dropped(m, "metrics"); n != 1000-3 {
		t.Errorf("%v metrics were dropped", n)
	}
	m = metrics.New(metrics.WithLimits(metrics.Limits{ValueBytes: 8}))
	m.Counter("x", labels("a", strings.Repeat("y", 1000), "b", "ab\xffcd", "c", "1234567ü")...).Add(1)
	if got, want := dump(m), "counter x a=yyyyyyyy b=ab\uFFFDcd c=1234567\uFFFD 1\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestNamesThatLookTheSameAreTheSame(t *testing.T) {
	m := metrics.New()
	m.Counter("my.hits-üx", labels("a.b", "1", "1c", "2")...).Add(1)
	m.Counter("my_hits__x", labels("a_b", "1", "_c", "2")...).Add(1)
	if got := dump(m); got != "counter my.hits-üx 1c=2 a.b=1 2\n" {
		t.Error(got)
	}
	if _, err := m.Find(metrics.CounterType, "x", labels("a.b", "1", "a_b", "2")); fault.KindOf(err) != fault.Invalid {
		t.Errorf("one label twice: %v", err)
	}
	m.Histogram("took")
	m.Counter("load_sum")
	for name, kind := range map[string]metrics.Type{"took_count": metrics.CounterType, "took.bucket": metrics.GaugeType, "load": metrics.HistogramType} {
		if _, err := m.Find(kind, name, nil); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := m.Find(metrics.CounterType, "other_count", nil); err != nil {
		t.Error(err)
	}
}

func TestSourcesAreAskedAndResetSeriesGo(t *testing.T) {
	m := metrics.New()
	states := []string{"a", "b"}
	m.OnGather(func() {
		m.Reset("services")
		m.Reset("nothing")
		for _, s := range states {
			m.Gauge("services", metrics.Label{Name: "state", Value: s}).Set(1)
		}
	})
	m.Describe("services", "Services by state.")
	if got := dump(m); got != "gauge services state=a 1\ngauge services state=b 1\n" {
		t.Error(got)
	}
	states = []string{"c"}
	if got := dump(m); got != "gauge services state=c 1\n" {
		t.Error(got)
	}
	i := slices.IndexFunc(m.Gather(), func(f metrics.Family) bool { return f.Name == "services" })
	if f := m.Gather()[i]; f.Help != "Services by state." {
		t.Errorf("help %q", f.Help)
	}
}

func TestConcurrentRecording(t *testing.T) {
	m := metrics.New()
	const workers, times = 8, 1000
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			kept := m.Counter("kept")
			for i := range times {
				kept.Add(1)
				m.Counter("found", metrics.Label{Name: "n", Value: strconv.Itoa(i % 10)}).Add(1)
				m.Gauge("level").Add(float64(1 - 2*(w%2)))
				m.Histogram("took").Observe(1)
				if i%100 == 0 {
					m.Gather()
				}
			}
		})
	}
	wg.Wait()
	total := 0.0
	for _, f := range m.Gather() {
		if f.Name == "found" {
			for _, p := range f.Points {
				total += p.Value
			}
		}
	}
	if kept := m.Counter("kept").Value(); kept != workers*times || total != workers*times || m.Gauge("level").Value() != 0 || m.Histogram("took").Value() != workers*times {
		t.Errorf("kept %v, found %v, level %v, took %v", kept, total, m.Gauge("level").Value(), m.Histogram("took").Value())
	}
}

// FuzzLabels checks that any label set is one series or an error, the same in every order, and that what comes out
// is valid.
func FuzzLabels(f *testing.F) {
	f.Add("a", "b", "c", "d")
	f.Add("a", "b\xffc", "a\xff", "")
	f.Add("__name__", "x", "le", "y")
	f.Fuzz(func(t *testing.T, n1, v1, n2, v2 string) {
		m := metrics.New(metrics.WithLimits(metrics.Limits{NameBytes: 16, ValueBytes: 16}))
		a, err1 := m.Find(metrics.CounterType, "x", labels(n1, v1, n2, v2))
		b, err2 := m.Find(metrics.CounterType, "x", labels(n2, v2, n1, v1))
		if a != b || (err1 == nil) != (err2 == nil) || (a == nil) != (err1 != nil) {
			t.Fatalf("%v %v, %v %v", a, err1, b, err2)
		}
		for _, family := range m.Gather() {
			for _, p := range family.Points {
				for _, l := range p.Labels {
					if !utf8.ValidString(l.Name) || !utf8.ValidString(l.Value) || l.Name == "" || len(l.Name) > 16 {
						t.Fatalf("label %q=%q", l.Name, l.Value)
					}
				}
			}
		}
	})
}

func TestKeptSeriesAllocateNothing(t *testing.T) {
	m := metrics.New()
	c, h := m.Counter("c"), m.Histogram("h")
	if n := testing.AllocsPerRun(100, func() { c.Add(1); h.Observe(0.1) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkCounter(b *testing.B) {
	c := metrics.New().Counter("c")
	b.ReportAllocs()
	for b.Loop() {
		c.Add(1)
	}
}

func BenchmarkLookup(b *testing.B) {
	m := metrics.New()
	set := labels("method", "GET", "status", "200")
	b.ReportAllocs()
	for b.Loop() {
		m.Counter("requests", set...).Add(1)
	}
}

func Example() {
	m := metrics.New()
	m.Counter("jobs_total", metrics.Label{Name: "kind", Value: "mail"}).Add(3)
	for _, f := range m.Gather() {
		if f.Name == "jobs_total" {
			fmt.Println(f.Type, f.Name, f.Points[0].Labels, f.Points[0].Value)
		}
	}
	// Output: counter jobs_total [{kind mail}] 3
}
