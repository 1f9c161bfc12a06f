// SPDX-License-Identifier: Apache-2.0

package eventbus_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/nats-io/nats-server/v2/server/gsl"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
	"github.com/wippyrun/kit/eventbus"
)

// others is how many subscriptions there are that do not match.
const others = 10_000

// BenchmarkMatch publishes topics in turn past 10 000 wildcard subscriptions, of which
// none matches, and one that does. The sublist of the NATS server, in the generic form
// that others can use, without its cache, only finds it, on the goroutine that asks; ours
// also queues the event and calls back on another.
func BenchmarkMatch(b *testing.B) {
	for _, topics := range []int{1, 500, 100_000} {
		b.Run(fmt.Sprintf("topics=%d", topics), func(b *testing.B) {
			b.Run("ours", func(b *testing.B) { matchOurs(b, topics, 0) })
			b.Run("nats-sublist", func(b *testing.B) { matchNATS(b, topics, 0) })
		})
	}
}

// BenchmarkMatchUnderChurn is the same with a subscription that comes and goes for every
// 32 events. Its pattern is new, so that ours forgets all results; the sublist corrects
// those concerned.
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

func matchNATS(b *testing.B, topics, churn int) {
	list := gsl.NewSublist[int]()
	insert := func(subject string, value int) {
		if err := list.Insert(subject, value); err != nil {
			b.Fatal(err)
		}
	}
	for i := range others {
		switch i % 4 {
		case 0:
			insert(fmt.Sprintf("process.other.%d.>", i), i)
		case 1:
			insert(fmt.Sprintf("*.process.started.%d", i), i)
		case 2:
			insert(fmt.Sprintf("*.*.x%d", i), i)
		default:
			insert(fmt.Sprintf("process.*.*.a%d", i), i)
		}
	}
	insert("process.kind.*", others)
	subjects, own := make([]string, topics), make([]string, topics)
	for i := range subjects {
		subjects[i] = fmt.Sprintf("process.kind.%d", i)
		own[i] = fmt.Sprintf("x.kind.%d", i)
	}
	if n := list.NumInterest(subjects[0]); n != 1 {
		b.Fatalf("%d subscriptions match, want 1", n)
	}
	next, found := 0, 0
	measure.Items(b, batch, func() {
		for i := range batch {
			if churn > 0 && i%churn == 0 {
				insert(own[next%topics], 0)
				if err := list.Remove(own[next%topics], 0); err != nil {
					b.Fatal(err)
				}
			}
			list.Match(subjects[next%topics], func(int) { found++ })
			next++
		}
	})
	if found < next {
		b.Errorf("found %d of %d", found, next)
	}
}
