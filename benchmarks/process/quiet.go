// SPDX-License-Identifier: Apache-2.0

//go:build unix

package process

import (
	"testing"
	"time"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
)

// quiet is the number of processes that Quiet keeps.
const quiet = 100_000

// Quiet measures the processor time that a hundred thousand idle processes use while
// nothing happens for the given time: idle-cpu-% is in per cent of one processor and
// includes what the rest of the program uses, such as the garbage collector and the
// threads that look after it.
func Quiet(b *testing.B, length time.Duration, contestants ...Contestant) {
	for i := range contestants {
		c := &contestants[i]
		if c.Crowd == nil || c.CrowdLimit > 0 {
			continue
		}
		b.Run(c.Name, func(b *testing.B) {
			crowd := c.Crowd(b)
			processor := crowd.Processor
			if processor == nil {
				processor = measure.Processor
			}
			crowd.Create(quiet)
			crowd.Ask() // each has run and is at rest again
			if crowd.Memory == nil {
				measure.Memory() // no garbage that would be collected meanwhile
			}
			var used, passed time.Duration
			for b.Loop() {
				before, start := processor(), time.Now()
				<-time.After(length)
				passed += time.Since(start)
				used += processor() - before
			}
			crowd.End()
			b.ReportMetric(0, "ns/op") // leaves it out: it would be the length
			b.ReportMetric(100*used.Seconds()/passed.Seconds(), "idle-cpu-%")
		})
	}
}
