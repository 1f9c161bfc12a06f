// SPDX-License-Identifier: Apache-2.0

package process

import (
	"testing"
	"time"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
)

// Crowd is a number of processes that wait for a message. Its functions are called one
// after the other: Create, Ask any number of times, End, and all over again.
type Crowd struct {
	// Create starts n processes and returns when all of them wait.
	Create func(n int)
	// Ask sends a message to each and returns when each has answered.
	Ask func()
	// End ends them and returns when all have ended.
	End func()
	// Memory returns the bytes in use, without garbage. Nil for this program's.
	Memory func() int64
	// Processor returns the processor time used so far. Nil for this program's.
	Processor func() time.Duration
}

// Idle starts fifty thousand processes that wait for a message, and measures how long that
// takes and what they occupy. The metric answer-ns is the time per process until each of
// them has been asked and has answered once.
func Idle(b *testing.B, contestants ...Contestant) {
	for i := range contestants {
		c := &contestants[i]
		if c.Crowd == nil {
			continue
		}
		n := 50_000
		if c.CrowdLimit > 0 {
			n = min(n, c.CrowdLimit)
		}
		b.Run(c.Name, func(b *testing.B) { fill(b, c.Crowd(b), n) })
	}
}

// Million is Idle with a million processes of ours, which is the first contestant, and a
// hundred thousand of each other one, or a million of those too if all is set: they then
// take 3 GB and up to a quarter of a minute each. Contestants that have a limit stay away.
func Million(b *testing.B, all bool, contestants ...Contestant) {
	for i := range contestants {
		c := &contestants[i]
		if c.Crowd == nil || c.CrowdLimit > 0 {
			continue
		}
		n := 1_000_000
		if i > 0 && !all {
			n = 100_000
		}
		b.Run(c.Name, func(b *testing.B) { fill(b, c.Crowd(b), n) })
	}
}

// fill measures one crowd of n.
func fill(b *testing.B, crowd Crowd, n int) {
	memory := crowd.Memory
	if memory == nil {
		memory = measure.Memory
	}
	var created, answered time.Duration
	var bytes int64
	for b.Loop() {
		before := memory()
		start := time.Now()
		crowd.Create(n)
		created += time.Since(start)
		bytes += memory() - before
		start = time.Now()
		crowd.Ask()
		answered += time.Since(start)
		crowd.End()
	}
	items := float64(b.N) * float64(n)
	b.ReportMetric(float64(created.Nanoseconds())/items, "ns/op")
	b.ReportMetric(float64(bytes)/items, "B/item")
	b.ReportMetric(float64(answered.Nanoseconds())/items, "answer-ns")
	b.ReportMetric(float64(n), "processes")
}
