// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// reportEvery is how often at most somebody is told that sending fails.
const reportEvery = time.Minute

// reporter keeps errors away from the global handler of OpenTelemetry, which writes them to stderr.
type reporter struct {
	report func(error)

	mu   sync.Mutex // guards last
	last time.Time
}

// take reports an error, unless it did just before, and returns nil.
func (r *reporter) take(err error) error {
	if err == nil {
		return nil
	}
	now := time.Now()
	r.mu.Lock()
	due := r.last.IsZero() || now.Sub(r.last) >= reportEvery
	if due {
		r.last = now
	}
	r.mu.Unlock()
	if due {
		r.report(err)
	}
	return nil
}

// spans is an exporter of spans that does not fail.
type spans struct {
	sdktrace.SpanExporter
	reporter *reporter
}

// ExportSpans sends a batch.
func (s *spans) ExportSpans(ctx context.Context, batch []sdktrace.ReadOnlySpan) error {
	return s.reporter.take(s.SpanExporter.ExportSpans(ctx, batch))
}

// points is an exporter of metrics that does not fail.
type points struct {
	metric.Exporter
	reporter *reporter
}

// Export sends what was read.
func (p *points) Export(ctx context.Context, data *metricdata.ResourceMetrics) error {
	return p.reporter.take(p.Exporter.Export(ctx, data))
}
