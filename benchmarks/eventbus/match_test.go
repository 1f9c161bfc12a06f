// SPDX-License-Identifier: Apache-2.0

package eventbus_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
	"github.com/wippyrun/kit/eventbus"
)

// others is how many subscriptions there are that do not match.
const others = 10_000

// BenchmarkMatch publishes topics in turn past 10 000 wildcard subscriptions, of which
// none matches, and one that does. The sublist of the NATS server only finds it, on the
// goroutine that asks; ours also queues the event and calls back on another.
func BenchmarkMatch(b *testing.B) {
	for _, topics := range []int{1, 500, 100_000} {
		b.Run(fmt.Sprintf("topics=%d", topics), func(b *testing.B) {
			b.Run("ours", func(b *testing.B) { matchOurs(b, topics, 0) })
			b.Run("nats-sublist", func(b *testing.B) { matchNATS(b, topics, 0) })
		})
	}
}

// BenchmarkMatchUnderChurn is the same with a subscription that comes and goes for every
// 32 events, of a pattern that was not there before.
func BenchmarkMatchUnderChurn(b *testing.B) {
	for _, topics := range []int{1, 500} {
		b.Run(fmt.Sprintf("topics=%d", topics), func(b *testing.B) {
			b.Run("ours", func(b *testing.B) { matchOurs(b, topics, 32) })
			b.Run("nats-sublist", func(b *testing.B) { matchNATS(b, topics, 32) })
		})
	}
}

const batch = 4096

// matchOurs publishes batches; with churn a subscription comes and goes for every that many
// events.
func matchOurs(b *testing.B, topics, churn int) {
	events := eventbus.New()
	b.Cleanup(func() { _ = events.Stop(context.Background()) })
	subscribe := func(p eventbus.Pattern, handle func(eventbus.Event)) *eventbus.Subscription {
		s, err := events.Subscribe(context.Background(), p, handle)
		if err != nil {
			b.Fatal(err)
		}
		return s
	}
	for i := range others {
		subscribe(foreign(i), func(eventbus.Event) {})
	}
	seen := 0
	done := make(chan struct{}, 1)
	subscribe(eventbus.Pattern{System: "process", Kind: "kind.*"}, func(eventbus.Event) {
		if seen++; seen%batch == 0 {
			done <- struct{}{}
		}
	})
	kinds := make([]string, topics)
	for i := range kinds {
		kinds[i] = fmt.Sprintf("kind.%d", i)
	}
	next := 0
	measure.Items(b, batch, func() {
		for i := range batch {
			if churn > 0 && i%churn == 0 {
				subscribe(eventbus.Pattern{System: "x", Kind: kinds[next%topics]}, func(eventbus.Event) {}).Close()
			}
			events.Publish(eventbus.Event{System: "process", Kind: kinds[next%topics]})
			next++
		}
		<-done
	})
}
