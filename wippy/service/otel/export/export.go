// SPDX-License-Identifier: Apache-2.0

// Package export sends what wippy/service/otel traces, and what is counted, to an OpenTelemetry collector. It is a
// package of its own so that only programs that want it depend on what it takes.
package export

import (
	"context"

	"github.com/wippyrun/kit/wippy/service/otel"
	"github.com/wippyrun/kit/wippy/service/otlp"
	"github.com/wippyrun/kit/wippy/system/metrics"
)

// Start begins to send. It is an otel.Start.
func Start(ctx context.Context, c otel.Config, m *metrics.Metrics, report func(error)) (otel.Telemetry, error) {
	config := otlp.Config{
		Endpoint: c.Endpoint, Protocol: c.Protocol, Insecure: c.Insecure,
		ServiceName: c.ServiceName, ServiceVersion: c.ServiceVersion,
		SampleRate: c.SampleRate, Traces: c.Traces, Report: report,
	}
	if c.Metrics {
		config.Metrics = func() []otlp.Metric { return convert(m.Gather()) }
	}
	return otlp.Start(ctx, config)
}

var kinds = map[metrics.Type]otlp.Kind{
	metrics.CounterType: otlp.Counter, metrics.GaugeType: otlp.Gauge, metrics.HistogramType: otlp.Histogram,
}

func convert(families []metrics.Family) []otlp.Metric {
	out := make([]otlp.Metric, len(families))
	for i, f := range families {
		m := otlp.Metric{Name: f.Name, Help: f.Help, Kind: kinds[f.Type], Points: make([]otlp.Point, len(f.Points))}
		if f.Type == metrics.HistogramType {
			m.Bounds = metrics.Buckets
		}
		for j, p := range f.Points {
			labels := make(map[string]string, len(p.Labels))
			for _, l := range p.Labels {
				labels[l.Name] = l.Value
			}
			m.Points[j] = otlp.Point{Labels: labels, Value: p.Value, Counts: p.Counts}
		}
		out[i] = m
	}
	return out
}
