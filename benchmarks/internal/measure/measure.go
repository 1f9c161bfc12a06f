// SPDX-License-Identifier: Apache-2.0

// Package measure holds what all suites measure with, so that ours and the peers
// are treated alike.
package measure

import (
	"runtime"
	"testing"
	"time"
)

// Items runs a benchmark whose batch handles n items to the end, and reports time
// and allocations per item. Many of the things compared here are asynchronous: only a
// whole batch has a moment at which everything that was asked for has happened.
func Items(b *testing.B, n int, batch func()) {
	b.Helper()
	b.ReportAllocs()
	var before, after runtime.MemStats
	batch() // warm: pools, stacks, the caches of ours and theirs
	runtime.ReadMemStats(&before)
	for b.Loop() {
		batch()
	}
	elapsed := b.Elapsed()
	runtime.ReadMemStats(&after)
	items := float64(b.N) * float64(n)
	b.ReportMetric(float64(elapsed.Nanoseconds())/items, "ns/op")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/items, "B/op")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/items, "allocs/op")
}

// Memory returns the bytes in live heap objects and in the stacks of goroutines.
func Memory() int64 {
	runtime.GC()
	runtime.GC() // the first one only empties pools
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// PerItem runs a benchmark that makes n things and keeps them. create returns when all
// are there and idle, and a function that ends them. Time and live memory are reported
// per thing.
func PerItem(b *testing.B, n int, create func() (end func())) {
	b.Helper()
	var spent time.Duration
	var bytes int64
	for b.Loop() {
		before := Memory()
		start := time.Now()
		end := create()
		spent += time.Since(start)
		bytes += Memory() - before
		end()
	}
	items := float64(b.N) * float64(n)
	b.ReportMetric(float64(spent.Nanoseconds())/items, "ns/op")
	b.ReportMetric(float64(bytes)/items, "B/item")
}
