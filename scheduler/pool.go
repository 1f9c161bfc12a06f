// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"sync"
	"sync/atomic"
)

// nodePool recycles nodes, which come from two sources.
//
// Workers, which send most, cut them from slabs, one after the other in the order
// of their addresses. The receiver, on another processor, then reads what is new to
// its cache in an order that the processor foresees; nodes of a free list follow
// each other at random after a while, and every one was waited for three times: by
// the sender that takes it, by the receiver that turns the list round, and by the
// receiver that reads it. With 1000 senders on two processors that was 385 ns per
// message (BenchmarkFanIn). A slab is used again when all its nodes are back.
//
// Goroutines that have no slab take single nodes from chains linked through
// node.next. Workers put these together, so that they move nodeChain of them with
// one operation of the shared pool.
//
// Recycling is safe against ABA: a queue's pop takes everything, so a node that
// is pushed again while another producer still holds it as the expected head is
// then indeed the head (see queue.go).
type nodePool struct {
	chains sync.Pool // of *node
	slabs  sync.Pool // of *slab
}

const (
	// nodeChain is the length at which a worker hands a chain on.
	nodeChain = 128
	// slabNodes is the number of nodes in a slab: 2 KB of them.
	slabNodes = 32
)

// slab is nodes that are used in turn and recycled together.
type slab struct {
	nodes [slabNodes]node
	back  atomic.Int32 // nodes that have been used and put back
}

func newSlab() *slab {
	sl := new(slab)
	for i := range sl.nodes {
		sl.nodes[i].slab = sl
	}
	return sl
}

// reclaim counts n nodes as put back and reports whether the slab can be used again.
func (sl *slab) reclaim(n int32) bool {
	if sl.back.Add(n) < slabNodes {
		return false
	}
	sl.back.Store(0)
	return true
}

// wipe makes a node what it was before it was used.
func (n *node) wipe() {
	n.event = Event{}
	n.next = nil
}

// get returns a node to a goroutine that has no cache.
func (p *nodePool) get() *node {
	n, ok := p.chains.Get().(*node)
	if !ok {
		return new(node)
	}
	if n.next != nil {
		p.chains.Put(n.next)
		n.next = nil
	}
	return n
}

// put takes a node back.
func (p *nodePool) put(n *node) {
	n.wipe()
	if n.slab == nil {
		p.chains.Put(n)
	} else if n.slab.reclaim(1) {
		p.slabs.Put(n.slab)
	}
}

// nodeCache is a worker's own supply.
type nodeCache struct {
	pool *nodePool

	slab  *slab // in use; nil at first
	used  int   // nodes of slab that were handed out
	empty *slab // the next one to use, if there is one

	// Nodes of one slab are counted together, as counting is atomic.
	returning *slab
	returned  int32

	chain *node // single nodes
	count int   // its length
}

// get returns a node.
func (c *nodeCache) get() *node {
	if c.slab == nil || c.used == slabNodes {
		if c.slab, c.empty = c.empty, nil; c.slab == nil {
			var ok bool
			if c.slab, ok = c.pool.slabs.Get().(*slab); !ok {
				c.slab = newSlab()
			}
		}
		c.used = 0
	}
	n := &c.slab.nodes[c.used]
	c.used++
	return n
}

// put takes a node back.
func (c *nodeCache) put(n *node) {
	n.wipe()
	if n.slab == nil {
		c.link(n)
		return
	}
	if n.slab != c.returning {
		c.settle()
		c.returning = n.slab
	}
	if c.returned++; c.returned == slabNodes {
		c.settle()
	}
}

// settle counts what was returned.
func (c *nodeCache) settle() {
	sl := c.returning
	if c.returned > 0 && sl.reclaim(c.returned) {
		if c.empty == nil {
			c.empty = sl
		} else {
			c.pool.slabs.Put(sl)
		}
	}
	c.returning, c.returned = nil, 0
}

// link adds a single node to the chain, and hands the chain on when it is long.
func (c *nodeCache) link(n *node) {
	n.next = c.chain
	c.chain = n
	if c.count++; c.count == nodeChain {
		c.pool.chains.Put(c.chain)
		c.chain, c.count = nil, 0
	}
}
