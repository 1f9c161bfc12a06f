// SPDX-License-Identifier: Apache-2.0

package clock_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/wippy/system/clock"
)

// TestWheelModel inserts, removes and turns at all scales and compares what is due with a plain map of deadlines.
func TestWheelModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w clock.Wheel
		deadlines := map[*clock.Timer]int64{}
		var order []*clock.Timer // as inserted, for drawing
		// Distances around the edges of every level and anywhere between.
		distance := rapid.Custom(func(t *rapid.T) int64 {
			scale := int64(1) << (6 * rapid.IntRange(0, 7).Draw(t, "level"))
			return max(0, rapid.Int64Range(0, 70).Draw(t, "n")*scale+rapid.Int64Range(-2, 2).Draw(t, "edge"))
		})
		turn := func(t *rapid.T, to int64) {
			last := int64(-1)
			for _, timer := range w.Turn(to) {
				when, ok := deadlines[timer]
				if !ok {
					t.Fatal("a timer is due that was removed or was due before")
				}
				if when > to || when < last {
					t.Fatalf("due at %d, turned to %d, one before it was due at %d", when, to, last)
				}
				last = when
				delete(deadlines, timer)
			}
			for _, when := range deadlines {
				if when <= to {
					t.Fatalf("a timer due at %d is missing at %d", when, to)
				}
			}
			if w.Now() != to {
				t.Fatalf("turned to %d, is at %d", to, w.Now())
			}
		}
		insert := func(t *rapid.T) {
			when := w.Now() + 1 + distance.Draw(t, "distance")
			timer := w.Insert(when)
			deadlines[timer] = when
			order = append(order, timer)
		}
		t.Repeat(map[string]func(*rapid.T){
			"insert": insert, "insert more": insert,
			"remove": func(t *rapid.T) {
				if len(order) == 0 {
					return
				}
				timer := rapid.SampledFrom(order).Draw(t, "timer")
				if _, ok := deadlines[timer]; ok {
					w.Remove(timer)
					delete(deadlines, timer)
				}
			},
			"turn": func(t *rapid.T) { turn(t, w.Now()+distance.Draw(t, "distance")) },
			"turn to next": func(t *rapid.T) {
				if at, ok := w.Next(); ok {
					turn(t, at)
				}
			},
			"": func(t *rapid.T) {
				at, ok := w.Next()
				if ok != (len(deadlines) > 0) {
					t.Fatalf("Next is %d, %v with %d timers", at, ok, len(deadlines))
				}
				for _, when := range deadlines {
					if at > when || at <= w.Now() {
						t.Fatalf("at %d the wheel wants to wake at %d for a timer due at %d", w.Now(), at, when)
					}
				}
			},
		})
	})
}
