// SPDX-License-Identifier: Apache-2.0

package process

import (
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
)

// Endless is a runtime in which processes run that never return by themselves.
type Endless struct {
	// Loop starts so many processes that do nothing but look whether they shall end.
	// It returns when all of them run.
	Loop func(processes int)
	// Probe sends at most so many messages, one after the other at a distance of about
	// Distance, and returns how long each took. Contestants in Go use [Probes].
	Probe func(messages int) []time.Duration
	// Terminate ends the endless processes and returns the time until the last one has
	// been seen to have ended.
	Terminate func() time.Duration
}

const (
	probes = 200
	// Distance is the time between two probes. They come at a distance because a
	// conversation without a pause would stay where nothing disturbs it, and hide in
	// thousands of undisturbed messages what the others meet.
	Distance = 250 * time.Microsecond
	// patience is when probing ends even if not all probes were sent: a contestant that
	// takes tens of milliseconds for each does not need many to show it.
	patience = 300 * time.Millisecond
)

// Probes measures messages at a distance. probe sends one and returns when it has
// arrived, with the time that it took. At least one is sent, however long the machine stands
// still before that.
func Probes(messages int, probe func() time.Duration) []time.Duration {
	pause := time.NewTicker(Distance)
	defer pause.Stop()
	var out []time.Duration
	for start := time.Now(); len(out) < messages && (len(out) == 0 || time.Since(start) < patience); {
		<-pause.C
		out = append(out, probe())
	}
	return out
}

// BesideLoop is the latency of messages while others are in endless loops, one or as many
// as there are processors: from before a Send from outside to a process, through it, to
// the first instruction of a second process. The metric terminate-ns is the mean time from
// the request that the endless processes end until all of them have been seen to have
// ended.
func BesideLoop(b *testing.B, contestants ...Contestant) {
	sizes := []int{1}
	if n := runtime.GOMAXPROCS(0); n > 1 {
		sizes = append(sizes, n)
	}
	for _, loops := range sizes {
		b.Run("loops="+strconv.Itoa(loops), func(b *testing.B) {
			for i := range contestants {
				c := &contestants[i]
				if c.Endless == nil {
					continue
				}
				b.Run(c.Name, func(b *testing.B) {
					e := c.Endless(b)
					var all measure.Latencies
					var terminate time.Duration
					for b.Loop() {
						e.Loop(loops)
						all = append(all, e.Probe(probes)...)
						terminate += e.Terminate()
					}
					all.Report(b)
					b.ReportMetric(float64(terminate.Nanoseconds())/float64(b.N), "terminate-ns")
				})
			}
		})
	}
}
