// SPDX-License-Identifier: Apache-2.0

package eventbus_test

import (
	"fmt"
	"testing"

	"github.com/nats-io/nats-server/v2/server/gsl"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
)

// matchNATS is matchOurs with the generic sublist of the NATS server, an index and nothing
// else: nothing is queued and nobody is called. The one that the server itself uses has a
// cache of 1024 subjects in front, but takes only subscriptions of a private type.
func matchNATS(b *testing.B, topics, churn int) {
	list := gsl.NewSublist[int]()
	insert := func(subject string) {
		if err := list.Insert(subject, 0); err != nil {
			b.Fatal(err)
		}
	}
	for i := range others {
		switch i % 4 { // as foreign
		case 0:
			insert(fmt.Sprintf("process.other.%d.>", i))
		case 1:
			insert(fmt.Sprintf("*.process.started.%d", i))
		case 2:
			insert(fmt.Sprintf("*.*.x%d", i))
		default:
			insert(fmt.Sprintf("process.*.*.a%d", i))
		}
	}
	insert("process.kind.*")
	subjects, passing := make([]string, topics), make([]string, topics)
	for i := range subjects {
		subjects[i] = fmt.Sprintf("process.kind.%d", i)
		passing[i] = fmt.Sprintf("x.kind.%d", i)
	}
	next, found := 0, 0
	measure.Items(b, batch, func() {
		for i := range batch {
			if churn > 0 && i%churn == 0 {
				insert(passing[next%topics])
				if err := list.Remove(passing[next%topics], 0); err != nil {
					b.Fatal(err)
				}
			}
			list.Match(subjects[next%topics], func(int) { found++ })
			next++
		}
	})
	if found != next {
		b.Errorf("found %d, want %d", found, next)
	}
}
