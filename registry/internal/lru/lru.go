// SPDX-License-Identifier: Apache-2.0

// Package lru is a small least-recently-used cache for concurrent use.
package lru

import (
	"container/list"
	"sync"
)

// Cache maps strings to values and keeps the size most recently used ones. A size of
// 0 keeps nothing.
type Cache[V any] struct {
	size int

	mu    sync.Mutex // guards the rest
	items map[string]*list.Element
	order list.List // most recent first
}

type item[V any] struct {
	key string
	val V
}

// New returns an empty cache.
func New[V any](size int) *Cache[V] {
	return &Cache[V]{size: size, items: map[string]*list.Element{}}
}

// Get returns the value of a key. It does not keep or allocate anything for the key.
func (c *Cache[V]) Get(key []byte) (v V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	el := c.items[string(key)]
	if el == nil {
		return v, false
	}
	c.order.MoveToFront(el)
	return el.Value.(*item[V]).val, true
}

// Put stores a value, at the cost of the one used least recently.
func (c *Cache[V]) Put(key []byte, v V) {
	if c.size <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if el := c.items[string(key)]; el != nil {
		el.Value.(*item[V]).val = v
		c.order.MoveToFront(el)
		return
	}
	if len(c.items) >= c.size {
		last := c.order.Back()
		delete(c.items, c.order.Remove(last).(*item[V]).key)
	}
	it := &item[V]{string(key), v}
	c.items[it.key] = c.order.PushFront(it)
}

// Len returns the number of values kept.
func (c *Cache[V]) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.items)
}
