// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// Kind is what a metric measures.
type Kind uint8

// The kinds.
const (
	Counter   Kind = iota + 1 // only grows
	Gauge                     // goes up and down
	Histogram                 // a distribution
)

// Metric is a metric at one moment.
type Metric struct {
	Name, Help string
	Kind       Kind
	Bounds     []float64 // upper bounds of the buckets of a histogram
	Points     []Point
}

// Point is one series of a metric.
type Point struct {
	Labels map[string]string
	Value  float64  // the sum of a histogram
	Counts []uint64 // of a histogram: per bucket, and one more for what is above all bounds
}

// scope is the name under which they are sent.
const scope = "github.com/wippyrun/kit/wippy"

// producer reads metrics for an exporter. What it sends is cumulative, since the time it was made.
type producer struct {
	read  func() []Metric
	start time.Time
}

func newProducer(read func() []Metric) *producer { return &producer{read: read, start: time.Now()} }

// Produce implements metric.Producer.
func (p *producer) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	now := time.Now()
	all := p.read()
	out := metricdata.ScopeMetrics{Scope: instrumentation.Scope{Name: scope}, Metrics: make([]metricdata.Metrics, 0, len(all))}
	for _, m := range all {
		out.Metrics = append(out.Metrics, metricdata.Metrics{Name: m.Name, Description: m.Help, Data: p.data(m, now)})
	}
	return []metricdata.ScopeMetrics{out}, nil
}

func (p *producer) data(m Metric, now time.Time) metricdata.Aggregation {
	if m.Kind == Histogram {
		h := metricdata.Histogram[float64]{Temporality: metricdata.CumulativeTemporality}
		for _, point := range m.Points {
			d := metricdata.HistogramDataPoint[float64]{
				Attributes: labels(point.Labels), StartTime: p.start, Time: now,
				Bounds: m.Bounds, BucketCounts: point.Counts, Sum: point.Value,
			}
			for _, n := range point.Counts {
				d.Count += n
			}
			h.DataPoints = append(h.DataPoints, d)
		}
		return h
	}
	values := make([]metricdata.DataPoint[float64], len(m.Points))
	for i, point := range m.Points {
		values[i] = metricdata.DataPoint[float64]{Attributes: labels(point.Labels), StartTime: p.start, Time: now, Value: point.Value}
	}
	if m.Kind == Counter {
		return metricdata.Sum[float64]{DataPoints: values, Temporality: metricdata.CumulativeTemporality, IsMonotonic: true}
	}
	return metricdata.Gauge[float64]{DataPoints: values}
}

func labels(all map[string]string) attribute.Set {
	kvs := make([]attribute.KeyValue, 0, len(all))
	for name, value := range all {
		kvs = append(kvs, attribute.String(name, value))
	}
	return attribute.NewSet(kvs...)
}
