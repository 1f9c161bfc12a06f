// SPDX-License-Identifier: Apache-2.0

package process_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
	"github.com/wippyrun/kit/scheduler"
)

// scattered is a batch of messages for processes all over the place.
const scattered = 1024

// BenchmarkScaleProcesses sends messages to processes chosen among so many that are idle, and
// tells what one of them occupies. What should cost the same however many there are.
//
//	go test -run '^$' -bench Scale ./process -scale 1000000
func BenchmarkScaleProcesses(b *testing.B) {
	for _, n := range measure.Powers(1_000_000) {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			b.Run("ours", func(b *testing.B) {
				s := newScheduler(b, scheduler.Config{})
				var left atomic.Int64
				done := make(chan struct{}, 1)
				receiver := step(func(events []scheduler.Event, _ *scheduler.Output) error {
					if len(events) > 0 && left.Add(int64(-len(events))) == 0 {
						done <- struct{}{}
					}
					return nil
				})
				before := measure.Memory()
				refs := make([]*scheduler.Ref, n)
				for i := range refs {
					refs[i] = submit(b, s, receiver)
				}
				bytes := measure.Memory() - before
				at := 0
				measure.Items(b, scattered, func() {
					left.Store(scattered)
					for range scattered {
						at = (at + 7919) % n
						send(b, refs[at], ball)
					}
					<-done
				})
				b.ReportMetric(float64(bytes)/float64(n), "B/item")
			})
			b.Run("goroutines", func(b *testing.B) {
				var left atomic.Int64
				done := make(chan struct{}, 1)
				var running sync.WaitGroup
				before := measure.Memory()
				channels := make([]chan any, n)
				for i := range channels {
					ch := make(chan any, 1)
					channels[i] = ch
					running.Go(func() {
						for range ch {
							if left.Add(-1) == 0 {
								done <- struct{}{}
							}
						}
					})
				}
				bytes := measure.Memory() - before
				at := 0
				measure.Items(b, scattered, func() {
					left.Store(scattered)
					for range scattered {
						at = (at + 7919) % n
						channels[at] <- ball
					}
					<-done
				})
				b.ReportMetric(float64(bytes)/float64(n), "B/item")
				for _, ch := range channels {
					close(ch)
				}
				running.Wait()
			})
		})
	}
}
