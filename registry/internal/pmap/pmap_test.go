// SPDX-License-Identifier: Apache-2.0

package pmap

import (
	"fmt"
	"maps"
	"testing"

	"pgregory.net/rapid"
)

// model is a map version with what it must contain.
type model struct {
	m    Map[int]
	want map[Key]int
}

func (v model) check(t *rapid.T) {
	if v.m.Len() != len(v.want) {
		t.Fatalf("Len is %d, want %d", v.m.Len(), len(v.want))
	}
	got := map[Key]int{}
	for k, p := range v.m.All() {
		got[k] = *p
	}
	if !maps.Equal(got, v.want) {
		t.Fatalf("All is %v, want %v", got, v.want)
	}
	for k, x := range v.want {
		if p := v.m.Get(k); p == nil || *p != x {
			t.Fatalf("Get(%v) is %v, want %d", k, p, x)
		}
	}
	if v.m.Get(Key{"no", "such"}) != nil {
		t.Fatal("Get found a missing key")
	}
	if v.m.root != nil {
		checkShape(t, v.m.root, 0)
	}
}

// checkShape checks what node promises about slots and returns the number of leaves.
func checkShape(t *rapid.T, n *node[int], depth int) int {
	leaves, kids := 0, 0
	for i := range uint64(64) {
		s := n.slot(i<<(fanBits*depth), depth)
		if s.leaf != leaves || s.kid != kids {
			t.Fatalf("slot %d starts at leaf %d, kid %d, want %d, %d", i, s.leaf, s.kid, leaves, kids)
		}
		leaves += s.leaves
		if s.isKid {
			kids++
		}
	}
	if leaves != len(n.leaves) || kids != len(n.kids) {
		t.Fatalf("%d leaves and %d kids, want %d and %d", len(n.leaves), len(n.kids), leaves, kids)
	}
	for _, k := range n.kids {
		below := checkShape(t, k, depth+1)
		if below < 3 {
			t.Fatalf("%d leaves below a child", below)
		}
		leaves += below
	}
	return leaves
}

func TestMapBehavesLikeAMapAndVersionsStay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SampledFrom(func() []Key {
			var ks []Key
			for i := range 300 {
				ks = append(ks, Key{fmt.Sprint("n", i%7), fmt.Sprint(i)})
				// Alike in length, beginning and end.
				ks = append(ks, Key{"a.long.name.space", fmt.Sprintf("the_%04d_sixteen_bytes", i)})
			}
			return ks
		}())
		versions := []model{{want: map[Key]int{}}}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			v := versions[rapid.IntRange(0, len(versions)-1).Draw(t, "from")]
			next := model{m: v.m, want: maps.Clone(v.want)}
			b := NewBuilder(v.m)
			bulk := rapid.Bool().Draw(t, "bulk")
			for range rapid.IntRange(1, 60).Draw(t, "changes") {
				k := keys.Draw(t, "key")
				if rapid.IntRange(0, 2).Draw(t, "op") == 0 {
					delete(next.want, k)
					b.Delete(k)
					next.m = next.m.Delete(k)
				} else {
					x := rapid.Int().Draw(t, "value")
					next.want[k] = x
					b.Set(k, x)
					next.m = next.m.Set(k, x)
				}
			}
			if bulk {
				next.m = b.Map()
				b.Set(Key{"later", ""}, 1) // must not be seen by the map returned before
			}
			versions = append(versions, next)
		}
		for _, v := range versions {
			v.check(t)
		}
		a, b := versions[0], versions[len(versions)-1]
		checkDiff(t, a, b)
		checkDiff(t, b, versions[len(versions)/2])
	})
}

func checkDiff(t *rapid.T, a, b model) {
	got := maps.Clone(a.want)
	Diff(a.m, b.m, func(k Key, old, next *int) {
		if x, ok := a.want[k]; ok != (old != nil) || (ok && x != *old) {
			t.Fatalf("Diff gave old value %v for %v", old, k)
		}
		if next == nil {
			delete(got, k)
		} else {
			got[k] = *next
		}
	})
	if !maps.Equal(got, b.want) {
		t.Fatalf("applying Diff gives %v, want %v", got, b.want)
	}
}

func TestDiffVisitsOnlyWhatChanged(t *testing.T) {
	b := NewBuilder(Map[int]{})
	for i := range 100_000 {
		b.Set(Key{"n", fmt.Sprint(i)}, i)
	}
	m := b.Map()
	next := m.Set(Key{"n", "5"}, -1)
	var allocs float64
	n := 0
	allocs = testing.AllocsPerRun(100, func() { Diff(m, next, func(Key, *int, *int) { n++ }) })
	if n != 101 { // AllocsPerRun makes one more
		t.Errorf("Diff called %d times", n)
	}
	if allocs > 2 {
		t.Errorf("Diff allocates %v times", allocs)
	}
}

func TestGetDoesNotAllocate(t *testing.T) {
	m := Map[int]{}.Set(Key{"a", "b"}, 1)
	if n := testing.AllocsPerRun(100, func() { m.Get(Key{"a", "b"}) }); n != 0 {
		t.Errorf("Get allocates %v times", n)
	}
}

// entry has its key in it.
type entry struct {
	n int
	k Key
}

func TestPutKeepsTheKeyInTheValue(t *testing.T) {
	keyOf := func(e *entry) *Key { return &e.k }
	b := NewBuilder(Map[entry]{})
	for i := range 1000 {
		b.Put(entry{i, Key{"n", fmt.Sprint(i % 500)}}, keyOf)
	}
	m := b.Map()
	if m.Len() != 500 {
		t.Errorf("Len is %d", m.Len())
	}
	for k, e := range m.All() {
		if p := m.Get(k); p != e || e.k != k || k.Name != fmt.Sprint(e.n-500) {
			t.Errorf("%v is %v, Get finds %v", k, e, p)
		}
	}
	if allocs := testing.AllocsPerRun(100, func() { b.Put(entry{0, Key{"n", "0"}}, keyOf) }); allocs > 1 {
		t.Errorf("Put allocates %v times", allocs)
	}
}
