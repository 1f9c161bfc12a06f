// SPDX-License-Identifier: Apache-2.0

package otel

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/wippyrun/kit/wippy/system/lifecycle"
)

// Started makes a span of the start of a process, in the trace of whoever spawned it. It implements
// lifecycle.Observer.
func (t *Tracing) Started(s *lifecycle.Spawned, e *lifecycle.Event) {
	if t.config.Processes && t.config.ProcessLifecycles {
		span, _ := t.start(traceOf(s.Spawn.Frame), s.Spawn.Source+".started", trace.SpanKindInternal, about(e)...)
		end(span, nil)
	}
}

// Stopped makes a span of its end.
func (t *Tracing) Stopped(s *lifecycle.Spawned, e *lifecycle.Event) {
	if t.config.Processes && t.config.ProcessLifecycles {
		span, _ := t.start(traceOf(s.Spawn.Frame), s.Spawn.Source+".terminated", trace.SpanKindInternal,
			append(about(e), attribute.Float64("process.duration", e.Duration.Seconds()))...)
		end(span, e.Error)
	}
}

func about(e *lifecycle.Event) []attribute.KeyValue {
	attributes := []attribute.KeyValue{
		attribute.String("process.pid", e.PID), attribute.String("process.host", e.Host), attribute.String("process.source", e.Source),
	}
	if e.Parent != "" {
		attributes = append(attributes, attribute.String("process.parent", e.Parent))
	}
	if e.Name != "" {
		attributes = append(attributes, attribute.String("process.name", e.Name))
	}
	return attributes
}
