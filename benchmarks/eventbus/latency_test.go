// SPDX-License-Identifier: Apache-2.0

package eventbus_test

import (
	"sync/atomic"
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
//
// With publisher=waits the publisher has nothing else to do, as one that goes back to its
// connection, and the processor it leaves can run the subscriber. With publisher=runs it
// keeps its processor, and the operating system has to wake a thread on another one.
func BenchmarkIdleLatency(b *testing.B) {
	for _, waits := range []bool{true, false} {
		how := "runs"
		if waits {
			how = "waits"
		}
		b.Run("publisher="+how, func(b *testing.B) {
			for _, c := range contestants {
				b.Run(c.name, func(b *testing.B) { idle(b, c.open(b), waits) })
			}
		})
	}
}

func idle(b *testing.B, p bus, waits bool) {
	const least = 500 // so that there is a 99th percentile
	epoch := time.Now()
	var handled atomic.Int64 // nanoseconds since epoch; 0 until then
	heard := make(chan struct{}, 1)
	p.subscribe(func() {
		handled.Store(int64(time.Since(epoch)))
		if waits {
			heard <- struct{}{}
		}
	})
	tick := time.NewTicker(500 * time.Microsecond)
	defer tick.Stop()
	var all measure.Latencies
	once := func() {
		<-tick.C
		handled.Store(0)
		begun := time.Since(epoch)
		p.publish()
		if waits {
			<-heard
		}
		for handled.Load() == 0 {
		}
		all = append(all, time.Duration(handled.Load())-begun)
	}
	for b.Loop() {
		once()
	}
	for len(all) < least {
		once()
	}
	all.Report(b)
}
