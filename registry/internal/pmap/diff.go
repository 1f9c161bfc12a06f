// SPDX-License-Identifier: Apache-2.0

package pmap

// Diff calls f for every key whose value was added (old is nil), removed (next is
// nil) or set again between a and b, in no particular order. Sub-trees shared by
// both are not visited, so the cost follows the size of the difference. A value
// that was set again to an equal one is reported.
func Diff[V any](a, b Map[V], f func(k Key, old, next *V)) {
	diffNode(a.root, b.root, f)
}

func diffNode[V any](a, b *node[V], f func(Key, *V, *V)) {
	switch {
	case a == b:
		return
	case a == nil:
		b.each(func(l *leaf[V]) bool { f(*l.key, nil, &l.val); return true })
		return
	case b == nil:
		a.each(func(l *leaf[V]) bool { f(*l.key, &l.val, nil); return true })
		return
	}
	if a.leafMap|a.kidMap == 0 { // both are buckets
		diffLeaves(a.leaves, b.leaves, f)
		return
	}
	x, y := cursor[V]{n: a}, cursor[V]{n: b}
	for rest := a.leafMap | a.kidMap | b.leafMap | b.kidMap; rest != 0; rest &= rest - 1 {
		bit := rest & -rest
		la, ka := x.take(bit)
		lb, kb := y.take(bit)
		switch {
		case ka != nil && kb != nil:
			diffNode(ka, kb, f)
		case ka != nil:
			diffLeaves(below(ka), lb, f)
		case kb != nil:
			diffLeaves(la, below(kb), f)
		default:
			diffLeaves(la, lb, f)
		}
	}
}

// cursor visits the slots of a node in ascending order.
type cursor[V any] struct {
	n         *node[V]
	leaf, kid int
}

// take returns what is in the slot with this bit.
func (c *cursor[V]) take(bit uint64) (leaves []*leaf[V], kid *node[V]) {
	switch isLeaf, isKid := c.n.leafMap&bit != 0, c.n.kidMap&bit != 0; {
	case isLeaf:
		from := c.leaf
		c.leaf++
		if isKid {
			c.leaf++
		}
		return c.n.leaves[from:c.leaf], nil
	case isKid:
		c.kid++
		return nil, c.n.kids[c.kid-1]
	}
	return nil, nil
}

func below[V any](n *node[V]) []*leaf[V] {
	var out []*leaf[V]
	n.each(func(l *leaf[V]) bool { out = append(out, l); return true })
	return out
}

// diffLeaves compares two small sets of leaves, mostly of one or two.
func diffLeaves[V any](a, b []*leaf[V], f func(Key, *V, *V)) {
	for _, l := range a {
		switch o := withKey(b, *l.key); {
		case o == nil:
			f(*l.key, &l.val, nil)
		case o != l:
			f(*l.key, &l.val, &o.val)
		}
	}
	for _, l := range b {
		if withKey(a, *l.key) == nil {
			f(*l.key, nil, &l.val)
		}
	}
}

func withKey[V any](leaves []*leaf[V], k Key) *leaf[V] {
	for _, l := range leaves {
		if *l.key == k {
			return l
		}
	}
	return nil
}
