// SPDX-License-Identifier: Apache-2.0

package eventbus_test

import (
	"testing"
	"time"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
)

// BenchmarkLatency is the time from publish to handled when nothing else goes on and the
// next event follows at once.
func BenchmarkLatency(b *testing.B) {
	for _, c := range contestants {
		b.Run(c.name, func(b *testing.B) { deliver(b, c.open(b), 1, 1) })
	}
}

// BenchmarkIdleLatency is the time one way, from before publish to inside the callback,
// when nothing has happened for half a millisecond: goroutines are parked, the processor
// is asleep and its caches have gone cold. It is measured on the very same bus as
// BenchmarkOneSubscriber, which is the point: to collect events makes one of the two look
// good.
func BenchmarkIdleLatency(b *testing.B) {
	const least = 500 // so that there is a 99th percentile
	for _, c := range contestants {
		b.Run(c.name, func(b *testing.B) {
			p := c.open(b)
			var begun time.Time
			took := make(chan time.Duration, 1)
			p.subscribe(func() { took <- time.Since(begun) })
			tick := time.NewTicker(500 * time.Microsecond)
			defer tick.Stop()
			var all measure.Latencies
			once := func() {
				<-tick.C
				begun = time.Now()
				p.publish()
				all = append(all, <-took)
			}
			for b.Loop() {
				once()
			}
			for len(all) < least {
				once()
			}
			all.Report(b)
		})
	}
}
