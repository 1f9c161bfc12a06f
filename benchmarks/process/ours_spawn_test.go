// SPDX-License-Identifier: Apache-2.0

package process_test

import (
	"context"
	"sync"
	"testing"

	"github.com/wippyrun/kit/benchmarks/process"
	"github.com/wippyrun/kit/scheduler"
)

// ender ends in its first step.
var ender scheduler.Process = step(func(_ []scheduler.Event, out *scheduler.Output) error {
	out.Done(nil)
	return nil
})

func oursSpawnDone(b *testing.B) process.Batch {
	s := newScheduler(b, scheduler.Config{})
	var running sync.WaitGroup
	ended := func(any, error) { running.Done() }
	return process.Timed(func() {
		running.Add(process.Spawns)
		for range process.Spawns {
			if _, err := s.Submit(context.Background(), ender, scheduler.SubmitOptions{OnExit: ended}); err != nil {
				b.Fatal(err)
			}
		}
		running.Wait()
	})
}

func oursSpawnInTurn(b *testing.B) process.Batch {
	s := newScheduler(b, scheduler.Config{})
	done := make(chan struct{}, 1)
	left := 0
	var spawner *scheduler.Ref
	ended := func(any, error) { send(b, spawner, ball) }
	spawner = submit(b, s, step(func(events []scheduler.Event, out *scheduler.Output) error {
		for range events {
			if left--; left < 0 {
				done <- struct{}{}
				continue
			}
			_, err := s.Submit(context.Background(), ender, scheduler.SubmitOptions{Near: out.Ref(), OnExit: ended})
			if err != nil {
				return err
			}
		}
		return nil
	}))
	return process.Timed(func() {
		left = process.Spawns
		send(b, spawner, ball)
		<-done
	})
}

// branch is a process of the tree.
type branch struct {
	parent *scheduler.Ref // nil at the root
	root   chan<- int
	first  int // number of its first leaf
	leaves int
	sum    int
	open   int // children whose sums are missing
}

func oursTree(b *testing.B) process.Batch {
	s := newScheduler(b, scheduler.Config{})
	root := make(chan int, 1)
	return process.Timed(func() {
		submit(b, s, &branch{root: root, leaves: process.Leaves})
		if sum := <-root; sum != process.TreeSum {
			b.Fatalf("the tree added up to %d, not %d", sum, process.TreeSum)
		}
	})
}

func (*branch) Init(context.Context, string, any) error { return nil }
func (n *branch) Step(events []scheduler.Event, out *scheduler.Output) error {
	switch {
	case n.leaves == 1:
		n.sum = n.first
	case len(events) == 0:
		return n.grow(out.Ref())
	}
	for _, e := range events {
		n.sum += e.Data.(*branch).sum
		n.open--
	}
	if n.open > 0 {
		return nil
	}
	out.Done(nil)
	if n.parent == nil {
		n.root <- n.sum
		return nil
	}
	return out.Send(n.parent, n)
}
func (*branch) Close() {}

func (n *branch) grow(self *scheduler.Ref) error {
	n.open = process.Branches
	each := n.leaves / process.Branches
	for i := range process.Branches {
		child := &branch{parent: self, first: n.first + i*each, leaves: each}
		opt := scheduler.SubmitOptions{Near: self}
		if _, err := self.Scheduler().Submit(context.Background(), child, opt); err != nil {
			return err
		}
	}
	return nil
}
