// SPDX-License-Identifier: Apache-2.0

package eventbus_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
)

// deliver publishes events in batches to the given number of subscribers, waits for
// the deliveries of each batch and reports per delivery. Each subscriber counts for
// itself, so that counting costs next to nothing.
func deliver(b *testing.B, p bus, subscribers, events int) {
	batch := batches(p, subscribers, events)
	measure.Items(b, events*subscribers, batch)
}

// batches subscribes and returns a function that publishes events and returns when all
// are delivered.
func batches(p bus, subscribers, events int) func() {
	var left atomic.Int64
	done := make(chan struct{}, 1)
	for range subscribers {
		seen := 0
		p.subscribe(func() {
			if seen++; seen%events == 0 && left.Add(-1) == 0 {
				done <- struct{}{}
			}
		})
	}
	return func() {
		left.Store(int64(subscribers))
		for range events {
			p.publish()
		}
		<-done
	}
}

// BenchmarkOneSubscriber is the amortised time from publish to handled, in bursts short
// and long: kelindar/event hands over twice a millisecond, which long ones hide.
func BenchmarkOneSubscriber(b *testing.B) {
	for _, events := range []int{4096, 65536} {
		b.Run(fmt.Sprintf("burst=%d", events), func(b *testing.B) {
			for _, c := range contestants {
				b.Run(c.name, func(b *testing.B) { deliver(b, c.open(b), 1, events) })
			}
		})
	}
}

// BenchmarkOneAmong10000 is the same beside 10 000 subscriptions that do not match. Only
// ours has patterns to try; the peers' subscribers are on other topics, all on the same
// one with kelindar/event: it wakes each of them twice a millisecond, and with 10 000
// topics would have as many tickers.
func BenchmarkOneAmong10000(b *testing.B) {
	for _, c := range contestants {
		if !c.topics {
			continue
		}
		b.Run(c.name, func(b *testing.B) {
			p := c.open(b)
			p.others(10_000)
			deliver(b, p, 1, 4096)
		})
	}
}

// BenchmarkFanOut1000 is the time per delivery to a thousand subscribers, of events in
// bursts and of single ones.
func BenchmarkFanOut1000(b *testing.B) {
	for _, events := range []int{16, 1} {
		b.Run(fmt.Sprintf("burst=%d", events), func(b *testing.B) {
			for _, c := range contestants {
				b.Run(c.name, func(b *testing.B) { deliver(b, c.open(b), 1000, events) })
			}
		})
	}
}
