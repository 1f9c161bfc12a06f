// SPDX-License-Identifier: Apache-2.0

package pmap

import (
	"math/bits"
	"slices"
)

const (
	fanBits  = 6
	fanMask  = 1<<fanBits - 1
	full     = ^uint64(0)
	maxDepth = 11 // 11 levels of 6 bits use up a 64-bit hash; below are collision buckets
)

// leaf is a key with its value. The key may be a part of the value: an Entry then takes
// 128 bytes, which are two cache lines, where it would take three (BenchmarkGet: 28
// instead of 31 ns among 100 000 entries).
type leaf[V any] struct {
	sample sample
	key    *Key
	val    V
}

// is reports whether the leaf has key k, whose sample is s.
func (l *leaf[V]) is(k Key, s *sample) bool {
	return l.sample == *s && len(l.key.Namespace) == len(k.Namespace) && len(l.key.Name) == len(k.Name) &&
		(len(k.Namespace) <= short || l.key.Namespace == k.Namespace) &&
		(len(k.Name) <= short || l.key.Name == k.Name)
}

// node holds what begins with one prefix of the hash, packed. Each of its 64 slots is in
// one of four states, told by its bits in the two maps:
//
//	leafMap  kidMap
//	   0        0    empty
//	   1        0    one leaf
//	   1        1    two leaves, next to each other
//	   0        1    a child, with three leaves or more below it
//
// Slots hold two leaves because at 100 000 keys every third key would otherwise sit one
// level deeper, which no processor can guess; that cost 6 of 45 ns (BenchmarkGet).
//
// A node at maxDepth has both maps empty and keeps the leaves of one full-hash collision
// in any order.
type node[V any] struct {
	leafMap, kidMap uint64
	leaves          []*leaf[V] // in the same allocation, see alloc
	kids            []*node[V]
	edit            *edit
}

// slot is one slot of a node: leaves leaves from index leaf on, or a child at index kid.
type slot struct {
	bit               uint64
	leaf, leaves, kid int
	isKid             bool
}

func (n *node[V]) slot(hash uint64, depth int) slot {
	bit := uint64(1) << (hash >> (fanBits * depth) & fanMask)
	pairs, kids := n.leafMap&n.kidMap, n.kidMap&^n.leafMap
	return slot{
		bit:    bit,
		leaf:   bits.OnesCount64(n.leafMap&(bit-1)) + bits.OnesCount64(pairs&(bit-1)),
		leaves: bits.OnesCount64(n.leafMap&bit) + bits.OnesCount64(pairs&bit),
		kid:    bits.OnesCount64(kids & (bit - 1)),
		isKid:  kids&bit != 0,
	}
}

// bucket is a slot of all leaves of a collision bucket.
func (n *node[V]) bucket() slot { return slot{leaves: len(n.leaves)} }

// indexIn returns the index of the leaf with key k in the slot, or -1.
func (n *node[V]) indexIn(s slot, k Key) int {
	for i := s.leaf; i < s.leaf+s.leaves; i++ {
		if *n.leaves[i].key == k {
			return i
		}
	}
	return -1
}

// scan looks for k in a collision bucket.
func (n *node[V]) scan(k Key) *V {
	if i := n.indexIn(n.bucket(), k); i >= 0 {
		return &n.leaves[i].val
	}
	return nil
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

// own returns a node like n that e may change and that has room for more leaves: n itself
// when e created it and it has the room.
func (n *node[V]) own(e *edit, more int) *node[V] {
	mine := e != nil && n.edit == e
	if mine && cap(n.leaves) >= len(n.leaves)+more {
		return n
	}
	c := alloc[V](len(n.leaves) + more)
	c.leafMap, c.kidMap, c.edit = n.leafMap, n.kidMap, e
	c.leaves = append(c.leaves, n.leaves...)
	if c.kids = n.kids; !mine {
		c.kids = slices.Clone(n.kids)
	}
	return c
}

// insert returns n with leaf l, whose key has the given hash, in place of a leaf with the
// same key if there is one. n may be nil.
func insert[V any](n *node[V], depth int, hash uint64, l *leaf[V], e *edit) (_ *node[V], replaced bool) {
	if n == nil {
		n = alloc[V](1)
		n.edit = e
		n.leaves = append(n.leaves, l)
		if depth < maxDepth {
			n.leafMap = n.slot(hash, depth).bit
		}
		return n, false
	}
	s := n.bucket()
	if depth < maxDepth {
		s = n.slot(hash, depth)
	}
	if s.isKid {
		kid, replaced := insert(n.kids[s.kid], depth+1, hash, l, e)
		if kid != n.kids[s.kid] {
			n = n.own(e, 0)
			n.kids[s.kid] = kid
		}
		return n, replaced
	}
	if i := n.indexIn(s, *l.key); i >= 0 {
		n = n.own(e, 0)
		n.leaves[i] = l
		return n, true
	}
	if s.leaves < 2 || depth == maxDepth {
		n = n.own(e, 1)
		n.leaves = slices.Insert(n.leaves, s.leaf+s.leaves, l)
		n.kidMap |= n.leafMap & s.bit
		n.leafMap |= s.bit
		return n, false
	}
	kid, _ := insert(nil, depth+1, hash, l, e)
	for _, old := range n.leaves[s.leaf : s.leaf+2] {
		kid, _ = insert(kid, depth+1, hashOf(*old.key), old, e)
	}
	n = n.own(e, 0)
	n.leaves = slices.Delete(n.leaves, s.leaf, s.leaf+2)
	n.leafMap &^= s.bit
	n.kids = slices.Insert(n.kids, s.kid, kid)
	return n, false
}

// remove returns n without k, whose hash is given, or nil when nothing is left.
func remove[V any](n *node[V], depth int, hash uint64, k Key, e *edit) (_ *node[V], removed bool) {
	if n == nil {
		return nil, false
	}
	s := n.bucket()
	if depth < maxDepth {
		s = n.slot(hash, depth)
	}
	if s.isKid {
		kid, removed := remove(n.kids[s.kid], depth+1, hash, k, e)
		if !removed {
			return n, false
		}
		if len(kid.kids) > 0 || len(kid.leaves) > 2 {
			n = n.own(e, 0)
			n.kids[s.kid] = kid
			return n, true
		}
		n = n.own(e, 2) // the two that are left fit in the slot
		n.leaves = slices.Insert(n.leaves, s.leaf, kid.leaves...)
		n.leafMap |= s.bit
		n.kids = slices.Delete(n.kids, s.kid, s.kid+1)
		return n, true
	}
	i := n.indexIn(s, k)
	if i < 0 {
		return n, false
	}
	if len(n.leaves) == 1 && len(n.kids) == 0 {
		return nil, true
	}
	n = n.own(e, 0)
	n.leaves = slices.Delete(n.leaves, i, i+1)
	if s.leaves == 1 {
		n.leafMap &^= s.bit
	}
	n.kidMap &^= s.bit
	return n, true
}
