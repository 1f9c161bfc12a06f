// SPDX-License-Identifier: Apache-2.0

// Package oset is a persistent ordered set: a copy-on-write B+ tree whose versions
// share what they have in common. Adding and removing cost O(log n), iteration is in
// order.
package oset

import (
	"iter"
	"slices"
)

// fan is the most items a leaf and the most children an inner node holds. 32 keeps the
// bytes copied per change below those of the hash map next to it.
const (
	fan = 32
	low = fan / 4 // below this a node is merged with its neighbour
)

// Set is an immutable set of T ordered by the compare function given to New. All
// methods may be called concurrently.
type Set[T any] struct {
	cmp  func(a, b T) int
	root *node[T]
	n    int
}

type node[T any] struct {
	items []T        // of a leaf; of an inner node the first item below each child
	kids  []*node[T] // nil for a leaf
}

// New returns an empty set.
func New[T any](cmp func(a, b T) int) Set[T] { return Set[T]{cmp: cmp} }

// FromSorted returns the set of strictly ascending items. It keeps the slice.
func FromSorted[T any](cmp func(a, b T) int, items []T) Set[T] {
	s := Set[T]{cmp: cmp, n: len(items)}
	if len(items) == 0 {
		return s
	}
	var level []*node[T]
	for chunk := range slices.Chunk(items, fan*3/4) {
		level = append(level, &node[T]{items: slices.Clip(chunk)})
	}
	for len(level) > 1 {
		var up []*node[T]
		for chunk := range slices.Chunk(level, fan*3/4) {
			up = append(up, inner(slices.Clone(chunk)))
		}
		level = up
	}
	s.root = level[0]
	return s
}

func inner[T any](kids []*node[T]) *node[T] {
	n := &node[T]{kids: kids, items: make([]T, len(kids))}
	for i, k := range kids {
		n.items[i] = k.items[0]
	}
	return n
}

// Len returns the number of items.
func (s Set[T]) Len() int { return s.n }

// All iterates in ascending order.
func (s Set[T]) All() iter.Seq[T] {
	return func(yield func(T) bool) {
		if s.root != nil {
			s.root.each(yield)
		}
	}
}

func (n *node[T]) each(yield func(T) bool) bool {
	if n.kids == nil {
		for _, x := range n.items {
			if !yield(x) {
				return false
			}
		}
		return true
	}
	for _, k := range n.kids {
		if !k.each(yield) {
			return false
		}
	}
	return true
}

// From iterates in ascending order over the items that are not less than x.
func (s Set[T]) From(x T) iter.Seq[T] {
	return func(yield func(T) bool) {
		if s.root != nil {
			s.from(s.root, x, yield)
		}
	}
}

func (s Set[T]) from(n *node[T], x T, yield func(T) bool) bool {
	if n.kids == nil {
		i, _ := slices.BinarySearchFunc(n.items, x, s.cmp)
		for _, x := range n.items[i:] {
			if !yield(x) {
				return false
			}
		}
		return true
	}
	i := s.childOf(n, x)
	if !s.from(n.kids[i], x, yield) {
		return false
	}
	for _, k := range n.kids[i+1:] {
		if !k.each(yield) {
			return false
		}
	}
	return true
}

// Add returns the set with x, which takes the place of an item equal to it.
func (s Set[T]) Add(x T) Set[T] {
	if s.root == nil {
		s.root, s.n = &node[T]{items: []T{x}}, 1
		return s
	}
	left, right, replaced := s.add(s.root, x)
	if right != nil {
		left = inner([]*node[T]{left, right})
	}
	if !replaced {
		s.n++
	}
	s.root = left
	return s
}

// childOf returns the index of the child whose range x belongs to.
func (s Set[T]) childOf(n *node[T], x T) int {
	i, found := slices.BinarySearchFunc(n.items, x, s.cmp)
	if !found && i > 0 {
		i--
	}
	return i
}

func (s Set[T]) add(n *node[T], x T) (left, right *node[T], replaced bool) {
	if n.kids == nil {
		i, found := slices.BinarySearchFunc(n.items, x, s.cmp)
		if found {
			items := slices.Clone(n.items)
			items[i] = x
			return &node[T]{items: items}, nil, true
		}
		items := make([]T, 0, len(n.items)+1)
		items = append(append(append(items, n.items[:i]...), x), n.items[i:]...)
		left, right = split(&node[T]{items: items})
		return left, right, false
	}
	i := s.childOf(n, x)
	a, b, replaced := s.add(n.kids[i], x)
	kids := slices.Clone(n.kids)
	kids[i] = a
	if b != nil {
		kids = slices.Insert(kids, i+1, b)
	}
	left, right = split(inner(kids))
	return left, right, replaced
}

func split[T any](n *node[T]) (left, right *node[T]) {
	if len(n.items) <= fan {
		return n, nil
	}
	h := len(n.items) / 2
	left = &node[T]{items: slices.Clone(n.items[:h])}
	right = &node[T]{items: slices.Clone(n.items[h:])}
	if n.kids != nil {
		left.kids, right.kids = slices.Clone(n.kids[:h]), slices.Clone(n.kids[h:])
	}
	return left, right
}

// Remove returns the set without the item equal to x.
func (s Set[T]) Remove(x T) Set[T] {
	if s.root == nil {
		return s
	}
	root, removed := s.remove(s.root, x)
	if !removed {
		return s
	}
	for root != nil && root.kids != nil && len(root.kids) == 1 {
		root = root.kids[0]
	}
	s.root = root
	s.n--
	return s
}

func (s Set[T]) remove(n *node[T], x T) (_ *node[T], removed bool) {
	if n.kids == nil {
		i, found := slices.BinarySearchFunc(n.items, x, s.cmp)
		if !found {
			return n, false
		}
		if len(n.items) == 1 {
			return nil, true
		}
		return &node[T]{items: slices.Delete(slices.Clone(n.items), i, i+1)}, true
	}
	i := s.childOf(n, x)
	kid, removed := s.remove(n.kids[i], x)
	if !removed {
		return n, false
	}
	kids := slices.Clone(n.kids)
	if kid == nil {
		kids = slices.Delete(kids, i, i+1)
		if len(kids) == 0 {
			return nil, true
		}
		return inner(kids), true
	}
	kids[i] = kid
	if len(kid.items) < low && len(kids) > 1 {
		j := max(i-1, 0) // merge kids j and j+1, one of which is kid
		a, b := split(concat(kids[j], kids[j+1]))
		kids[j] = a
		if b != nil {
			kids[j+1] = b
		} else {
			kids = slices.Delete(kids, j+1, j+2)
		}
	}
	return inner(kids), true
}

func concat[T any](a, b *node[T]) *node[T] {
	n := &node[T]{items: slices.Concat(a.items, b.items)}
	if a.kids != nil {
		n.kids = slices.Concat(a.kids, b.kids)
	}
	return n
}
