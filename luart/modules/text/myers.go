// SPDX-License-Identifier: Apache-2.0

package text

import (
	"context"
	"slices"
	"time"
)

// operation is what an edit does.
type operation int8

const (
	equal operation = iota
	deletion
	insertion
)

// String returns the name that programs see.
func (o operation) String() string { return [...]string{"equal", "delete", "insert"}[o] }

// edit is one part of a comparison.
type edit struct {
	op   operation
	text []rune
}

// comparison compares two texts by E. W. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986): from both
// ends towards a middle snake, at which the problem is split. Before that it takes off what is common at the ends and
// looks for the shorter text within the longer one, as N. Fraser's diff-match-patch does, and gives the same result.
type comparison struct {
	ctx      context.Context
	deadline time.Time
	expired  bool
	// Memory that is used again and again.
	border            []int32
	forward, backward frontier
}

// compareTexts returns the edits that turn a into b. They are minimal unless the deadline passes or the context ends;
// then the rest is one deletion and one insertion.
func compareTexts(ctx context.Context, a, b []rune, deadline time.Time) []edit {
	c := comparison{ctx: ctx, deadline: deadline}
	return c.compare(a, b)
}

func (c *comparison) compare(a, b []rune) []edit {
	p := commonPrefix(a, b)
	prefix := a[:p]
	a, b = a[p:], b[p:]
	s := commonSuffix(a, b)
	suffix := a[len(a)-s:]
	a, b = a[:len(a)-s], b[:len(b)-s]

	middle := c.middle(a, b)
	edits := append(make([]edit, 0, len(middle)+2), edit{equal, prefix})
	edits = append(edits, middle...)
	return merge(append(edits, edit{equal, suffix}))
}

// replace is all of a turned into all of b.
func replace(a, b []rune) []edit { return []edit{{deletion, a}, {insertion, b}} }

// middle compares texts that have nothing in common at their ends. Edits without text are left to merge.
func (c *comparison) middle(a, b []rune) []edit {
	if len(a) == 0 || len(b) == 0 {
		return replace(a, b)
	}
	long, short, op := a, b, deletion
	if len(a) < len(b) {
		long, short, op = b, a, insertion
	}
	if i := c.index(long, short); i >= 0 {
		return []edit{{op, long[:i]}, {equal, short}, {op, long[i+len(short):]}}
	}
	if len(short) == 1 {
		return replace(a, b)
	}
	x, y, ok := c.snake(a, b)
	if !ok {
		return replace(a, b)
	}
	return append(c.compare(a[:x], b[:y]), c.compare(a[x:], b[y:])...)
}

func commonPrefix(a, b []rune) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

func commonSuffix(a, b []rune) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[len(a)-1-i] != b[len(b)-1-i] {
			return i
		}
	}
	return n
}

// index finds the first occurrence of short in long, -1 for none. It is the algorithm of D. E. Knuth, J. H. Morris
// and V. R. Pratt, "Fast Pattern Matching in Strings" (1977): linear for all texts.
func (c *comparison) index(long, short []rune) int {
	border := slices.Grow(c.border[:0], len(short))[:len(short)] // of each prefix: the longest one that it ends with
	c.border = border
	border[0] = 0
	for i, k := 1, int32(0); i < len(short); i++ {
		for k > 0 && short[i] != short[k] {
			k = border[k-1]
		}
		if short[i] == short[k] {
			k++
		}
		border[i] = k
	}
	k := int32(0)
	for i, r := range long {
		for k > 0 && r != short[k] {
			k = border[k-1]
		}
		if r == short[k] {
			k++
		}
		if int(k) == len(short) {
			return i + 1 - len(short)
		}
	}
	return -1
}

// over reports whether there is no time left.
func (c *comparison) over() bool {
	c.expired = c.expired || c.ctx.Err() != nil || time.Now().After(c.deadline)
	return c.expired
}

// pollInterval is how many numbers of edits are tried between two looks at the clock. It costs about as much as 50
// steps, and there are as many steps as the number.
const pollInterval = 16

// snake finds where the shortest way from a to b passes half of its edits. ok is false when there is no time, or when
// the texts have nothing in common.
func (c *comparison) snake(a, b []rune) (x, y int, ok bool) {
	n, m := len(a), len(b)
	most := (n + m + 1) / 2
	f, r := &c.forward, &c.backward
	f.reset(a, b, most, false)
	r.reset(a, b, most, true)
	delta := n - m
	odd := delta%2 != 0
	for d := range most {
		if d%pollInterval == 0 && c.over() {
			return 0, 0, false
		}
		for k := -d + f.low; k <= d-f.high; k += 2 {
			x, in := f.advance(d, k)
			if !in || !odd {
				continue
			}
			if other, seen := r.at(delta - k); seen && x >= n-other {
				return x, x - k, true
			}
		}
		for k := -d + r.low; k <= d-r.high; k += 2 {
			x, in := r.advance(d, k)
			if !in || odd {
				continue
			}
			if other, seen := f.at(delta - k); seen && other >= n-x {
				return other, other - (delta - k), true
			}
		}
	}
	return 0, 0, false
}

// frontier is how far one can get from the beginning with some number of edits, on each diagonal: k is the index in a
// minus the index in b.
type frontier struct {
	a, b      []rune // copies of the texts
	far       []int32
	offset    int
	low, high int // diagonals at either end that have left the texts
}

// reset begins with new texts, from their ends when backward is true.
func (f *frontier) reset(a, b []rune, most int, backward bool) {
	f.a, f.b = append(f.a[:0], a...), append(f.b[:0], b...)
	if backward {
		slices.Reverse(f.a)
		slices.Reverse(f.b)
	}
	f.offset, f.low, f.high = most, 0, 0
	n := 2*most + 2
	f.far = slices.Grow(f.far[:0], n)[:n]
	for i := range f.far {
		f.far[i] = -1
	}
	f.far[f.offset+1] = 0
}

// at returns how far diagonal k has got.
func (f *frontier) at(k int) (x int, seen bool) {
	i := f.offset + k
	if i < 0 || i >= len(f.far)-2 || f.far[i] < 0 {
		return 0, false
	}
	return int(f.far[i]), true
}

// advance goes as far as possible on diagonal k with d edits. in is false when that is out of one of the texts.
func (f *frontier) advance(d, k int) (x int, in bool) {
	i := f.offset + k
	if k == -d || k != d && f.far[i-1] < f.far[i+1] {
		x = int(f.far[i+1])
	} else {
		x = int(f.far[i-1]) + 1
	}
	y := x - k
	for x < len(f.a) && y < len(f.b) && f.a[x] == f.b[y] {
		x++
		y++
	}
	f.far[i] = int32(x)
	switch {
	case x > len(f.a):
		f.high += 2
		return x, false
	case y > len(f.b):
		f.low += 2
		return x, false
	}
	return x, true
}
