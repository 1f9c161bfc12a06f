// SPDX-License-Identifier: Apache-2.0

package eventbus_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/ThreeDotsLabs/watermill/pubsub/gochannel"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
	"github.com/wippyrun/kit/eventbus"
)

// deliver publishes events in batches to the given number of subscribers, waits for
// the deliveries of each batch and reports per delivery. Each subscriber counts for
// itself, so that counting costs next to nothing.
func deliver(b *testing.B, p bus, subscribers, events int) {
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
	measure.Items(b, events*subscribers, func() {
		left.Store(int64(subscribers))
		for range events {
			p.publish()
		}
		<-done
	})
}

// BenchmarkOneSubscriber is the amortised time from publish to handled.
func BenchmarkOneSubscriber(b *testing.B) {
	for _, c := range contestants {
		b.Run(c.name, func(b *testing.B) { deliver(b, c.open(b), 1, 4096) })
	}
}

// BenchmarkOneAmong10000 is the same beside 10 000 subscriptions that do not match. Only
// ours has patterns to try; the peers' subscribers are on other topics. Channels have
// no topics and do not take part.
func BenchmarkOneAmong10000(b *testing.B) {
	const others = 10_000
	b.Run("ours", func(b *testing.B) {
		events := eventbus.New()
		b.Cleanup(func() { _ = events.Stop(context.Background()) })
		for i := range others {
			p := eventbus.Pattern{System: "(process|registry)", Kind: fmt.Sprintf("other.%d.**", i)}
			if _, err := events.Subscribe(context.Background(), p, func(eventbus.Event) {}); err != nil {
				b.Fatal(err)
			}
		}
		deliver(b, bus{
			publish: func() { events.Publish(event) },
			subscribe: func(handle func()) {
				if _, err := events.Subscribe(context.Background(), pattern, func(eventbus.Event) { handle() }); err != nil {
					b.Fatal(err)
				}
			},
		}, 1, 4096)
	})
	b.Run("watermill-sync", func(b *testing.B) {
		p, pubsub := openWatermill(b, true)
		for i := range others {
			subscribeOther(b, pubsub, fmt.Sprintf("other.%d", i))
		}
		deliver(b, p, 1, 4096)
	})
}

func subscribeOther(b *testing.B, pubsub *gochannel.GoChannel, topic string) {
	if _, err := pubsub.Subscribe(b.Context(), topic); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkFanOut1000 is the time per delivery to a thousand subscribers.
func BenchmarkFanOut1000(b *testing.B) {
	for _, c := range contestants {
		b.Run(c.name, func(b *testing.B) { deliver(b, c.open(b), 1000, 16) })
	}
}

// BenchmarkOneStuck is the time per delivery to four subscribers, alone and next to a
// fifth that never returns from its first event.
func BenchmarkOneStuck(b *testing.B) {
	for _, stuck := range []bool{false, true} {
		b.Run(fmt.Sprintf("stuck=%v", stuck), func(b *testing.B) {
			for _, c := range contestants[:3] { // not watermill-sync
				b.Run(c.name, func(b *testing.B) {
					p := c.open(b)
					if stuck {
						release := make(chan struct{})
						b.Cleanup(func() { close(release) })
						p.stuck(release)
					}
					deliver(b, p, 4, 1024)
				})
			}
		})
	}
}

// BenchmarkLatency is the time from publish to handled when nothing else goes on.
func BenchmarkLatency(b *testing.B) {
	for _, c := range contestants {
		b.Run(c.name, func(b *testing.B) { deliver(b, c.open(b), 1, 1) })
	}
}
