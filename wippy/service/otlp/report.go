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

// spans is an exporter of spans that does not fail and that can be interrupted: a batch processor that stops goes on
// trying to send for as long as its exporter does.
type spans struct {
	sdktrace.SpanExporter
	reporter *reporter
	life     context.Context // what is under way ends with it
	down     chan struct{}   // closed by Shutdown
}

// ExportSpans sends a batch.
func (s *spans) ExportSpans(ctx context.Context, batch []sdktrace.ReadOnlySpan) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	return s.reporter.take(s.SpanExporter.ExportSpans(ctx, batch))
}

// Shutdown is the last thing that a batch processor calls, once.
func (s *spans) Shutdown(ctx context.Context) error {
	defer close(s.down)
	return s.SpanExporter.Shutdown(ctx)
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
