// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/wippy/service/store"
)

func from(o *store.Order, start string) []string {
	var out []string
	o.Ascend(start, func(key string) bool { out = append(out, key); return true })
	return out
}

func TestOrderIsASortedSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var o store.Order
		var model []string
		key := rapid.Custom(func(t *rapid.T) string { return fmt.Sprintf("%03d", rapid.IntRange(0, 999).Draw(t, "key")) })
		put := func(k string) {
			if at, found := slices.BinarySearch(model, k); !found {
				model = slices.Insert(model, at, k)
				o.Insert(k)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"insert": func(t *rapid.T) { put(key.Draw(t, "key")) },
			"insert many": func(t *rapid.T) {
				first, step := rapid.IntRange(0, 999).Draw(t, "first"), rapid.SampledFrom([]int{-1, 1, 3}).Draw(t, "step")
				for i := first; i >= 0 && i < 1000; i += step {
					put(fmt.Sprintf("%03d", i))
				}
			},
			"remove": func(t *rapid.T) {
				if len(model) == 0 {
					return
				}
				at := rapid.IntRange(0, len(model)-1).Draw(t, "at")
				o.Remove(model[at])
				model = slices.Delete(model, at, at+1)
			},
			"remove many": func(t *rapid.T) {
				n := rapid.IntRange(0, len(model)).Draw(t, "n")
				for _, k := range model[:n] {
					o.Remove(k)
				}
				model = slices.Clone(model[n:])
			},
			"": func(t *rapid.T) {
				start := rapid.SampledFrom([]string{"", "5", "500", "999", "x"}).Draw(t, "start")
				at, _ := slices.BinarySearch(model, start)
				if got := from(&o, start); !slices.Equal(got, model[at:]) {
					t.Fatalf("from %q: %v, want %v", start, got, model[at:])
				}
				for _, n := range o.Blocks() {
					if n == 0 || n > 256 {
						t.Fatalf("blocks of %v", o.Blocks())
					}
				}
			},
		})
	})
}

func TestKeysInOrderFillTheirBlocks(t *testing.T) {
	var o store.Order
	for i := range 1024 {
		o.Insert(fmt.Sprintf("%04d", i))
	}
	if got := o.Blocks(); !slices.Equal(got, []int{256, 256, 256, 256}) {
		t.Errorf("blocks of %v", got)
	}
}

func BenchmarkOrder(b *testing.B) {
	keys := make([]string, 100_000)
	for i := range keys {
		keys[i] = fmt.Sprintf("user:%08x", rand.Uint32())
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	rand.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	var o store.Order
	for _, k := range keys {
		o.Insert(k)
	}
	i := 0
	for b.Loop() {
		k := keys[i%len(keys)]
		o.Remove(k)
		o.Insert(k)
		i++
	}
}
