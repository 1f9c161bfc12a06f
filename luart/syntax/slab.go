// SPDX-License-Identifier: Apache-2.0

package syntax

// slab hands out nodes from blocks, so that the many small nodes of a tree cost one allocation per block. The blocks
// double from 8 to 128 nodes: a chunk of a few lines wastes little, a long one allocates rarely.
type slab[T any] struct {
	free []T
	size int
}

func (s *slab[T]) new() *T {
	if len(s.free) == 0 {
		s.size = min(max(8, s.size*2), 128)
		s.free = make([]T, s.size)
	}
	n := &s.free[0]
	s.free = s.free[1:]
	return n
}

// list collects the elements of nested lists on one stack and cuts finished lists from shared blocks. Lists must be
// taken in the reverse order of their marks.
type list[T any] struct {
	stack []T
	free  []T
	size  int
}

func (l *list[T]) push(v T)  { l.stack = append(l.stack, v) }
func (l *list[T]) mark() int { return len(l.stack) }

// take returns what was pushed since mark as a slice with no spare capacity; an empty one is not nil.
func (l *list[T]) take(mark int) []T {
	n := len(l.stack) - mark
	if n == 0 {
		return []T{}
	}
	if len(l.free) < n {
		l.size = min(max(16, l.size*2), 256)
		l.free = make([]T, max(l.size, n))
	}
	out := l.free[:n:n]
	l.free = l.free[n:]
	copy(out, l.stack[mark:])
	l.stack = l.stack[:mark]
	return out
}
