// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/system/functions"
	"github.com/wippyrun/kit/wippy/system/metrics"
)

// The metrics of calls.
const (
	callsName    = "wippy_function_calls"
	durationName = "wippy_function_duration"
	inFlightName = "wippy_function_in_flight"
)

// callsOrder puts counting around everything else: one call with its retries is one call.
const callsOrder = 10

// unknownFunction stands for all functions that do not exist.
const unknownFunction = "unknown"

// Calls counts the calls of functions, how long they take, and how many are under way. has tells
// whether there is a function of an id: the others share one series, because their callers choose the
// ids.
func Calls(m *metrics.Metrics, has func(id string) bool) functions.Interceptor {
	m.Describe(callsName, "Calls of functions that have ended, by outcome.")
	m.Describe(durationName, "How long calls of functions took, in seconds.")
	m.Describe(inFlightName, "Calls of functions that are under way.")
	var known sync.Map // function id → *callSeries, of functions there are or were
	return functions.Interceptor{Name: "metrics", Order: callsOrder, Wrap: func(next functions.CallFunc) functions.CallFunc {
		return func(ctx context.Context, task functions.Task, done functions.Done) func() {
			id := task.ID
			if !has(id) {
				id = unknownFunction
			}
			v, ok := known.Load(id)
			if !ok {
				v, _ = known.LoadOrStore(id, newCallSeries(m, id))
			}
			s := v.(*callSeries)
			begin := time.Now()
			s.inFlight.Add(1)
			return next(ctx, task, func(result payload.Payload, err error) {
				s.inFlight.Add(-1)
				s.duration.Since(begin)
				if err != nil {
					s.failed.Add(1)
				} else {
					s.succeeded.Add(1)
				}
				done(result, err)
			})
		}
	}}
}

// callSeries are the series of one function.
type callSeries struct{ inFlight, duration, succeeded, failed *metrics.Series }

func newCallSeries(m *metrics.Metrics, id string) *callSeries {
	function := metrics.Label{Name: "function_id", Value: id}
	return &callSeries{
		inFlight:  m.Gauge(inFlightName, function),
		duration:  m.Histogram(durationName, function),
		succeeded: m.Counter(callsName, function, metrics.Label{Name: "status", Value: "success"}),
		failed:    m.Counter(callsName, function, metrics.Label{Name: "status", Value: "error"}),
	}
}
