// SPDX-License-Identifier: Apache-2.0

// Package pmap is a persistent hash map: every version of the map stays valid
// for ever, versions share the parts they have in common, and a change copies
// only the path from the root to the changed leaf.
//
// The structure is the compressed hash-array mapped prefix tree of Steindorfer
// and Vinju (OOPSLA 2015), a refinement of Bagwell's HAMT (2001), with 64-way
// nodes whose slots hold up to two leaves: at 100 000 keys a look-up touches three
// nodes. 64 was preferred to the customary 32 because reads outnumber writes here by
// orders of magnitude, and the extra bytes copied per write (about 1.2 KB at 100 000
// keys) cost less than a microsecond.
//
// What a look-up costs in a large map is cache misses and wrong guesses of the processor
// about branches; sample, node and alloc each say what they save of these. Together they
// more than halve the time of a look-up among 100 000 keys (BenchmarkGet).
package pmap

import (
	"iter"
	"math/bits"
)

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
	h, s := digest(k)
	for {
		i := h & fanMask
		bit := uint64(1) << i
		if kids := n.kidMap &^ n.leafMap; kids&bit != 0 {
			if kids == full { // the upper nodes of a large map: saves counting bits
				n = n.kids[i]
			} else {
				n = n.kids[bits.OnesCount64(kids&(bit-1))]
			}
			h >>= fanBits
			continue
		}
		if n.leafMap&bit == 0 {
			if n.leafMap|n.kidMap == 0 {
				return n.scan(k)
			}
			return nil
		}
		pairs := n.leafMap & n.kidMap
		at := bits.OnesCount64(n.leafMap&(bit-1)) + bits.OnesCount64(pairs&(bit-1))
		if l := n.leaves[at]; l.is(k, &s) {
			return &l.val
		}
		if pairs&bit != 0 {
			if l := n.leaves[at+1]; l.is(k, &s) {
				return &l.val
			}
		}
		return nil
	}
}

// Set returns a map in which k has value v.
func (m Map[V]) Set(k Key, v V) Map[V] {
	m.set(&leaf[V]{key: &k, val: v}, nil)
	return m
}

func (m *Map[V]) set(l *leaf[V], e *edit) {
	var h uint64
	h, l.sample = digest(*l.key)
	root, replaced := insert(m.root, 0, h, l, e)
	if !replaced {
		m.n++
	}
	m.root = root
}

// Delete returns a map without k.
func (m Map[V]) Delete(k Key) Map[V] {
	m.delete(k, nil)
	return m
}

func (m *Map[V]) delete(k Key, e *edit) {
	root, removed := remove(m.root, 0, hashOf(k), k, e)
	if removed {
		m.n--
		m.root = root
	}
}

// All iterates over the map in no particular order.
func (m Map[V]) All() iter.Seq2[Key, *V] {
	return func(yield func(Key, *V) bool) {
		if m.root != nil {
			m.root.each(func(l *leaf[V]) bool { return yield(*l.key, &l.val) })
		}
	}
}
