// SPDX-License-Identifier: Apache-2.0

// Package metrics is the Lua module metrics: programs count and measure. All calls are immediate.
//
// Names and labels are those of the program. What cannot be counted, because the metric has another type
// or a counter would shrink, is an error of kind Invalid; what is too much, see the limits of
// wippy/system/metrics, is dropped and counted in metrics_dropped_total.
package metrics

import (
	"math"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/metrics"
)

// Module returns the Lua module. Without metrics every call is an error of kind Internal.
func Module(m *metrics.Metrics) engine.Module {
	return engine.Module{
		Name:    "metrics",
		Classes: []string{"io", "nondeterministic"},
		Build: func(b *engine.Builder) error {
			for name, f := range map[string]function{
				"counter_inc": {metrics.CounterType, one, (*metrics.Series).Add},
				"counter_add": {metrics.CounterType, given, (*metrics.Series).Add},
				"gauge_set":   {metrics.GaugeType, given, (*metrics.Series).Set},
				"gauge_inc":   {metrics.GaugeType, one, (*metrics.Series).Add},
				"gauge_dec":   {metrics.GaugeType, minusOne, (*metrics.Series).Add},
				"histogram":   {metrics.HistogramType, given, (*metrics.Series).Observe},
			} {
				b.Func(name, f.of(m))
			}
			return nil
		},
	}
}

// function is one function of the module.
type function struct {
	kind   metrics.Type
	value  func(L *lua.LState) (v float64, labels int) // and which argument has the labels
	record func(*metrics.Series, float64)
}

func one(*lua.LState) (v float64, labels int)      { return 1, 2 }
func minusOne(*lua.LState) (v float64, labels int) { return -1, 2 }
func given(L *lua.LState) (v float64, labels int)  { return float64(L.CheckNumber(2)), 3 }

func invalid(L *lua.LState, message string) int {
	return engine.PushError(L, engine.NewError(engine.KindInvalid, message))
}

func (f function) of(m *metrics.Metrics) lua.LGFunction {
	return func(L *lua.LState) int {
		name := L.CheckString(1)
		v, at := f.value(L)
		switch {
		case m == nil:
			return engine.PushError(L, engine.NewError(engine.KindInternal, "metrics collector not available"))
		case math.IsNaN(v):
			return invalid(L, "value is not a number")
		case f.kind == metrics.CounterType && v < 0:
			return invalid(L, "a counter cannot decrease")
		}
		series, err := m.Find(f.kind, name, labels(L.Get(at)))
		switch fault.KindOf(err) {
		case fault.Unknown: // none
			f.record(series, v)
		case fault.LimitExceeded: // counted there; recording is lossy
		default:
			return engine.PushError(L, err)
		}
		L.Push(lua.LTrue)
		L.Push(lua.LNil)
		return 2
	}
}

// labels reads the pairs of texts of a table; whatever else there is counts as nothing.
func labels(v lua.LValue) []metrics.Label {
	t, ok := v.(*lua.LTable)
	if !ok {
		return nil
	}
	var out []metrics.Label
	engine.Unwrap(t).ForEach(func(name, value lua.LValue) {
		n, isName := name.(lua.LString)
		text, isText := value.(lua.LString)
		if isName && isText {
			out = append(out, metrics.Label{Name: string(n), Value: string(text)})
		}
	})
	return out
}
