// SPDX-License-Identifier: Apache-2.0

package scheduler

// A process has one word that is both its event queue and its state: the head
// pointer of a list of nodes, newest first. See the table in doc.go.
//
// Producers push with one CAS; the worker that owns the process takes the whole
// list with one swap and turns it round. That is a Treiber stack whose only pop
// takes everything, which removes the ABA problem, and it was chosen over
// Vyukov's MPSC queue for three reasons: there is no moment in which a producer
// has announced but not linked its node, so that the consumer never has to
// wait for a preempted producer; closing the queue is exact; and because
// "empty and idle" is a value of the same word, pushing and making the process
// ready is one atomic operation instead of two, which also rules out a lost
// wake-up by construction.

// node is an event on its way.
type node struct {
	event Event
	next  *node
	slab  *slab // what it is part of, nil for a single node; constant
}

// The values of the head that are not lists. They are compared by address and
// never written.
var (
	idleMark    = new(node) // waiting for an event
	blockedMark = new(node) // waiting, with open yields
	closedMark  = new(node) // ended
)

type pushed uint8

const (
	pushQueued pushed = iota // somebody else runs or will run the process
	pushReady                // the caller has become responsible for running it
	pushClosed               // the process has ended; the node is still the caller's
)

// push adds n to the queue.
func (r *Ref) push(n *node) pushed {
	for {
		head := r.head.Load()
		switch head {
		case closedMark:
			return pushClosed
		case idleMark, blockedMark:
			n.next = nil
			if r.head.CompareAndSwap(head, n) {
				return pushReady
			}
		default:
			n.next = head
			if r.head.CompareAndSwap(head, n) {
				return pushQueued
			}
		}
	}
}

// reverse turns a list round, so that the oldest node comes first.
func reverse(n *node) *node {
	var first *node
	for n != nil {
		next := n.next
		n.next = first
		first, n = n, next
	}
	return first
}
