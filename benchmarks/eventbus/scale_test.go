// SPDX-License-Identifier: Apache-2.0

package eventbus_test

import (
	"fmt"
	"testing"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
)

// mostOthers bounds the subscriptions of peers: they have a goroutine for each, that wakes up
// all the time.
const mostOthers = 10_000

// BenchmarkScaleSubscriptions is the time from publish to handled of one subscriber beside so
// many subscriptions that do not match.
//
//	go test -run '^$' -bench Scale ./eventbus -scale 100000
func BenchmarkScaleSubscriptions(b *testing.B) {
	for _, n := range measure.Powers(100_000) {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			for _, c := range contestants {
				if !c.topics || c.name != "ours" && n > mostOthers {
					continue
				}
				b.Run(c.name, func(b *testing.B) {
					p := c.open(b)
					p.others(n)
					deliver(b, p, 1, 4096)
				})
			}
		})
	}
}
