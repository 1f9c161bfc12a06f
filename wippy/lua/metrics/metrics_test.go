// SPDX-License-Identifier: Apache-2.0

package metrics_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wippyrun/kit/wippy/lua/luatest"
	luametrics "github.com/wippyrun/kit/wippy/lua/metrics"
	"github.com/wippyrun/kit/wippy/system/metrics"
)

func TestMain(m *testing.M) { luatest.Main(m) }

func check(t *testing.T, m *metrics.Metrics, body string) {
	t.Helper()
	luatest.New(t, func(s *luatest.System) { s.Register(luametrics.Module(m)) }).Check(t, `
		local function ok(v, err) assert(v == true and err == nil, tostring(err)) end
		local function fails(kind, text, v, err)
			assert(v == nil and err:kind() == kind and err:message() == text and err:retryable() == false, tostring(err))
		end
		`+body)
}

func TestFunctions(t *testing.T) {
	m := metrics.New()
	check(t, m, `
		ok(metrics.counter_inc("c", { a = "x", b = 1, [2] = "y", c = true, d = {} }))
		ok(metrics.counter_inc("c", { a = "x" }))
		ok(metrics.counter_inc("c"))
		ok(metrics.counter_inc("c", "not a table"))
		ok(metrics.counter_add("c", 2.5, { other = "z" }))
		ok(metrics.counter_add("c", 0))
		ok(metrics.gauge_set("g", -3))
		ok(metrics.gauge_inc("g"))
		ok(metrics.gauge_inc("g"))
		ok(metrics.gauge_dec("g", nil))
		ok(metrics.gauge_dec("g", { a = "x" }))
		ok(metrics.histogram("h", 0.3, { a = "x" }))
		ok(metrics.histogram("my.hist", 100))
		fails("Invalid", "metric c is a counter, not a gauge", metrics.gauge_set("c", 1))
		fails("Invalid", "a counter cannot decrease", metrics.counter_add("c", -1))
		fails("Invalid", "value is not a number", metrics.gauge_set("g", 0 / 0))
		fails("Invalid", "invalid metric name", metrics.counter_inc(""))
		fails("Invalid", "invalid label name", metrics.counter_inc("c", { __name__ = "x" }))
		for name, f in pairs(metrics) do assert(not pcall(f) and not pcall(f, {}), name) end
		assert(not pcall(metrics.counter_add, "c") and not pcall(metrics.gauge_set, "g", "x"))`)
	var b strings.Builder
	for _, f := range m.Gather() {
		for _, p := range f.Points {
			if p.Value != 0 && f.Name != "metrics_dropped_total" {
				fmt.Fprintln(&b, f.Type, f.Name, p.Labels, p.Value)
			}
		}
	}
	if got, want := b.String(), `counter c [] 2
counter c [{a x}] 2
counter c [{other z}] 2.5
gauge g [] -2
gauge g [{a x}] -1
histogram h [{a x}] 0.3
histogram my.hist [] 100
`; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestTooMuchIsDroppedAndCounted(t *testing.T) {
	m := metrics.New(metrics.WithLimits(metrics.Limits{Series: 20}))
	check(t, m, `
		for i = 1, 1000 do ok(metrics.counter_inc("c", { user = "u" .. i })) end
		local many = {}
		for i = 1, 100 do many["l" .. i] = "x" end
		ok(metrics.counter_inc("c", many))
		ok(metrics.gauge_set("g", 1, { text = ("x"):rep(100000) }))`)
	for reason, want := range map[string]float64{"series": 980, "labels": 1} {
		if v := m.Counter("metrics_dropped_total", metrics.Label{Name: "reason", Value: reason}).Value(); v != want {
			t.Errorf("%s: %v", reason, v)
		}
	}
	for _, f := range m.Gather() {
		for _, p := range f.Points {
			for _, l := range p.Labels {
				if len(l.Value) > 2000 {
					t.Errorf("a label of %d bytes", len(l.Value))
				}
			}
		}
	}
}

func TestWithoutMetrics(t *testing.T) {
	check(t, nil, `
		for _, name in ipairs({ "counter_inc", "gauge_inc", "gauge_dec" }) do
			fails("Internal", "metrics collector not available", metrics[name]("x"))
		end
		for _, name in ipairs({ "counter_add", "gauge_set", "histogram" }) do
			fails("Internal", "metrics collector not available", metrics[name]("x", 1))
		end`)
}
