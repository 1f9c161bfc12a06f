// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wippyrun/kit/wippy/service/store"
)

func BenchmarkMemory(b *testing.B) {
	const n = 10000
	keys := make([]string, n)
	m := store.NewMemory(2 * n)
	for i := range keys {
		keys[i] = fmt.Sprintf("session:%05d", i)
		if _, err := m.Put(b.Context(), keys[i], text("value"), store.PutOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	ctx, value := b.Context(), text("value")
	bench := func(name string, op func(i int) error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var goroutine atomic.Int64
			b.RunParallel(func(pb *testing.PB) {
				for i := int(goroutine.Add(1)) * 7919; pb.Next(); i++ {
					if err := op(i % n); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
	bench("get", func(i int) error { _, err := m.Get(ctx, keys[i]); return err })
	bench("put", func(i int) error { _, err := m.Put(ctx, keys[i], value, store.PutOptions{}); return err })
	bench("put with lifetime", func(i int) error {
		_, err := m.Put(ctx, keys[i], value, store.PutOptions{TTL: time.Hour})
		return err
	})
	bench("list 100", func(i int) error {
		_, err := m.List(ctx, store.ListOptions{Prefix: "session:", After: keys[i%(n-200)]})
		return err
	})
}
