// SPDX-License-Identifier: Apache-2.0

package pmap

// edit marks the nodes a Builder created and may therefore change in place.
type edit struct{ _ byte }

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
func (b *Builder[V]) Set(k Key, v V) { b.m.set(&leaf[V]{key: &k, val: v}, b.e) }

// Put gives the key that is a part of v the value v, and keeps it only there. key returns
// where it is.
func (b *Builder[V]) Put(v V, key func(*V) *Key) {
	l := &leaf[V]{val: v}
	l.key = key(&l.val)
	b.m.set(l, b.e)
}

// Delete removes k.
func (b *Builder[V]) Delete(k Key) { b.m.delete(k, b.e) }

// Map returns the present contents as an immutable map, in O(1). The builder
// remains usable; it copies again what the returned map now shares.
func (b *Builder[V]) Map() Map[V] {
	b.e = &edit{}
	return b.m
}
