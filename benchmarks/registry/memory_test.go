// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
	"github.com/wippyrun/kit/registry"
)

// some returns 1024 numbers below n, spread over all of them.
func some(n int) []int {
	out := make([]int, 1024)
	for i := range out {
		out[i] = i * 7919 % n
	}
	return out
}

// moved returns f run at another depth of the stack every time. Processors that tell cache
// lines apart by a part of their address may take the page of the stack for a page that is
// read in every look-up, which then costs 10 ns more; with this the quickest batch is one
// without such an accident, for ours and the peers.
func moved(f func()) func() {
	depth := 0
	return func() {
		depth = (depth + 37) % 256
		atDepth(depth, f)
	}
}

//go:noinline
func atDepth(n int, f func()) {
	if n == 0 {
		f()
		return
	}
	atDepth(n-1, f)
}

// BenchmarkGet looks up entries by id, in no order. The map with a lock is what one would
// write first; it has no versions.
func BenchmarkGet(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("entries=%d", n), func(b *testing.B) { get(b, n) })
	}
}

func get(b *testing.B, n int) {
	var ids [1024]registry.ID
	for i, at := range some(n) {
		ids[i] = entry(at).ID
	}
	var texts [1024]string // apart from the ids in memory
	for i, id := range ids {
		texts[i] = id.String()
	}
	b.Run("ours", func(b *testing.B) {
		r := sharedRegistry(b, n)
		measure.Items(b, len(ids), moved(func() {
			for _, id := range ids[:] {
				if _, err := r.Get(id); err != nil {
					b.Fatal(err)
				}
			}
		}))
	})
	b.Run("rwmutex-map", func(b *testing.B) {
		m := map[registry.ID]registry.Entry{}
		for e := range sharedRegistry(b, n).Snapshot().All() {
			m[e.ID] = e
		}
		var mu sync.RWMutex
		measure.Items(b, len(ids), moved(func() {
			for _, id := range ids[:] {
				mu.RLock()
				e, ok := m[id]
				mu.RUnlock()
				if !ok || e.Kind == "" {
					b.Fatal("missing")
				}
			}
		}))
	})
	b.Run("go-memdb", func(b *testing.B) {
		db := sharedMemDB(b, n)
		measure.Items(b, len(texts), moved(func() {
			for _, text := range texts[:] {
				txn := db.Txn(false)
				if v, err := txn.First("entry", "id", text); err != nil || v == nil {
					b.Fatal("missing", err)
				}
				txn.Abort()
			}
		}))
	})
}

// BenchmarkSnapshot takes a view of 100 000 entries that stays as it is, and reads one of
// them.
func BenchmarkSnapshot(b *testing.B) {
	const n, batch = 100_000, 1024
	id := entry(4711).ID
	b.Run("ours", func(b *testing.B) {
		r := sharedRegistry(b, n)
		measure.Items(b, batch, func() {
			for range batch {
				if _, ok := r.Snapshot().Get(id); !ok {
					b.Fatal("missing")
				}
			}
		})
	})
	b.Run("go-memdb", func(b *testing.B) {
		db, text := sharedMemDB(b, n), id.String()
		measure.Items(b, batch, func() {
			for range batch {
				txn := db.Snapshot().Txn(false)
				if v, err := txn.First("entry", "id", text); err != nil || v == nil {
					b.Fatal("missing", err)
				}
				txn.Abort()
			}
		})
	})
}

// BenchmarkScan visits 100 000 entries in the order of their ids.
func BenchmarkScan(b *testing.B) {
	const n = 100_000
	b.Run("ours", func(b *testing.B) {
		r := sharedRegistry(b, n)
		measure.Items(b, n, func() {
			seen := 0
			for e := range r.Snapshot().All() {
				if e.Kind != "" {
					seen++
				}
			}
			if seen != n {
				b.Fatal(seen)
			}
		})
	})
	b.Run("go-memdb", func(b *testing.B) {
		db := sharedMemDB(b, n)
		measure.Items(b, n, func() {
			txn := db.Txn(false)
			rows, err := txn.Get("entry", "id")
			if err != nil {
				b.Fatal(err)
			}
			seen := 0
			for v := rows.Next(); v != nil; v = rows.Next() {
				seen++
			}
			txn.Abort()
			if seen != n {
				b.Fatal(seen)
			}
		})
	})
}

// BenchmarkApply changes one entry. Ours orders, asks the listener, keeps a version to
// return to and indexes every field; go-memdb does the transaction and three indexes.
func BenchmarkApply(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("entries=%d", n), func(b *testing.B) { apply(b, n) })
	}
}

func apply(b *testing.B, n int) {
	var changed [256]registry.Entry
	for i, at := range some(n)[:len(changed)] {
		changed[i] = entry(at)
		changed[i].Data = map[string]any{"n": float64(-i - 1)}
	}
	b.Run("ours", func(b *testing.B) {
		r := sharedRegistry(b, n)
		measure.Items(b, len(changed), func() {
			for _, e := range changed[:] {
				c := registry.Changeset{{Kind: registry.Update, Entry: e}}
				if _, err := r.Apply(context.Background(), c); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
	b.Run("go-memdb", func(b *testing.B) {
		db := sharedMemDB(b, n)
		measure.Items(b, len(changed), func() {
			for _, e := range changed[:] {
				txn := db.Txn(true)
				if err := txn.Insert("entry", rowOf(e)); err != nil {
					b.Fatal(err)
				}
				txn.Commit()
			}
		})
	})
}
