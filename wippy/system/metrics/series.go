// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"math"
	"slices"
	"sync/atomic"
	"time"
)

// Buckets are the upper bounds of histograms: those that Prometheus clients have by default, made for
// seconds.
var Buckets = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// Series is one value, or one distribution. All methods may be called concurrently and on nil, where
// they do nothing.
type Series struct {
	labels []Label
	kind   Type
	bits   atomic.Uint64   // the value or the sum, as a float64
	counts []atomic.Uint64 // of a histogram: per bucket, the last one above all bounds
}

func newSeries(kind Type, labels []Label) *Series {
	s := &Series{labels: labels, kind: kind}
	if kind == HistogramType {
		s.counts = make([]atomic.Uint64, len(Buckets)+1)
	}
	return s
}

// Add adds to a counter or a gauge. A counter takes nothing that is negative, neither takes what is
// not a number.
func (s *Series) Add(v float64) {
	if s == nil || math.IsNaN(v) || s.kind == HistogramType || s.kind == CounterType && v < 0 {
		return
	}
	s.add(v)
}

func (s *Series) add(v float64) {
	for {
		old := s.bits.Load()
		if s.bits.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+v)) {
			return
		}
	}
}

// Set sets a gauge; of a counter, what somebody else has counted.
func (s *Series) Set(v float64) {
	if s == nil || s.kind == HistogramType {
		return
	}
	s.bits.Store(math.Float64bits(v))
}

// Observe adds one value to a histogram.
func (s *Series) Observe(v float64) {
	if s == nil || s.kind != HistogramType || math.IsNaN(v) {
		return
	}
	i, _ := slices.BinarySearch(Buckets, v)
	s.counts[i].Add(1)
	s.add(v)
}

// Since observes the seconds since a time.
func (s *Series) Since(begin time.Time) { s.Observe(time.Since(begin).Seconds()) }

// Value returns the value of a counter or a gauge, the sum of a histogram.
func (s *Series) Value() float64 {
	if s == nil {
		return 0
	}
	return math.Float64frombits(s.bits.Load())
}
