// SPDX-License-Identifier: Apache-2.0

package text_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/sergi/go-diff/diffmatchpatch"
	"pgregory.net/rapid"

	"github.com/wippyrun/kit/luart/modules/text"
)

// texts are pairs that have much in common.
func texts() *rapid.Generator[[2]string] {
	return rapid.Custom(func(t *rapid.T) [2]string {
		word := rapid.OneOf(rapid.StringMatching(`[ab]{0,6}`), rapid.StringMatching(`[abcé界 ]{0,8}`), rapid.StringN(0, 3, -1))
		words := rapid.SliceOfN(word, 0, 8).Draw(t, "words")
		other := rapid.SliceOfN(word, 0, 8).Draw(t, "other")
		var a, b strings.Builder
		for i, w := range words {
			keep := rapid.IntRange(0, 3).Draw(t, "keep")
			if keep != 1 {
				a.WriteString(w)
			}
			if keep != 2 {
				b.WriteString(w)
			}
			if keep == 3 && i < len(other) {
				b.WriteString(other[i])
			}
		}
		return [2]string{a.String(), b.String()}
	})
}

// TestDiffIsThatOfTheLibrary compares with diff-match-patch without a time limit.
func TestDiffIsThatOfTheLibrary(t *testing.T) {
	names := map[diffmatchpatch.Operation]string{
		diffmatchpatch.DiffEqual: "equal", diffmatchpatch.DiffDelete: "delete", diffmatchpatch.DiffInsert: "insert",
	}
	rapid.Check(t, func(t *rapid.T) {
		pair := texts().Draw(t, "texts")
		got := text.Compare(context.Background(), pair[0], pair[1], time.Hour)
		want := text.Library().DiffMain(pair[0], pair[1], false)
		same := len(got) == len(want)
		for i := range got {
			same = same && got[i] == text.Part{Operation: names[want[i].Type], Text: want[i].Text}
		}
		if !same {
			t.Errorf("%q and %q:\ngot  %q\nwant %q", pair[0], pair[1], got, want)
		}
	})
}

func TestDiffIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bytes := rapid.SliceOfN(rapid.SampledFrom([]byte("ab\xff\xc3\xa9")), 0, 40)
		a, b := string(bytes.Draw(t, "a")), string(bytes.Draw(t, "b"))
		timeout := time.Hour
		if rapid.Bool().Draw(t, "no time") {
			timeout = 0
		}
		parts := text.Compare(context.Background(), a, b, timeout)
		if x, y := rebuild(parts); x != a || y != b {
			t.Errorf("%q and %q became %q", a, b, parts)
		}
		for i, p := range parts {
			if p.Text == "" || i > 0 && p.Operation == parts[i-1].Operation {
				t.Errorf("%q and %q became %q", a, b, parts)
			}
		}
	})
}
