// SPDX-License-Identifier: Apache-2.0

// Package metrics counts and measures: what the runtime does, and what programs say they do.
//
// # Basics
//
//	m := metrics.New()
//	hits := m.Counter("cache_hits_total", metrics.Label{Name: "cache", Value: "users"})
//	hits.Add(1)
//	m.Histogram("load_seconds").Observe(0.12)
//	families := m.Gather()
//
// A metric is a name with a type, its series are told apart by their labels. The type is that of
// the first use; series of one metric may have different label names. Who counts often keeps the
// series, whose methods are a few atomic operations; programs look it up each time.
//
// Everything works on a nil [Metrics] and on nil series: nothing is counted then.
//
// # Guarantees
//
//   - Recording never blocks and loses nothing (TestConcurrentRecording).
//   - Whatever names and labels come in, memory stays bounded: see [Limits]. What is refused is
//     counted, by reason, in metrics_dropped_total (TestLimits, FuzzLabels).
//   - What [Metrics.Gather] returns is sorted and can be written in every format of Prometheus: one
//     type per name, no two series with the same labels, valid UTF-8 (TestGatheredIsValid in
//     wippy/service/metrics).
//
// # Costs
//
// Recording on a series that is kept costs some nanoseconds and allocates nothing, looking one up
// about a hundred (BenchmarkCounter, BenchmarkLookup). A series takes some 200 bytes and its labels,
// a histogram 120 more.
package metrics
