// SPDX-License-Identifier: Apache-2.0

package hollywood_test

import (
	"sync"
	"testing"

	"github.com/anthdm/hollywood/actor"

	"github.com/wippyrun/kit/benchmarks/process"
)

func spawnDone(b *testing.B) process.Batch {
	engine := newEngine(b)
	var running sync.WaitGroup
	ender := func(c *actor.Context) {
		switch c.Message().(type) {
		case actor.Started:
			c.Engine().Stop(c.PID())
		case actor.Stopped:
			running.Done()
		}
	}
	return process.Timed(func() {
		running.Add(process.Spawns)
		for range process.Spawns {
			engine.SpawnFunc(ender, "ender")
		}
		running.Wait()
	})
}

// spawnInTurn lets the actor that ends tell its spawner: the library tells nobody else
// of an end, except on its event stream.
func spawnInTurn(b *testing.B) process.Batch {
	engine := newEngine(b)
	done := make(chan struct{}, 1)
	left := 0
	m := &hit{}
	var spawner *actor.PID
	ender := func(c *actor.Context) {
		switch c.Message().(type) {
		case actor.Started:
			c.Engine().Stop(c.PID())
		case actor.Stopped:
			c.Send(spawner, m)
		}
	}
	spawner = on(engine, func(c *actor.Context, _ *hit) {
		if left--; left < 0 {
			done <- struct{}{}
			return
		}
		c.Engine().SpawnFunc(ender, "ender")
	})
	return process.Timed(func() {
		left = process.Spawns
		engine.Send(spawner, m)
		<-done
	})
}

// branch is an actor of the tree.
type branch struct {
	parent *actor.PID // nil at the root
	root   chan<- int
	first  int // number of its first leaf
	leaves int
	sum    int
	open   int // children whose sums are missing
}

// smallInbox is the initial size of the inboxes in the tree. With the default of 1024
// messages the tree would occupy 3 GB.
var smallInbox = actor.WithInboxSize(2 * process.Branches)

func tree(b *testing.B) process.Batch {
	engine := newEngine(b)
	done := make(chan int, 1)
	return process.Timed(func() {
		engine.Spawn(func() actor.Receiver { return &branch{root: done, leaves: process.Leaves} }, "tree", smallInbox)
		if sum := <-done; sum != process.TreeSum {
			b.Fatalf("the tree added up to %d, not %d", sum, process.TreeSum)
		}
	})
}

func (n *branch) Receive(c *actor.Context) {
	switch m := c.Message().(type) {
	case actor.Started:
		if n.leaves == 1 {
			n.sum = n.first
			n.answer(c)
			return
		}
		n.open = process.Branches
		each := n.leaves / process.Branches
		for i := range process.Branches {
			child := &branch{parent: c.PID(), first: n.first + i*each, leaves: each}
			c.Engine().Spawn(func() actor.Receiver { return child }, "tree", smallInbox)
		}
	case *branch:
		n.sum += m.sum
		if n.open--; n.open == 0 {
			n.answer(c)
		}
	}
}

func (n *branch) answer(c *actor.Context) {
	if n.parent == nil {
		n.root <- n.sum
	} else {
		c.Send(n.parent, n)
	}
	c.Engine().Stop(c.PID())
}
