// SPDX-License-Identifier: Apache-2.0

// Package suggest finds the known words nearest to a misspelt one.
package suggest

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// Nearest returns up to limit of the words whose edit distance to word is at most
// a third of its length (at least one, at most four edits), best first.
func Nearest(word string, words iter.Seq[string], limit int) []string {
	type hit struct {
		word string
		dist int
	}
	bound := min(max(len(word)/3, 1), 4)
	var hits []hit
	seen := map[string]bool{}
	low := strings.ToLower(word)
	for w := range words {
		if w == "" || w == word || seen[w] {
			continue
		}
		seen[w] = true
		if d := distance(low, strings.ToLower(w), bound); d <= bound {
			hits = append(hits, hit{w, d})
		}
	}
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(a.dist, b.dist), strings.Compare(a.word, b.word))
	})
	out := make([]string, 0, min(limit, len(hits)))
	for _, h := range hits[:min(limit, len(hits))] {
		out = append(out, h.word)
	}
	return out
}

// Hint renders the suggestions as `did you mean "a" or "b"?`, or "" for none.
func Hint(word string, words iter.Seq[string]) string {
	near := Nearest(word, words, 3)
	if len(near) == 0 {
		return ""
	}
	return `did you mean "` + strings.Join(near, `" or "`) + `"?`
}

// distance is the optimal string alignment distance (insert, delete, replace,
// swap of neighbours); it gives up with bound+1 once the result must exceed bound.
func distance(a, b string, bound int) int {
	if d := len(a) - len(b); d > bound || -d > bound {
		return bound + 1
	}
	prev2 := make([]int, len(b)+1)
	prev := make([]int, len(b)+1)
	cur := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		best := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
			best = min(best, cur[j])
		}
		if best > bound {
			return bound + 1
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
