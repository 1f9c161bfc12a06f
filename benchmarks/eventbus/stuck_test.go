// SPDX-License-Identifier: Apache-2.0

package eventbus_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
)

// BenchmarkOneStuck is the time per delivery to four subscribers, alone and next to a
// fifth that never returns from its first event.
func BenchmarkOneStuck(b *testing.B) {
	for _, stuck := range []bool{false, true} {
		b.Run(fmt.Sprintf("stuck=%v", stuck), func(b *testing.B) {
			for _, c := range contestants {
				if !c.goesOn {
					continue
				}
				b.Run(c.name, func(b *testing.B) {
					p := c.open(b)
					if stuck {
						p.stuck(hold(b))
					}
					deliver(b, p, 4, 1024)
				})
			}
		})
	}
}

// hold returns a channel that is closed before what was opened is closed.
func hold(b *testing.B) <-chan struct{} {
	release := make(chan struct{})
	b.Cleanup(func() { close(release) })
	return release
}

// BenchmarkMillionPastStuck lets a million events pass a subscriber that is stuck for
// ever. Per event, and of the four others: the time, and what part of their throughput
// without the stuck one they keep; and what all that leaves in memory, which ours and the
// channels bound. watermill's goroutines wait by the million, so it gets a tenth.
func BenchmarkMillionPastStuck(b *testing.B) {
	const million = 1_000_000
	for _, c := range []struct {
		contestant
		events int
	}{
		{contestant{name: "ours", open: ours}, million},
		{contestant{name: "ours-unbounded", open: unbounded}, million},
		{contestant{name: "channels", open: channels}, million},
		{contestant{name: "watermill", open: water(false)}, million / 10},
	} {
		b.Run(c.name, func(b *testing.B) { pastStuck(b, c.contestant, c.events) })
	}
}

func pastStuck(b *testing.B, c contestant, events int) {
	const part = 1000 // published before waiting: the queue in front is not what this is about
	free, p := c.open(b), c.open(b)
	p.stuck(hold(b))
	without, with := batches(free, 4, part), batches(p, 4, part)
	without()
	with()
	var alone, beside time.Duration
	var kept int64
	for b.Loop() {
		before := measure.Memory()
		for range events / part { // in turns, so that both see the same machine
			start := time.Now()
			without()
			middle := time.Now()
			with()
			alone += middle.Sub(start)
			beside += time.Since(middle)
		}
		kept += measure.Memory() - before
	}
	b.ReportMetric(float64(beside.Nanoseconds())/float64(b.N*events), "ns/op")
	b.ReportMetric(100*float64(alone)/float64(beside), "throughput-%")
	b.ReportMetric(float64(kept)/float64(b.N)/(1<<20), "kept-MiB")
}
