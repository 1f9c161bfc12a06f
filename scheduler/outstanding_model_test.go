// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/scheduler/dispatch"
)

type namedCanceler dispatch.Tag

func (namedCanceler) Cancel() {}

// TestOutstandingBehavesLikeAMap crosses the length at which the index is made in
// both directions.
func TestOutstandingBehavesLikeAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorker(&Scheduler{})
		r := new(Ref)
		model := map[dispatch.Tag]bool{}
		tags := rapid.Uint64Range(0, 3*indexAbove)
		complete := func(tag dispatch.Tag) {
			if r.outstanding != nil {
				w.completed(r, tag)
			}
			delete(model, tag)
		}
		t.Repeat(map[string]func(*rapid.T){
			"track": func(t *rapid.T) {
				for _, n := range rapid.SliceOfN(tags, 1, indexAbove).Draw(t, "tags") {
					w.track(r, dispatch.Tag(n), namedCanceler(n))
					model[dispatch.Tag(n)] = true
				}
			},
			"complete": func(t *rapid.T) {
				for _, n := range rapid.SliceOfN(tags, 1, indexAbove).Draw(t, "tags") {
					complete(dispatch.Tag(n))
				}
			},
			"complete all": func(*rapid.T) {
				for tag := range model {
					complete(tag)
				}
				if r.outstanding != nil {
					t.Fatal("kept although nothing is open")
				}
			},
			"": func(t *rapid.T) {
				var got []dispatch.Tag
				if r.outstanding != nil {
					for _, c := range r.outstanding.open {
						if dispatch.Tag(c.cancel.(namedCanceler)) != c.tag {
							t.Fatalf("tag %d has the command of %d", c.tag, c.cancel)
						}
						got = append(got, c.tag)
					}
				}
				slices.Sort(got)
				if len(got) != len(model) || len(slices.Compact(got)) != len(model) {
					t.Fatalf("%v open, want %v", got, model)
				}
				for _, tag := range got {
					if !model[tag] {
						t.Fatalf("%d is open", tag)
					}
				}
			},
		})
	})
}

func BenchmarkOutstanding(b *testing.B) {
	for _, open := range []int{1, 8, 32, 33, 1024} {
		b.Run(strconv.Itoa(open), func(b *testing.B) {
			w := newWorker(&Scheduler{})
			r := new(Ref)
			for i := 1; i < open; i++ {
				w.track(r, dispatch.Tag(i), namedCanceler(0))
			}
			var c dispatch.Canceler = namedCanceler(1)
			tag := dispatch.Tag(open)
			b.ReportAllocs()
			for b.Loop() {
				w.track(r, tag, c)
				if open > 1 { // the oldest is the worst case of the search
					w.completed(r, tag-dispatch.Tag(open-1))
				} else {
					w.completed(r, tag)
				}
				tag++
			}
		})
	}
}
