// SPDX-License-Identifier: Apache-2.0

package measure_test

import (
	"testing"
	"time"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
)

func TestQuantileIsTheNearestRank(t *testing.T) {
	var hundred measure.Latencies
	for i := range 100 {
		hundred = append(hundred, time.Duration(100-i)) // 100 … 1
	}
	for _, c := range []struct {
		l    measure.Latencies
		q    float64
		want time.Duration
	}{
		{hundred, 0, 1},
		{hundred, 0.5, 50},
		{hundred, 0.99, 99},
		{hundred, 0.995, 100},
		{hundred, 1, 100},
		{measure.Latencies{7}, 0.5, 7},
		{measure.Latencies{9, 7}, 0.5, 7},
		{measure.Latencies{9, 7}, 0.51, 9},
	} {
		if got := c.l.Quantile(c.q); got != c.want {
			t.Errorf("quantile %v of %d latencies is %d, want %d", c.q, len(c.l), got, c.want)
		}
	}
}

func TestDistributionIsReportedByItsUnits(t *testing.T) {
	l := measure.Latencies{4, 1, 3, 2, 40}
	r := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
		}
		l.Report(b)
	})
	for unit, want := range map[string]float64{"ns/op": 10, "p50-ns": 3, "p99-ns": 40, "max-ns": 40} {
		if got := r.Extra[unit]; got != want {
			t.Errorf("%s is %v, want %v", unit, got, want)
		}
	}
}
