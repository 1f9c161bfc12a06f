// SPDX-License-Identifier: Apache-2.0

package otel

import (
	"context"
	"maps"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/wippy/service/queue"
)

// Publishing is the interceptor that makes a span of every message that is published, and lets the message
// carry the trace to whoever handles it. A message that carries one already keeps it.
func (t *Tracing) Publishing() queue.Interceptor {
	return queue.Interceptor{Name: "otel", Order: t.config.CallsOrder, Wrap: func(next queue.PublishFunc) queue.PublishFunc {
		return func(ctx context.Context, id string, m *queue.Message) error {
			span, inside := t.start(traceOf(appctx.FrameFrom(ctx)), id+".publish", trace.SpanKindProducer,
				attribute.String("messaging.destination.name", id), attribute.String("messaging.message.id", m.ID))
			marked := *m
			marked.Headers = maps.Clone(m.Headers)
			if marked.Headers == nil {
				marked.Headers = map[string]any{}
			}
			t.inject(inside, headers(marked.Headers))
			for name, v := range m.Headers {
				marked.Headers[name] = v
			}
			err := next(ctx, id, &marked)
			end(span, err)
			return err
		}
	}}
}

// consume begins the span of a message that is handled.
func (t *Tracing) consume(d *queue.Delivery) (trace.Span, Trace) {
	return t.start(t.extract(headers(d.Message.Headers)), "queue.consume", trace.SpanKindConsumer,
		attribute.String("messaging.message.id", d.Message.ID), attribute.Int("messaging.delivery_attempt", d.Attempt))
}

// headers are those of a message.
type headers map[string]any

// Get implements propagation.TextMapCarrier.
func (h headers) Get(name string) string {
	text, _ := h[name].(string)
	return text
}

// Set implements propagation.TextMapCarrier.
func (h headers) Set(name, value string) { h[name] = value }

// Keys implements propagation.TextMapCarrier.
func (h headers) Keys() []string { return slices.Sorted(maps.Keys(h)) }
