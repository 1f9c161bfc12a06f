// SPDX-License-Identifier: Apache-2.0

package clock_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/wippy/system/clock"
)

// BenchmarkArmStop measures arming and stopping one timer among many others: a request with a timeout.
func BenchmarkArmStop(b *testing.B) {
	for _, others := range []int{0, 10_000, 1_000_000} {
		b.Run(fmt.Sprintf("wheel/%d", others), func(b *testing.B) {
			c := clock.New()
			keep := make([]*clock.Timer, others)
			for i := range keep {
				keep[i] = c.After(time.Hour+time.Duration(i)*time.Microsecond, func(time.Time) {})
			}
			ctx, s := context.Background(), &clock.Sleep{For: time.Minute}
			b.ReportAllocs()
			for b.Loop() {
				_ = c.Handle(ctx, s, 1, drop{})
				s.Cancel()
			}
			for _, t := range keep {
				t.Stop()
			}
		})
		b.Run(fmt.Sprintf("afterfunc/%d", others), func(b *testing.B) {
			keep := make([]*time.Timer, others)
			for i := range keep {
				keep[i] = time.AfterFunc(time.Hour+time.Duration(i)*time.Microsecond, func() {})
			}
			r := drop{}
			b.ReportAllocs()
			for b.Loop() {
				t := time.AfterFunc(time.Minute, func() { r.CompleteYield(1, nil, nil) })
				t.Stop()
			}
			for _, t := range keep {
				t.Stop()
			}
		})
	}
}

// BenchmarkFire measures the firing of many sleeps that are due at the same time, from the deadline to the
// completion of the last, per sleep.
func BenchmarkFire(b *testing.B) {
	const period = time.Millisecond
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprintf("wheel/%d", n), func(b *testing.B) {
			c := clock.New()
			for b.Loop() {
				b.StopTimer()
				var left atomic.Int64
				left.Store(int64(n))
				done := make(chan struct{})
				timers := make([]clock.Sleep, n)
				r := countdown{&left, done}
				due := time.Now().Add(time.Duration(n) * time.Microsecond / 2)
				for i := range timers {
					timers[i].For = max(time.Until(due), period)
					_ = c.Handle(context.Background(), &timers[i], 0, r)
				}
				waitUntil(due)
				b.StartTimer()
				<-done
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/firing")
		})
		b.Run(fmt.Sprintf("afterfunc/%d", n), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				var left atomic.Int64
				left.Store(int64(n))
				done := make(chan struct{})
				r := countdown{&left, done}
				due := time.Now().Add(time.Duration(n) * time.Microsecond / 2)
				for range n {
					time.AfterFunc(max(time.Until(due), period), func() { r.CompleteYield(0, nil, nil) })
				}
				waitUntil(due)
				b.StartTimer()
				<-done
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/firing")
		})
	}
}

func waitUntil(at time.Time) { <-time.After(time.Until(at)) }

type countdown struct {
	left *atomic.Int64
	done chan struct{}
}

func (c countdown) CompleteYield(dispatch.Tag, any, error) {
	if c.left.Add(-1) == 0 {
		close(c.done)
	}
}
