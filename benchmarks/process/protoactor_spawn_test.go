// SPDX-License-Identifier: Apache-2.0

package process_test

import (
	"sync"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/wippyrun/kit/benchmarks/process"
)

func protoactorSpawnDone(b *testing.B) process.Batch {
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
	return process.Timed(func() {
		running.Add(process.Spawns)
		for range process.Spawns {
			root.Spawn(props)
		}
		running.Wait()
	})
}

// protoactorSpawnInTurn is told of the end of its children, as every actor is.
func protoactorSpawnInTurn(b *testing.B) process.Batch {
	root := newActors(b)
	done := make(chan struct{}, 1)
	left := 0
	ender := actor.PropsFromFunc(func(c actor.Context) {
		if _, ok := c.Message().(*actor.Started); ok {
			c.Stop(c.Self())
		}
	})
	spawner := root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
		switch c.Message().(type) {
		case *hit, *actor.Terminated:
		default:
			return
		}
		if left--; left < 0 {
			done <- struct{}{}
			return
		}
		c.Spawn(ender)
	}))
	m := &hit{}
	return process.Timed(func() {
		left = process.Spawns
		root.Send(spawner, m)
		<-done
	})
}

// protoactorBranch is an actor of the tree.
type protoactorBranch struct {
	root   chan<- int // nil below the root
	first  int        // number of its first leaf
	leaves int
	sum    int
	open   int // children whose sums are missing
}

func protoactorTree(b *testing.B) process.Batch {
	root := newActors(b)
	done := make(chan int, 1)
	return process.Timed(func() {
		top := &protoactorBranch{root: done, leaves: process.Leaves}
		root.Spawn(actor.PropsFromProducer(func() actor.Actor { return top }))
		if sum := <-done; sum != process.TreeSum {
			b.Fatalf("the tree added up to %d, not %d", sum, process.TreeSum)
		}
	})
}

func (n *protoactorBranch) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		if n.leaves == 1 {
			n.sum = n.first
			n.answer(c)
			return
		}
		n.open = process.Branches
		each := n.leaves / process.Branches
		for i := range process.Branches {
			child := &protoactorBranch{first: n.first + i*each, leaves: each}
			c.Spawn(actor.PropsFromProducer(func() actor.Actor { return child }))
		}
	case *protoactorBranch:
		n.sum += m.sum
		if n.open--; n.open == 0 {
			n.answer(c)
		}
	}
}

func (n *protoactorBranch) answer(c actor.Context) {
	if n.root != nil {
		n.root <- n.sum
	} else {
		c.Send(c.Parent(), n)
	}
	c.Stop(c.Self())
}
