// SPDX-License-Identifier: Apache-2.0

package oset

import (
	"cmp"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func compare(a, b int) int { return cmp.Compare(a, b) }

// invariants checks the shape of the tree.
func invariants(t *rapid.T, n *node[int], root bool) (depth int) {
	if len(n.items) > fan || len(n.items) == 0 {
		t.Fatalf("node with %d items", len(n.items))
	}
	if n.kids == nil {
		return 1
	}
	if len(n.kids) != len(n.items) || (root && len(n.kids) < 2) {
		t.Fatalf("inner node with %d children and %d items", len(n.kids), len(n.items))
	}
	for i, k := range n.kids {
		d := invariants(t, k, false)
		if i > 0 && d != depth {
			t.Fatal("leaves at different depths")
		}
		depth = d
		if k.items[0] != n.items[i] {
			t.Fatal("wrong first item of a child")
		}
	}
	return depth + 1
}

func TestSetBehavesLikeASortedSetAndVersionsStay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type version struct {
			s    Set[int]
			want map[int]bool
		}
		start := rapid.IntRange(0, 3000).Draw(t, "start")
		v := version{New(compare), map[int]bool{}}
		if start > 0 {
			items := make([]int, start)
			for i := range items {
				items[i] = i * 2
				v.want[i*2] = true
			}
			v.s = FromSorted(compare, items)
		}
		versions := []version{v}
		for range rapid.IntRange(1, 8).Draw(t, "versions") {
			v := versions[rapid.IntRange(0, len(versions)-1).Draw(t, "from")]
			v.want = maps.Clone(v.want)
			lo := rapid.IntRange(0, 6000).Draw(t, "lo")
			for i := range rapid.IntRange(1, 800).Draw(t, "changes") {
				x := lo + i
				if rapid.Bool().Draw(t, "random") {
					x = rapid.IntRange(0, 6000).Draw(t, "x")
				}
				if rapid.IntRange(0, 2).Draw(t, "op") > 0 {
					v.s = v.s.Remove(x)
					delete(v.want, x)
				} else {
					v.s = v.s.Add(x)
					v.want[x] = true
				}
			}
			versions = append(versions, v)
		}
		for _, v := range versions {
			want := slices.Sorted(maps.Keys(v.want))
			if got := slices.Collect(v.s.All()); !slices.Equal(got, want) || v.s.Len() != len(want) {
				t.Fatalf("set is %v (Len %d), want %v", got, v.s.Len(), want)
			}
			from := rapid.IntRange(-1, 6001).Draw(t, "from")
			at, _ := slices.BinarySearch(want, from)
			if got := slices.Collect(v.s.From(from)); !slices.Equal(got, want[at:]) {
				t.Fatalf("from %d: %v, want %v", from, got, want[at:])
			}
			if v.s.root != nil {
				invariants(t, v.s.root, true)
			}
		}
	})
}

func TestIterationStopsWhenAsked(t *testing.T) {
	items := make([]int, 100)
	for i := range items {
		items[i] = i
	}
	s := FromSorted(compare, items)
	n := 0
	for range s.All() {
		n++
		break
	}
	for range s.From(20) { // in the middle of a leaf
		n++
		break
	}
	for x := range s.From(20) { // in a later leaf
		if n++; x == 60 {
			break
		}
	}
	if n != 43 {
		t.Errorf("%d steps", n)
	}
}
