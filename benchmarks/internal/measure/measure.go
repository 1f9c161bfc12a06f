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
//
// The metric best-ns is the time per item in the quickest batch: on a busy machine the one
// that was least disturbed.
func Items(b *testing.B, n int, batch func()) {
	b.Helper()
	Timed(b, n, func() time.Duration {
		start := time.Now()
		batch()
		return time.Since(start)
	})
}

// Timed is Items for a batch that says itself how long it took, because not all of it
// is to be counted. Allocations are those of all of it.
func Timed(b *testing.B, n int, batch func() time.Duration) {
	b.Helper()
	b.ReportAllocs()
	var before, after runtime.MemStats
	var t times
	batch() // warm: pools, stacks, the caches of ours and theirs
	runtime.ReadMemStats(&before)
	for b.Loop() {
		t.add(batch())
	}
	runtime.ReadMemStats(&after)
	t.report(b, n)
	items := float64(b.N) * float64(n)
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/items, "B/op")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/items, "allocs/op")
}

// Foreign is Timed for a batch that runs in another program, by that program's clock.
// What it allocates there is not known here and not reported.
func Foreign(b *testing.B, n int, batch func() time.Duration) {
	b.Helper()
	batch()
	var t times
	for b.Loop() {
		t.add(batch())
	}
	t.report(b, n)
}

// times are those of the batches of a benchmark.
type times struct {
	sum, best time.Duration
	count     int
}

func (t *times) add(d time.Duration) {
	if t.count == 0 || d < t.best {
		t.best = d
	}
	t.sum += d
	t.count++
}

// report reports the times per item of batches of n items.
func (t *times) report(b *testing.B, n int) {
	b.Helper()
	b.ReportMetric(float64(t.sum.Nanoseconds())/(float64(t.count)*float64(n)), "ns/op")
	b.ReportMetric(float64(t.best.Nanoseconds())/float64(n), "best-ns")
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
