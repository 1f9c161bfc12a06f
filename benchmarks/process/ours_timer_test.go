// SPDX-License-Identifier: Apache-2.0

package process_test

import (
	"container/heap"
	"context"
	"sync"
	"testing"
	"time"

	"github.com/wippyrun/kit/benchmarks/process"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/dispatch"
)

// clock is a command that completes when its time has come. It is used again and again.
type clock struct {
	receiver dispatch.Receiver
	timer    *time.Timer   // for startClock
	due      time.Duration // for clocks, since their epoch
}

func (*clock) CommandID() dispatch.CommandID { return 1 }
func (c *clock) fire()                       { c.receiver.CompleteYield(0, nil, nil) }

// startClock gives each clock a timer of Go, which starts a goroutine when it fires.
func startClock(_ context.Context, cmd dispatch.Command, _ dispatch.Tag, r dispatch.Receiver) error {
	c := cmd.(*clock)
	if c.receiver = r; c.timer == nil {
		c.timer = time.AfterFunc(process.TimerPeriod, c.fire)
	} else {
		c.timer.Reset(process.TimerPeriod)
	}
	return nil
}

// clocks have one timer of Go for all clocks, and one goroutine for all that are due.
type clocks struct {
	epoch time.Time
	timer *time.Timer
	mu    sync.Mutex
	queue clockQueue // guarded by mu
}

func newClocks() *clocks {
	c := &clocks{epoch: time.Now()}
	c.timer = time.AfterFunc(time.Hour, c.fire)
	c.timer.Stop()
	return c
}

func (c *clocks) Handle(_ context.Context, cmd dispatch.Command, _ dispatch.Tag, r dispatch.Receiver) error {
	next := cmd.(*clock)
	next.receiver = r
	next.due = time.Since(c.epoch) + process.TimerPeriod
	c.mu.Lock()
	heap.Push(&c.queue, next)
	if c.queue[0] == next {
		c.timer.Reset(process.TimerPeriod)
	}
	c.mu.Unlock()
	return nil
}

func (c *clocks) fire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Since(c.epoch)
	for len(c.queue) > 0 {
		if wait := c.queue[0].due - now; wait > 0 {
			c.timer.Reset(wait)
			return
		}
		heap.Pop(&c.queue).(*clock).fire()
	}
}

// clockQueue is a heap with the clock that is due first at the top.
type clockQueue []*clock

func (q clockQueue) Len() int           { return len(q) }
func (q clockQueue) Less(i, j int) bool { return q[i].due < q[j].due }
func (q clockQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *clockQueue) Push(c any)        { *q = append(*q, c.(*clock)) }
func (q *clockQueue) Pop() any {
	last := len(*q) - 1
	c := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return c
}

func oursTimers(b *testing.B, handler dispatch.Handler) process.Batch {
	commands := dispatch.NewRegistry()
	commands.Register("benchmark", (*clock)(nil).CommandID(), handler)
	s := newScheduler(b, scheduler.Config{Dispatch: commands})
	var running sync.WaitGroup
	refs := make([]*scheduler.Ref, process.TimerProcesses)
	for i := range refs {
		left := 0
		timer := new(clock)
		refs[i] = submit(b, s, step(func(events []scheduler.Event, out *scheduler.Output) error {
			for _, e := range events {
				switch {
				case e.Kind == scheduler.MessageEvent:
					left = process.Firings
				case left > 1:
					left--
				default:
					running.Done()
					continue
				}
				out.Yield(timer, 0)
			}
			return nil
		}))
	}
	return process.Timed(func() {
		running.Add(len(refs))
		for _, ref := range refs {
			send(b, ref, ball)
		}
		running.Wait()
	})
}
