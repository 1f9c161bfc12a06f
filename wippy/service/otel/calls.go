// SPDX-License-Identifier: Apache-2.0

package otel

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/queue"
	"github.com/wippyrun/kit/wippy/system/functions"
)

// Calls is the interceptor that makes a span of every call of a function. A call that handles a message
// of a queue is in a span of its own, which continues the trace of whoever published the message.
func (t *Tracing) Calls() functions.Interceptor {
	return functions.Interceptor{Name: "otel", Order: t.config.CallsOrder, Wrap: func(next functions.CallFunc) functions.CallFunc {
		return func(ctx context.Context, task functions.Task, done functions.Done) func() {
			parent := traceOf(task.Frame)
			var consumer trace.Span
			if d, ok := queue.Current.Get(task.Frame); ok && t.config.Queues && !parent.Span.IsValid() {
				consumer, parent = t.consume(d)
			}
			attributes := []attribute.KeyValue{attribute.String("frame.id", task.ID)}
			if !task.Caller.IsZero() {
				attributes = append(attributes, attribute.String("process.pid", task.Caller.String()))
			}
			span, inside := t.start(parent, task.ID, trace.SpanKindInternal, attributes...)
			frame, err := within(task.Frame, inside)
			if err == nil {
				task.Frame = frame
			}
			return next(ctx, task, func(result payload.Payload, err error) {
				end(span, err)
				if consumer != nil {
					end(consumer, err)
				}
				if frame != nil {
					_ = frame.Release() // it holds nothing but what the caller has
				}
				done(result, err)
			})
		}
	}}
}
