// SPDX-License-Identifier: Apache-2.0

package process

import (
	"testing"
	"time"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
)

// Contestant is one runtime, and how it carries out the workloads. A nil workload means
// that the runtime has no such thing, or that another one shows it already.
type Contestant struct {
	// Name is the last part of the benchmarks' names.
	Name string
	// Foreign contestants run in another program. Their allocations are not known.
	Foreign bool

	PingPong, Ring, FanIn, FanOut, Send Setup // message.go
	SpawnDone, SpawnInTurn, Tree        Setup // spawn.go
	Timers, Imbalance                   Setup // load.go

	Crowd      func(b *testing.B) Crowd // crowd.go
	CrowdLimit int                      // most processes it may be asked for; 0 for any number

	Wakeup  func(b *testing.B) Wakeup  // wakeup.go
	Endless func(b *testing.B) Endless // endless.go
}

// Setup makes a workload ready to run, and registers with b.Cleanup how it is cleared
// away so that no goroutine is left.
type Setup func(b *testing.B) Batch

// Batch runs a workload once to the end and returns how long that took.
type Batch func() time.Duration

// Timed makes a batch of a function that this program's clock times.
func Timed(run func()) Batch {
	return func() time.Duration {
		start := time.Now()
		run()
		return time.Since(start)
	}
}

// items measures a workload of n items for all contestants that have it.
func items(b *testing.B, n int, contestants []Contestant, workload func(*Contestant) Setup) {
	for i := range contestants {
		c := &contestants[i]
		setup := workload(c)
		if setup == nil {
			continue
		}
		b.Run(c.Name, func(b *testing.B) {
			batch := setup(b)
			if c.Foreign {
				measure.Foreign(b, n, batch)
				return
			}
			measure.Timed(b, n, batch)
		})
	}
}
