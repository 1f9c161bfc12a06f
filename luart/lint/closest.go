// SPDX-License-Identifier: Apache-2.0

package lint

import "strings"

// closest returns the candidate that a name was probably meant to be, by edit distance: at most a third of its length
// away, but one edit is always allowed. Of equally near ones it is the first in byte order.
func closest(name string, candidates []string) (string, bool) {
	best, limit := "", max(1, len(name)/3)
	for _, c := range candidates {
		if c == name || c == "" {
			continue
		}
		d := edits(strings.ToLower(name), strings.ToLower(c), limit)
		if d < limit || d == limit && (best == "" || c < best) {
			best, limit = c, d
		}
	}
	return best, best != ""
}

// edits counts the insertions, deletions, replacements and swaps of neighbours between two texts; the result is above
// limit, not exact, when there are more.
func edits(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
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
