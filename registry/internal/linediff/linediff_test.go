// SPDX-License-Identifier: Apache-2.0

package linediff_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/registry/internal/linediff"
)

func text(lines []linediff.Line) string {
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "%c%s ", l.Kind, l.Text)
	}
	return strings.TrimSpace(b.String())
}

func TestDiffOfExamples(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{"", "", ""},
		{"a", "a", "a"},
		{"", "a b", "+a +b"},
		{"a b", "", "-a -b"},
		{"a b c", "a x c", "a -b +x  c"},
		{"a b c a b b a", "c b a b a c", "-a -b  c +b  a  b -b  a +c"}, // the example of the paper
		{"a b", "a b c", "a  b +c"},
	} {
		got := text(linediff.Diff(strings.Fields(c.a), strings.Fields(c.b)))
		if got != c.want {
			t.Errorf("%s / %s: %q, want %q", c.a, c.b, got, c.want)
		}
	}
}

// The difference leads from one list to the other and is as short as the longest common
// subsequence allows.
func TestDiffIsRightAndShortest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 0, 30)
		a, b := lines.Draw(t, "a"), lines.Draw(t, "b")
		var from, to []string
		kept := 0
		for _, l := range linediff.Diff(a, b) {
			if l.Kind != linediff.Insert {
				from = append(from, l.Text)
			}
			if l.Kind != linediff.Delete {
				to = append(to, l.Text)
			}
			if l.Kind == linediff.Keep {
				kept++
			}
		}
		if !slices.Equal(from, a) || !slices.Equal(to, b) {
			t.Fatalf("leads from %v to %v, want %v to %v", from, to, a, b)
		}
		if want := common(a, b); kept != want {
			t.Fatalf("keeps %d lines of %v and %v, want %d", kept, a, b, want)
		}
	})
}

// common is the length of the longest common subsequence.
func common(a, b []string) int {
	row := make([]int, len(b)+1)
	for _, x := range a {
		diagonal := 0
		for j, y := range b {
			next := max(row[j], row[j+1])
			if x == y {
				next = diagonal + 1
			}
			diagonal, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}

func TestDiffOfListsWithLittleInCommonIsBounded(t *testing.T) {
	var a, b []string
	for i := range 5000 {
		a, b = append(a, fmt.Sprint("a", i)), append(b, fmt.Sprint("b", i))
	}
	a, b = append([]string{"first"}, append(a, "last")...), append([]string{"first"}, append(b, "last")...)
	got := linediff.Diff(a, b)
	if len(got) != 10_002 || got[0].Kind != linediff.Keep || got[1].Kind != linediff.Delete || got[10_001].Kind != linediff.Keep {
		t.Errorf("%d lines", len(got))
	}
}

// BenchmarkDiff has every tenth line of a text changed.
func BenchmarkDiff(b *testing.B) {
	for _, edits := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint("edits=", edits), func(b *testing.B) {
			var from, to []string
			for i := range edits * 5 {
				from, to = append(from, fmt.Sprint(i)), append(to, fmt.Sprint(i))
				if i%10 == 0 {
					to[i] = "x"
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				linediff.Diff(from, to)
			}
		})
	}
}
