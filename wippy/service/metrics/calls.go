// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
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
	return functions.Interceptor{Name: "metrics", Order: callsOrder, Wrap: func(next functions.CallFunc) functions.CallFunc {
		return func(ctx context.Context, task functions.Task, done functions.Done) func() {
			function := metrics.Label{Name: "function_id", Value: unknownFunction}
			if has(task.ID) {
				function.Value = task.ID
			}
			begin := time.Now()
			inFlight := m.Gauge(inFlightName, function)
			inFlight.Add(1)
			return next(ctx, task, func(result payload.Payload, err error) {
				inFlight.Add(-1)
				m.Histogram(durationName, function).Since(begin)
				status := "success"
				if err != nil {
					status = "error"
				}
				m.Counter(callsName, function, metrics.Label{Name: "status", Value: status}).Add(1)
				done(result, err)
			})
		}
	}}
}
