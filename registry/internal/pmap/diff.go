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
		b.each(func(l *leaf[V]) bool { f(l.key, nil, &l.val); return true })
		return
	case b == nil:
		a.each(func(l *leaf[V]) bool { f(l.key, &l.val, nil); return true })
		return
	}
	if a.leafMap|a.kidMap == 0 || b.leafMap|b.kidMap == 0 {
		diffBucket(a, b, f)
		return
	}
	for rest := a.leafMap | a.kidMap | b.leafMap | b.kidMap; rest != 0; rest &= rest - 1 {
		bit := rest & -rest
		diffSlot(a.leafAt(bit), a.kidAt(bit), b.leafAt(bit), b.kidAt(bit), f)
	}
}

func (n *node[V]) leafAt(bit uint64) *leaf[V] {
	if n.leafMap&bit == 0 {
		return nil
	}
	return n.leaves[rank(n.leafMap, bit)]
}

func (n *node[V]) kidAt(bit uint64) *node[V] {
	if n.kidMap&bit == 0 {
		return nil
	}
	return n.kids[rank(n.kidMap, bit)]
}

func diffSlot[V any](al *leaf[V], ak *node[V], bl *leaf[V], bk *node[V], f func(Key, *V, *V)) {
	switch {
	case al != nil && bk != nil:
		diffLeaf(al, bk, f)
	case ak != nil && bl != nil:
		diffLeaf(bl, ak, func(k Key, old, next *V) { f(k, next, old) })
	case al == bl:
		diffNode(ak, bk, f)
	case al != nil && bl != nil && al.key == bl.key:
		f(al.key, &al.val, &bl.val)
	default:
		if al != nil {
			f(al.key, &al.val, nil)
		}
		if bl != nil {
			f(bl.key, nil, &bl.val)
		}
	}
}

// diffLeaf compares the single leaf l with everything under n.
func diffLeaf[V any](l *leaf[V], n *node[V], f func(Key, *V, *V)) {
	found := false
	n.each(func(o *leaf[V]) bool {
		switch {
		case o == l:
			found = true
		case o.key == l.key:
			found = true
			f(l.key, &l.val, &o.val)
		default:
			f(o.key, nil, &o.val)
		}
		return true
	})
	if !found {
		f(l.key, &l.val, nil)
	}
}

func diffBucket[V any](a, b *node[V], f func(Key, *V, *V)) {
	a.each(func(l *leaf[V]) bool {
		next := b.scan(l.key)
		if next != &l.val {
			f(l.key, &l.val, next)
		}
		return true
	})
	b.each(func(l *leaf[V]) bool {
		if a.scan(l.key) == nil {
			f(l.key, nil, &l.val)
		}
		return true
	})
}
