// SPDX-License-Identifier: Apache-2.0

// Package linediff finds a shortest way to turn one list of lines into another, with the
// greedy algorithm of Myers, "An O(ND) Difference Algorithm and Its Variations" (1986).
package linediff

import "slices"

// Kind says what happens to a line.
type Kind byte

// The kinds are the signs of a unified diff.
const (
	Keep   Kind = ' '
	Delete Kind = '-'
	Insert Kind = '+'
)

// Line is one line of a difference.
type Line struct {
	Kind Kind
	Text string
}

// maxEdits bounds the work and the memory, which grow with the square of the edits: 1000
// edits take 4 ms and 8 MB (BenchmarkDiff). Lists that differ more are taken to have
// nothing in common but their beginning and end.
const maxEdits = 1000

// Diff returns the lines of both lists in order, those they have in common once.
func Diff(a, b []string) []Line {
	start := 0
	for start < min(len(a), len(b)) && a[start] == b[start] {
		start++
	}
	end := 0
	for end < min(len(a), len(b))-start && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	head, tail := a[:start], a[len(a)-end:]
	a, b = a[start:len(a)-end], b[start:len(b)-end]

	out := make([]Line, 0, start+len(a)+len(b)+end)
	write := func(kind Kind, lines []string) {
		for _, text := range lines {
			out = append(out, Line{kind, text})
		}
	}
	write(Keep, head)
	if trace := search(a, b); trace == nil {
		write(Delete, a)
		write(Insert, b)
	} else {
		for _, kind := range edits(trace, len(a), len(b)) {
			if kind != Insert {
				write(kind, a[:1])
				a = a[1:]
			}
			if kind == Insert {
				write(kind, b[:1])
			}
			if kind != Delete {
				b = b[1:]
			}
		}
	}
	write(Keep, tail)
	return out
}

// row is how far every diagonal got with d edits; diagonal k, the lines deleted less
// those inserted, is at k+d.
type row []int

func (r row) at(k int) int { return r[k+len(r)/2] }

// inserts reports whether the furthest way with d edits to diagonal k ends with an
// insertion, from diagonal k+1, and not with a deletion, from k-1.
func (r row) inserts(d, k int) bool { return k == -d || k != d && r.at(k-1) < r.at(k+1) }

// search returns the rows up to the one that gets to the end, or nil.
func search(a, b []string) []row {
	var trace []row
	for d := 0; d <= min(len(a)+len(b), maxEdits); d++ {
		next := make(row, 2*d+1)
		for k := -d; k <= d; k += 2 {
			x := 0
			if d > 0 {
				if prev := trace[d-1]; prev.inserts(d, k) {
					x = prev.at(k + 1)
				} else {
					x = prev.at(k-1) + 1
				}
			}
			for x < len(a) && x-k < len(b) && a[x] == b[x-k] {
				x++
			}
			next[k+d] = x
			if x >= len(a) && x-k >= len(b) {
				return append(trace, next)
			}
		}
		trace = append(trace, next)
	}
	return nil
}

// edits walks a trace back from the end of lists of n and m lines.
func edits(trace []row, n, m int) []Kind {
	var out []Kind
	x, k := n, n-m
	for d := len(trace) - 1; d > 0; d-- {
		prev, kind := trace[d-1], Delete
		if prev.inserts(d, k) {
			kind = Insert
			k++
		} else {
			k--
		}
		from := prev.at(k)
		after := from
		if kind == Delete {
			after++
		}
		for ; x > after; x-- {
			out = append(out, Keep)
		}
		out = append(out, kind)
		x = from
	}
	for ; x > 0; x-- {
		out = append(out, Keep)
	}
	slices.Reverse(out)
	return out
}
