// SPDX-License-Identifier: Apache-2.0

package pmap

// Builder applies many changes to a map and copies each shared node at most once
// (Clojure's "transients"). It is not safe for concurrent use.
type Builder[V any] struct {
	m Map[V]
	e *edit
}

// NewBuilder starts from m, which is not changed.
func NewBuilder[V any](m Map[V]) *Builder[V] { return &Builder[V]{m: m, e: &edit{}} }

// Get returns the present value of k, or nil.
func (b *Builder[V]) Get(k Key) *V { return b.m.Get(k) }

// Len returns the present number of keys.
func (b *Builder[V]) Len() int { return b.m.n }

// Set gives k the value v.
func (b *Builder[V]) Set(k Key, v V) {
	root, replaced := insert(b.m.root, 0, &leaf[V]{hash: hashOf(k), key: k, val: v}, b.e)
	if !replaced {
		b.m.n++
	}
	b.m.root = root
}

// Delete removes k.
func (b *Builder[V]) Delete(k Key) {
	root, removed := remove(b.m.root, 0, hashOf(k), k, b.e)
	if removed {
		b.m.n--
		b.m.root = root
	}
}

// Map returns the present contents as an immutable map, in O(1). The builder
// remains usable; it copies again what the returned map now shares.
func (b *Builder[V]) Map() Map[V] {
	b.e = &edit{}
	return b.m
}
