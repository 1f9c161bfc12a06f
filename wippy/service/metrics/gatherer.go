// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	dto "github.com/prometheus/client_model/go"

	"github.com/wippyrun/kit/wippy/system/metrics"
)

// Gatherer gives metrics in the form of Prometheus, together with the figures of the Go runtime and
// of the operating system about this process. A metric that has the name of one of those is left out.
func Gatherer(m *metrics.Metrics) prometheus.Gatherer {
	machine := prometheus.NewRegistry()
	machine.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		out, err := machine.Gather()
		taken := make(map[string]bool, len(out))
		for _, f := range out {
			taken[f.GetName()] = true
		}
		for _, f := range m.Gather() {
			if !taken[f.Name] {
				out = append(out, convert(f))
			}
		}
		return out, err
	})
}

func convert(f metrics.Family) *dto.MetricFamily {
	out := &dto.MetricFamily{Name: &f.Name, Metric: make([]*dto.Metric, len(f.Points))}
	if f.Help != "" {
		out.Help = &f.Help
	}
	switch f.Type {
	case metrics.CounterType:
		out.Type = dto.MetricType_COUNTER.Enum()
	case metrics.GaugeType:
		out.Type = dto.MetricType_GAUGE.Enum()
	case metrics.HistogramType:
		out.Type = dto.MetricType_HISTOGRAM.Enum()
	}
	for i, p := range f.Points {
		m := &dto.Metric{Label: make([]*dto.LabelPair, len(p.Labels))}
		for j, l := range p.Labels {
			m.Label[j] = &dto.LabelPair{Name: &l.Name, Value: &l.Value}
		}
		switch f.Type {
		case metrics.CounterType:
			m.Counter = &dto.Counter{Value: &p.Value}
		case metrics.GaugeType:
			m.Gauge = &dto.Gauge{Value: &p.Value}
		case metrics.HistogramType:
			m.Histogram = distribution(p)
		}
		out.Metric[i] = m
	}
	return out
}

// distribution is a histogram with cumulative buckets.
func distribution(p metrics.Point) *dto.Histogram {
	h := &dto.Histogram{SampleSum: &p.Value, Bucket: make([]*dto.Bucket, len(metrics.Buckets))}
	total := uint64(0)
	for i, n := range p.Counts {
		total += n
		if i < len(h.Bucket) {
			bound, count := metrics.Buckets[i], total
			h.Bucket[i] = &dto.Bucket{UpperBound: &bound, CumulativeCount: &count}
		}
	}
	h.SampleCount = &total
	return h
}
