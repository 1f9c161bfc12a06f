// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"testing"

	"pgregory.net/rapid"
)

// A node must not be handed out while somebody has it, whoever of several workers and
// other goroutines takes nodes and puts them back, and must be clean when it is.
func TestPropertyNodesHaveOneOwner(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pool := new(nodePool)
		caches := []*nodeCache{{pool: pool}, {pool: pool}, {pool: pool}}
		var out []*node
		held := map[*node]bool{}
		took := func(n *node) {
			if held[n] {
				t.Fatal("handed out twice")
			}
			if n.event != (Event{}) || n.next != nil {
				t.Fatalf("not clean: %+v", n)
			}
			held[n] = true
			n.event, n.next = Event{Kind: MessageEvent, gen: 7}, n
			out = append(out, n)
		}
		give := func(i int) *node {
			n := out[i]
			out[i] = out[len(out)-1]
			out = out[:len(out)-1]
			delete(held, n)
			return n
		}
		cache := rapid.SampledFrom(caches)
		t.Repeat(map[string]func(*rapid.T){
			"worker takes": func(t *rapid.T) {
				c := cache.Draw(t, "cache")
				for range rapid.IntRange(1, 2*slabNodes).Draw(t, "n") {
					took(c.get())
				}
			},
			"goroutine takes": func(*rapid.T) { took(pool.get()) },
			"worker returns": func(t *rapid.T) {
				c := cache.Draw(t, "cache")
				for range min(len(out), rapid.IntRange(1, 2*nodeChain).Draw(t, "n")) {
					c.put(give(rapid.IntRange(0, len(out)-1).Draw(t, "which")))
				}
			},
			"worker returns in order": func(t *rapid.T) {
				c := cache.Draw(t, "cache")
				for range min(len(out), rapid.IntRange(1, 2*nodeChain).Draw(t, "n")) {
					c.put(give(len(out) - 1))
				}
			},
			"goroutine returns": func(t *rapid.T) {
				if len(out) > 0 {
					pool.put(give(rapid.IntRange(0, len(out)-1).Draw(t, "which")))
				}
			},
		})
	})
}

// A slab whose nodes are all back is used again.
func TestSlabsAreUsedAgain(t *testing.T) {
	c := &nodeCache{pool: new(nodePool)}
	slabs := map[*slab]bool{}
	for range 10 * slabNodes {
		n := c.get()
		slabs[n.slab] = true
		c.put(n)
	}
	if len(slabs) > 2 {
		t.Errorf("%d slabs for one node at a time", len(slabs))
	}
}
