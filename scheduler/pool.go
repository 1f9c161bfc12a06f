// SPDX-License-Identifier: Apache-2.0

package scheduler

import "sync"

// nodePool recycles nodes. Its items are chains linked through node.next, so
// that a worker moves nodeChain nodes with one operation of the shared pool: the
// workers that free nodes are often not those that need them, and handing them
// over one at a time cost more than the rest of a Send (BenchmarkFanIn).
//
// Recycling is safe against ABA: a queue's pop takes everything, so a node that
// is pushed again while another producer still holds it as the expected head is
// then indeed the head (see queue.go).
type nodePool struct {
	chains sync.Pool // of *node
}

// nodeChain is the length at which a worker hands a chain on.
const nodeChain = 128

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
	*n = node{}
	p.chains.Put(n)
}

// nodeCache is a worker's own supply: the chain in use and a full one, so that a
// worker that alternates between freeing and taking does not go to the pool each
// time (the magazines of Bonwick and Adams, USENIX 2001).
type nodeCache struct {
	pool  *nodePool
	free  *node
	count int // nodes in free, at most
	full  *node
}

func (c *nodeCache) get() *node {
	n := c.free
	if n == nil {
		if n, c.full = c.full, nil; n == nil {
			var ok bool
			if n, ok = c.pool.chains.Get().(*node); !ok {
				return new(node)
			}
		}
		c.count = nodeChain
	}
	c.free = n.next
	c.count--
	n.next = nil
	return n
}

func (c *nodeCache) put(n *node) {
	if c.count >= nodeChain {
		if c.full != nil {
			c.pool.chains.Put(c.full)
		}
		c.full, c.free, c.count = c.free, nil, 0
	}
	n.event = Event{}
	n.gen = 0
	n.next = c.free
	c.free = n
	c.count++
}
