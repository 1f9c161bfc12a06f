// SPDX-License-Identifier: Apache-2.0

// Package suggest finds the name somebody probably meant, for error messages
// that end in "did you mean …?".
package suggest

import (
	"sort"
	"strings"
)

// Closest returns the candidate nearest to word by edit distance, and whether
// it is near enough to be worth showing: at most a third of the word's length,
// but never less than one edit. Ties go to the candidate first in byte order,
// so that messages are stable. Comparison ignores case.
func Closest(word string, candidates []string) (string, bool) {
	limit := max(1, len(word)/3)
	best, bestDistance := "", limit+1
	sorted := append([]string(nil), candidates...)
	sort.Strings(sorted)
	for _, c := range sorted {
		if c == word || c == "" {
			continue
		}
		if d := distance(strings.ToLower(word), strings.ToLower(c), bestDistance); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best, best != ""
}

// Hint renders the closest candidate as a sentence, or "" when nothing is near.
func Hint(word string, candidates []string) string {
	if c, ok := Closest(word, candidates); ok {
		return `did you mean "` + c + `"?`
	}
	return ""
}

// distance is the optimal string alignment distance (insert, delete, replace,
// swap of neighbours), given up as soon as it must reach bound.
func distance(a, b string, bound int) int {
	if len(a)-len(b) >= bound || len(b)-len(a) >= bound {
		return bound
	}
	before, previous, current := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := 1; i <= len(a); i++ {
		current[0] = i
		smallest := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(previous[j]+1, current[j-1]+1, previous[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, before[j-2]+1)
			}
			current[j] = d
			smallest = min(smallest, d)
		}
		if smallest >= bound {
			return bound
		}
		before, previous, current = previous, current, before
	}
	return previous[len(b)]
}
