// SPDX-License-Identifier: Apache-2.0

// Package pmap is a persistent hash map: every version of the map stays valid
// for ever, versions share the parts they have in common, and a change copies
// only the path from the root to the changed leaf.
//
// The structure is the compressed hash-array mapped prefix tree of Steindorfer
// and Vinju (OOPSLA 2015), a refinement of Bagwell's HAMT (2001), with 64-way
// nodes: at 100 000 keys a look-up touches three nodes. 64 was preferred to the
// customary 32 because reads outnumber writes here by orders of magnitude, and
// the extra bytes copied per write (about 1.2 KB at 100 000 keys) cost less than
// a microsecond.
package pmap

import (
	"hash/maphash"
	"iter"
	"math/bits"
	"slices"
)

// Key is a two-part key. A caller's own two-string struct converts to it for free.
type Key struct {
	Namespace, Name string
}

const (
	fanBits  = 6
	fanMask  = 1<<fanBits - 1
	maxDepth = 11 // 11 levels of 6 bits use up a 64-bit hash; below are collision buckets
)

// seed is drawn once per process, so that input cannot be crafted to collide.
var seed = maphash.MakeSeed()

// hashOf makes two sums that do not depend on each other and overlap in the pipeline;
// maphash.Comparable hashes one string after the other and is slower as soon as the keys
// are not in the cache (BenchmarkGet/spread). The odd multiplier keeps ("a","b") and
// ("b","a") apart.
func hashOf(k Key) uint64 {
	return maphash.String(seed, k.Namespace) ^ maphash.String(seed, k.Name)*0x9E3779B97F4A7C15
}

// edit marks the nodes a Builder created and may therefore change in place.
type edit struct{ _ byte }

type leaf[V any] struct {
	hash uint64
	key  Key
	val  V
}

// node holds the leaves and the children of one prefix, packed; a bit in leafMap
// or kidMap says which of the 64 slots is taken. A node below maxDepth has both
// maps empty and keeps the leaves of one full-hash collision in any order.
type node[V any] struct {
	leafMap, kidMap uint64
	leaves          []*leaf[V]
	kids            []*node[V]
	edit            *edit
}

// Map is an immutable map from Key to V. The zero value is empty and ready to use.
// All methods may be called concurrently.
type Map[V any] struct {
	root *node[V]
	n    int
}

// Len returns the number of keys.
func (m Map[V]) Len() int { return m.n }

// Same reports whether both maps are the same version; it never compares contents.
func (m Map[V]) Same(o Map[V]) bool { return m.root == o.root }

// Get returns a pointer to the value of k, or nil. The value must not be written
// through the pointer. It does not allocate.
func (m Map[V]) Get(k Key) *V {
	n := m.root
	if n == nil {
		return nil
	}
	h := hashOf(k)
	for {
		bit := uint64(1) << (h & fanMask)
		if n.leafMap&bit != 0 {
			l := n.leaves[bits.OnesCount64(n.leafMap&(bit-1))]
			if l.key == k {
				return &l.val
			}
			return nil
		}
		if n.kidMap&bit == 0 {
			if n.leafMap|n.kidMap == 0 {
				return n.scan(k)
			}
			return nil
		}
		n = n.kids[bits.OnesCount64(n.kidMap&(bit-1))]
		h >>= fanBits
	}
}

func (n *node[V]) scan(k Key) *V {
	for _, l := range n.leaves {
		if l.key == k {
			return &l.val
		}
	}
	return nil
}

// Set returns a map in which k has value v.
func (m Map[V]) Set(k Key, v V) Map[V] {
	root, replaced := insert(m.root, 0, &leaf[V]{hash: hashOf(k), key: k, val: v}, nil)
	if !replaced {
		m.n++
	}
	m.root = root
	return m
}

// Delete returns a map without k.
func (m Map[V]) Delete(k Key) Map[V] {
	root, removed := remove(m.root, 0, hashOf(k), k, nil)
	if removed {
		m.n--
		m.root = root
	}
	return m
}

// All iterates over the map in no particular order.
func (m Map[V]) All() iter.Seq2[Key, *V] {
	return func(yield func(Key, *V) bool) {
		if m.root != nil {
			m.root.each(func(l *leaf[V]) bool { return yield(l.key, &l.val) })
		}
	}
}

func (n *node[V]) each(f func(*leaf[V]) bool) bool {
	for _, l := range n.leaves {
		if !f(l) {
			return false
		}
	}
	for _, k := range n.kids {
		if !k.each(f) {
			return false
		}
	}
	return true
}

// own returns n itself when e created it, else a copy that e may change.
func (n *node[V]) own(e *edit) *node[V] {
	if e != nil && n.edit == e {
		return n
	}
	return &node[V]{
		leafMap: n.leafMap, kidMap: n.kidMap,
		leaves: slices.Clone(n.leaves), kids: slices.Clone(n.kids),
		edit: e,
	}
}

func slot(hash uint64, depth int) uint64 {
	return uint64(1) << (hash >> (fanBits * depth) & fanMask)
}

func rank(bitmap, bit uint64) int { return bits.OnesCount64(bitmap & (bit - 1)) }

func insert[V any](n *node[V], depth int, l *leaf[V], e *edit) (_ *node[V], replaced bool) {
	if n == nil {
		n = &node[V]{edit: e, leaves: []*leaf[V]{l}}
		if depth < maxDepth {
			n.leafMap = slot(l.hash, depth)
		}
		return n, false
	}
	if depth == maxDepth {
		for i, old := range n.leaves {
			if old.key == l.key {
				n = n.own(e)
				n.leaves[i] = l
				return n, true
			}
		}
		n = n.own(e)
		n.leaves = append(n.leaves, l)
		return n, false
	}
	bit := slot(l.hash, depth)
	switch {
	case n.leafMap&bit != 0:
		i := rank(n.leafMap, bit)
		old := n.leaves[i]
		if old.key == l.key {
			n = n.own(e)
			n.leaves[i] = l
			return n, true
		}
		kid, _ := insert(nil, depth+1, old, e)
		kid, _ = insert(kid, depth+1, l, e)
		n = n.own(e)
		n.leaves = slices.Delete(n.leaves, i, i+1)
		n.leafMap &^= bit
		n.kids = slices.Insert(n.kids, rank(n.kidMap, bit), kid)
		n.kidMap |= bit
		return n, false
	case n.kidMap&bit != 0:
		i := rank(n.kidMap, bit)
		kid, replaced := insert(n.kids[i], depth+1, l, e)
		if kid != n.kids[i] {
			n = n.own(e)
			n.kids[i] = kid
		}
		return n, replaced
	default:
		n = n.own(e)
		n.leaves = slices.Insert(n.leaves, rank(n.leafMap, bit), l)
		n.leafMap |= bit
		return n, false
	}
}

// remove returns nil for a node that became empty.
func remove[V any](n *node[V], depth int, hash uint64, k Key, e *edit) (_ *node[V], removed bool) {
	if n == nil {
		return nil, false
	}
	if depth == maxDepth {
		for i, old := range n.leaves {
			if old.key == k {
				if len(n.leaves) == 1 {
					return nil, true
				}
				n = n.own(e)
				n.leaves = slices.Delete(n.leaves, i, i+1)
				return n, true
			}
		}
		return n, false
	}
	bit := slot(hash, depth)
	switch {
	case n.leafMap&bit != 0:
		i := rank(n.leafMap, bit)
		if n.leaves[i].key != k {
			return n, false
		}
		if len(n.leaves) == 1 && len(n.kids) == 0 {
			return nil, true
		}
		n = n.own(e)
		n.leaves = slices.Delete(n.leaves, i, i+1)
		n.leafMap &^= bit
		return n, true
	case n.kidMap&bit != 0:
		i := rank(n.kidMap, bit)
		kid, removed := remove(n.kids[i], depth+1, hash, k, e)
		if !removed {
			return n, false
		}
		n = n.own(e)
		switch {
		case kid == nil:
			n.kids = slices.Delete(n.kids, i, i+1)
			n.kidMap &^= bit
			if len(n.leaves)+len(n.kids) == 0 {
				return nil, true
			}
		case len(kid.kids) == 0 && len(kid.leaves) == 1:
			// A chain of one-leaf nodes would make the shape depend on history.
			n.kids = slices.Delete(n.kids, i, i+1)
			n.kidMap &^= bit
			n.leaves = slices.Insert(n.leaves, rank(n.leafMap, bit), kid.leaves[0])
			n.leafMap |= bit
		default:
			n.kids[i] = kid
		}
		return n, true
	}
	return n, false
}
