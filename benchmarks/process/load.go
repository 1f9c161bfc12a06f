// SPDX-License-Identifier: Apache-2.0

package process

import (
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
)

const (
	// TimerProcesses is the number of processes that wait for timers.
	TimerProcesses = 10_000
	// Firings is how often the timer of each fires in a batch.
	Firings = 10
	// TimerPeriod is how long a timer runs: so short that the timers of all processes
	// are more than a machine can serve, and the time is what serving them costs. No
	// contestant can go below the period divided by the processes, 100 ns per firing.
	TimerPeriod = time.Millisecond
)

// Timers is the time per firing when ten thousand processes wait for a timer each,
// again and again.
func Timers(b *testing.B, contestants ...Contestant) {
	items(b, TimerProcesses*Firings, contestants, func(c *Contestant) Setup { return c.Timers })
}

const (
	// Heap is the number of processes that Imbalance makes ready at one place.
	Heap = 1000

	spins = 1500 // about 2 µs, a few times what moving a process costs
)

// Spin is the work of a process in Imbalance. The result depends on every step, so that
// the compiler cannot leave one out.
func Spin(seed uint64) uint64 {
	for range spins {
		seed = seed*6364136223846793005 + 1442695040888963407
	}
	return seed
}

// Imbalance is the time per process when one process makes a thousand ready, each with
// two microseconds of work, so that all wait behind one worker and the others must come
// and steal. The metric speedup is the least time that one processor takes for the work
// alone, divided by the least time taken: at most the number of processors.
func Imbalance(b *testing.B, contestants ...Contestant) {
	for i := range contestants {
		c := &contestants[i]
		if c.Imbalance == nil {
			continue
		}
		b.Run(c.Name, func(b *testing.B) {
			batch := c.Imbalance(b)
			alone, together := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
			measure.Timed(b, Heap, func() time.Duration {
				start := time.Now()
				var seed uint64
				for range Heap {
					seed = Spin(seed)
				}
				runtime.KeepAlive(seed)
				alone = min(alone, time.Since(start))
				took := batch()
				together = min(together, took)
				return took
			})
			b.ReportMetric(alone.Seconds()/together.Seconds(), "speedup")
		})
	}
}
