// SPDX-License-Identifier: Apache-2.0

// Package nearest finds the name that a mistyped one was probably meant to be. It keeps nothing between calls; a call
// costs the product of the lengths for each candidate.
package nearest

import "strings"

// Name returns the candidate nearest to a name: at most a third of its letters differ, but one may always. Case does
// not count, and no name of one letter is nearest. Of equally near ones it is the first in byte order.
func Name(name string, candidates []string) (string, bool) {
	best, limit := "", max(1, len(name)/3)
	for _, c := range candidates {
		if c == name || len(c) < 2 || len(c)-len(name) > limit || len(name)-len(c) > limit {
			continue
		}
		d := Distance(strings.ToLower(name), strings.ToLower(c))
		if d < limit || d == limit && (best == "" || c < best) {
			best, limit = c, d
		}
	}
	return best, best != ""
}

// Distance counts the letters that two short words differ in: inserted, left out, replaced, or swapped with their
// neighbours.
func Distance(a, b string) int {
	before, previous, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(previous[j]+1, row[j-1]+1, previous[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, previous, row = previous, row, before
	}
	return previous[len(b)]
}
