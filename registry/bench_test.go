// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/wippyrun/kit/registry"
)

func benchEntry(i int) registry.Entry {
	return registry.Entry{
		ID:   registry.NewID(fmt.Sprintf("app.ns%d", i%100), fmt.Sprintf("entry_%d", i)),
		Kind: fmt.Sprintf("test.kind%d", i%20),
		Meta: map[string]any{"type": fmt.Sprintf("t%d", i%500), "title": fmt.Sprintf("Entry %d", i), "tags": []any{"a", fmt.Sprintf("tag%d", i%50)}},
		Data: map[string]any{"n": float64(i), "method": "main"},
	}
}

func filled(b testing.TB, n int, opts ...registry.Option) *registry.Registry {
	b.Helper()
	r := newRegistry(b, opts...)
	if err := r.Listen("test.*", nop{}); err != nil {
		b.Fatal(err)
	}
	es := make([]registry.Entry, n)
	for i := range es {
		es[i] = benchEntry(i)
	}
	if err := r.LoadState(b.Context(), es); err != nil {
		b.Fatal(err)
	}
	return r
}

// quickest runs batches of n items and reports the time per item in the quickest of them:
// the one that other work of the machine disturbed least. The batches run at different
// depths of the stack, because processors that tell cache lines apart by a part of their
// address may take the page of the stack for a page that is read all the time, which then
// costs as much again as a look-up.
func quickest(b *testing.B, n int, batch func()) {
	b.ReportAllocs()
	best := time.Duration(math.MaxInt64)
	depth := 0
	for b.Loop() {
		start := time.Now()
		atDepth(depth, batch)
		best = min(best, time.Since(start))
		depth = (depth + 37) % 256
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/item")
	b.ReportMetric(float64(best.Nanoseconds())/float64(n), "best-ns/item")
}

//go:noinline
func atDepth(n int, f func()) {
	if n == 0 {
		f()
		return
	}
	atDepth(n-1, f)
}

// BenchmarkGet looks up 1024 entries in turn, or one, beside a map with a lock and a map
// that nobody may change.
func BenchmarkGet(b *testing.B) {
	for _, n := range []int{100, 10_000, 100_000} {
		keys := make([]registry.ID, 1024)
		for i := range keys {
			keys[i] = benchEntry(i * 7919 % n).ID
		}
		r := filled(b, n)
		m := map[registry.ID]registry.Entry{}
		for e := range r.Snapshot().All() {
			m[e.ID] = e
		}
		var mu sync.RWMutex
		get := func(keys []registry.ID) func() {
			return func() {
				for _, k := range keys {
					if _, err := r.Get(k); err != nil {
						b.Fatal(err)
					}
				}
			}
		}
		b.Run(fmt.Sprintf("one/%d", n), func(b *testing.B) {
			quickest(b, len(keys), get(slices.Repeat(keys[:1], len(keys))))
		})
		b.Run(fmt.Sprintf("spread/%d", n), func(b *testing.B) { quickest(b, len(keys), get(keys)) })
		b.Run(fmt.Sprintf("rwmutex-map-spread/%d", n), func(b *testing.B) {
			quickest(b, len(keys), func() {
				for _, k := range keys {
					mu.RLock()
					e, ok := m[k]
					mu.RUnlock()
					if !ok || e.Kind == "" {
						b.Fatal("missing")
					}
				}
			})
		})
		b.Run(fmt.Sprintf("map-spread/%d", n), func(b *testing.B) {
			quickest(b, len(keys), func() {
				for _, k := range keys {
					if e, ok := m[k]; !ok || e.Kind == "" {
						b.Fatal("missing")
					}
				}
			})
		})
	}
}

func BenchmarkApplyOne(b *testing.B) {
	for _, n := range []int{100, 1000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := filled(b, n)
			changes := make([]registry.Changeset, 1024)
			for i := range changes {
				e := benchEntry(i * 7919 % n)
				e.Data = map[string]any{"n": float64(i + 1)}
				changes[i] = registry.Changeset{{Kind: registry.Update, Entry: e}}
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, err := r.Apply(b.Context(), changes[i&1023]); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

// The query cache is off, so that every search is done.
func BenchmarkFindUncached(b *testing.B) {
	r := filled(b, 10_000, registry.WithQueryCache(0, 100))
	for name, q := range map[string]map[string]any{
		"meta":      {"meta.type": "t7"},
		"kind+meta": {".kind": "test.kind7", "meta.tags": "tag7"},
		"id":        {".id": "app.ns7:entry_7"},
		"ns":        {".ns": "app.ns7"},
		"kind-glob": {".kind": "test.*", "meta.type": []any{}, "meta.title": "Entry 42"},
		"scan":      {"~meta.title": "^Entry 42$"},
	} {
		b.Run(name, func(b *testing.B) {
			found := len(r.Find(q))
			b.ReportAllocs()
			for b.Loop() {
				r.Find(q)
			}
			b.ReportMetric(float64(found), "found")
		})
	}
}

func BenchmarkFindCached(b *testing.B) {
	r := filled(b, 10_000)
	q := map[string]any{".kind": "test.kind7", "meta.type": "t7"}
	r.Find(q)
	b.ReportAllocs()
	for b.Loop() {
		r.Find(q)
	}
}

// Every search is the first one after a change.
func BenchmarkFindAfterChange(b *testing.B) {
	r := filled(b, 10_000)
	q := map[string]any{"meta.type": "t7"}
	r.Find(q)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		b.StopTimer()
		e := benchEntry(i % 10_000)
		e.Data = float64(i)
		if _, err := r.Apply(b.Context(), registry.Changeset{{Kind: registry.Update, Entry: e}}); err != nil {
			b.Fatal(err)
		}
		i++
		b.StartTimer()
		r.Find(q)
	}
}

func BenchmarkLoadState(b *testing.B) {
	es := make([]registry.Entry, 10_000)
	for i := range es {
		es[i] = benchEntry(i)
	}
	b.ReportAllocs()
	for b.Loop() {
		r := newRegistry(b)
		if err := r.Listen("test.*", nop{}); err != nil {
			b.Fatal(err)
		}
		if err := r.LoadState(b.Context(), es); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(es)), "ns/entry")
}
