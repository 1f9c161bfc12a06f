// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"context"
	"fmt"
	"testing"

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

// BenchmarkGet looks up entries by id, in no order.
func BenchmarkGet(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("entries=%d", n), func(b *testing.B) {
			var ids [1024]registry.ID
			var texts [1024]string
			for i, at := range some(n) {
				ids[i] = entry(at).ID
				texts[i] = ids[i].String()
			}
			b.Run("ours", func(b *testing.B) {
				r := sharedRegistry(b, n)
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if _, err := r.Get(ids[i&1023]); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("go-memdb", func(b *testing.B) {
				db := sharedMemDB(b, n)
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					txn := db.Txn(false)
					if v, err := txn.First("entry", "id", texts[i&1023]); err != nil || v == nil {
						b.Fatal("missing", err)
					}
					txn.Abort()
				}
			})
		})
	}
}

// BenchmarkApply changes one entry. Ours orders, asks the listener, keeps a version to
// return to and indexes every field; go-memdb does the transaction and three indexes.
func BenchmarkApply(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("entries=%d", n), func(b *testing.B) {
			var changed [1024]registry.Entry
			for i, at := range some(n) {
				changed[i] = entry(at)
				changed[i].Data = map[string]any{"n": float64(-i - 1)}
			}
			b.Run("ours", func(b *testing.B) {
				r := sharedRegistry(b, n)
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					c := registry.Changeset{{Kind: registry.Update, Entry: changed[i&1023]}}
					if _, err := r.Apply(context.Background(), c); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("go-memdb", func(b *testing.B) {
				db := sharedMemDB(b, n)
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					txn := db.Txn(true)
					if err := txn.Insert("entry", rowOf(changed[i&1023])); err != nil {
						b.Fatal(err)
					}
					txn.Commit()
				}
			})
		})
	}
}
