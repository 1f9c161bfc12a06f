// SPDX-License-Identifier: Apache-2.0

package measure

import (
	"slices"
	"testing"
	"time"
)

// Latencies are how long single things took: a distribution instead of a mean. The
// zero value is empty and ready for use. Not safe for concurrent use.
type Latencies []time.Duration

// Report adds the distribution to the benchmark's results: the mean as ns/op, the median
// and the 99th percentile as p50-ns and p99-ns, the worst as max-ns. There must be at
// least one.
func (l Latencies) Report(b *testing.B) {
	b.Helper()
	var sum time.Duration
	for _, d := range l {
		sum += d
	}
	b.ReportMetric(float64(sum.Nanoseconds())/float64(len(l)), "ns/op")
	b.ReportMetric(float64(l.Quantile(0.5).Nanoseconds()), "p50-ns")
	b.ReportMetric(float64(l.Quantile(0.99).Nanoseconds()), "p99-ns")
	b.ReportMetric(float64(l.Quantile(1).Nanoseconds()), "max-ns")
}

// Quantile returns the smallest latency that at least the share q (0 to 1) of all does
// not exceed: the nearest-rank definition, which never invents a value. It sorts the
// latencies.
func (l Latencies) Quantile(q float64) time.Duration {
	slices.Sort(l)
	rank := int(q * float64(len(l)))
	if float64(rank) < q*float64(len(l)) {
		rank++
	}
	return l[min(max(rank, 1), len(l))-1]
}
