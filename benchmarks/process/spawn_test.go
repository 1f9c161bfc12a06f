// SPDX-License-Identifier: Apache-2.0

package process_test

import (
	"context"
	"sync"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
	"github.com/wippyrun/kit/scheduler"
)

// BenchmarkSpawnDone starts processes that end in their first step and waits until
// the spawner has been told of each end.
func BenchmarkSpawnDone(b *testing.B) {
	const n = 1000
	b.Run("ours", func(b *testing.B) {
		s := newScheduler(b)
		var running sync.WaitGroup
		ended := func(any, error) { running.Done() }
		var p scheduler.Process = step(func(_ []scheduler.Event, out *scheduler.Output) error {
			out.Done(nil)
			return nil
		})
		measure.Items(b, n, func() {
			running.Add(n)
			for range n {
				if _, err := s.Submit(context.Background(), p, scheduler.SubmitOptions{OnExit: ended}); err != nil {
					b.Fatal(err)
				}
			}
			running.Wait()
		})
	})
	b.Run("goroutines", func(b *testing.B) {
		var running sync.WaitGroup
		measure.Items(b, n, func() {
			running.Add(n)
			for range n {
				go func() { running.Done() }()
			}
			running.Wait()
		})
	})
	b.Run("protoactor", func(b *testing.B) {
		root := newActors(b)
		var running sync.WaitGroup
		props := actor.PropsFromFunc(func(c actor.Context) {
			switch c.Message().(type) {
			case *actor.Started:
				c.Stop(c.Self())
			case *actor.Stopped:
				running.Done()
			}
		})
		measure.Items(b, n, func() {
			running.Add(n)
			for range n {
				root.Spawn(props)
			}
			running.Wait()
		})
	})
}

// BenchmarkIdle starts processes that wait for a message and measures what they occupy.
func BenchmarkIdle(b *testing.B) {
	const n = 50_000
	b.Run("ours", func(b *testing.B) {
		s := newScheduler(b)
		measure.PerItem(b, n, func() func() {
			var idle sync.WaitGroup
			idle.Add(n)
			refs := make([]*scheduler.Ref, n)
			for i := range refs {
				refs[i] = submit(b, s, &idler{idle: &idle})
			}
			idle.Wait()
			return func() {
				for _, ref := range refs {
					ref.Cancel()
				}
				for _, ref := range refs {
					<-ref.Done()
				}
			}
		})
	})
	b.Run("goroutines", func(b *testing.B) {
		measure.PerItem(b, n, func() func() {
			var idle, running sync.WaitGroup
			idle.Add(n)
			inboxes := make([]chan any, n)
			for i := range inboxes {
				inbox := make(chan any, 1)
				inboxes[i] = inbox
				running.Go(func() {
					idle.Done()
					<-inbox
				})
			}
			idle.Wait()
			return func() {
				for _, inbox := range inboxes {
					inbox <- nil
				}
				running.Wait()
			}
		})
	})
	b.Run("protoactor", func(b *testing.B) {
		root := newActors(b)
		measure.PerItem(b, n, func() func() {
			var idle, running sync.WaitGroup
			idle.Add(n)
			running.Add(n)
			props := actor.PropsFromFunc(func(c actor.Context) {
				switch c.Message().(type) {
				case *actor.Started:
					idle.Done()
				case *actor.Stopped:
					running.Done()
				}
			})
			pids := make([]*actor.PID, n)
			for i := range pids {
				pids[i] = root.Spawn(props)
			}
			idle.Wait()
			return func() {
				for _, pid := range pids {
					root.Stop(pid)
				}
				running.Wait()
			}
		})
	})
}

// idler tells once that it has been run and then only waits.
type idler struct{ idle *sync.WaitGroup }

func (*idler) Init(context.Context, string, any) error { return nil }
func (p *idler) Step([]scheduler.Event, *scheduler.Output) error {
	if p.idle != nil {
		p.idle.Done()
		p.idle = nil
	}
	return nil
}
func (*idler) Close() {}
