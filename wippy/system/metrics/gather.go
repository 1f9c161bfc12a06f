// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"maps"
	"slices"
	"strings"
)

// Family is a metric at one moment.
type Family struct {
	Name, Help string
	Type       Type
	Points     []Point
}

// Point is a series at one moment.
type Point struct {
	Labels []Label // sorted by name; must not be changed
	Value  float64 // the sum of a histogram
	// Counts are those of a histogram, per bucket: values up to each of [Buckets], and above. They
	// are not cumulative. A value that comes in meanwhile may be in the sum and not in a bucket.
	Counts []uint64
}

// Gather returns all metrics, sorted by name, and their series, sorted by labels. It is done one
// caller at a time.
func (m *Metrics) Gather() []Family {
	if m == nil {
		return nil
	}
	m.turn.Lock()
	defer m.turn.Unlock()
	m.mu.RLock()
	sources := slices.Clone(m.sources)
	m.mu.RUnlock()
	for _, f := range sources {
		f()
	}
	m.mu.RLock()
	families := slices.SortedFunc(maps.Values(m.families), func(a, b *family) int { return strings.Compare(a.name, b.name) })
	out := make([]Family, 0, len(families))
	for _, f := range families {
		out = append(out, Family{Name: f.name, Help: m.help[plain(f.name)], Type: f.kind})
	}
	m.mu.RUnlock()
	for i, f := range families {
		out[i].Points = f.points()
	}
	return slices.DeleteFunc(out, func(f Family) bool { return len(f.Points) == 0 })
}

func (f *family) points() []Point {
	f.mu.RLock()
	keys := slices.Sorted(maps.Keys(f.series))
	all := make([]*Series, len(keys))
	for i, k := range keys {
		all[i] = f.series[k]
	}
	f.mu.RUnlock()
	out := make([]Point, len(all))
	for i, s := range all {
		out[i] = Point{Labels: s.labels, Value: s.Value()}
		if s.kind == HistogramType {
			out[i].Counts = make([]uint64, len(s.counts))
			for j := range s.counts {
				out[i].Counts[j] = s.counts[j].Load()
			}
		}
	}
	return out
}

// Reset takes out the series of a metric, for gauges whose labels come and go: OnGather functions
// set those there are anew.
func (m *Metrics) Reset(name string) {
	if m == nil {
		return
	}
	m.mu.RLock()
	f := m.families[plain(name)]
	m.mu.RUnlock()
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.series)
}
