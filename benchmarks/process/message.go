// SPDX-License-Identifier: Apache-2.0

package process

import "testing"

// Rounds is the number of round trips in a batch of PingPong.
const Rounds = 4096

// PingPong is the time of a round trip between two processes.
func PingPong(b *testing.B, contestants ...Contestant) {
	items(b, Rounds, contestants, func(c *Contestant) Setup { return c.PingPong })
}

const (
	// RingSize is the number of processes in the ring.
	RingSize = 1000
	// Laps is how often the token goes round in a batch.
	Laps = 10
)

// Ring is the time of a hop in a ring of a thousand processes in which one token goes
// round: every hop is to a process that has not run for a thousand hops.
func Ring(b *testing.B, contestants ...Contestant) {
	items(b, RingSize*Laps, contestants, func(c *Contestant) Setup { return c.Ring })
}

const (
	// Senders is the number of processes that send to one.
	Senders = 1000
	// Each is the number of messages that each of them sends.
	Each = 100
)

// FanIn is the time per message when a thousand processes send to one, each a hundred
// in a loop.
func FanIn(b *testing.B, contestants ...Contestant) {
	items(b, Senders*Each, contestants, func(c *Contestant) Setup { return c.FanIn })
}

const (
	// Receivers is the number of processes that one sends to.
	Receivers = 1000
	// Deliveries is how often it sends to each.
	Deliveries = 10
)

// FanOut is the time per message when one process sends to a thousand, ten times one
// after the other. Each tells the sender when it has got its ten, so a hundred answers
// per thousand messages are in the time.
func FanOut(b *testing.B, contestants ...Contestant) {
	items(b, Receivers*Deliveries, contestants, func(c *Contestant) Setup { return c.FanOut })
}

// Sends is the number of messages in a batch of Send.
const Sends = 4096

// Send is a message from outside the runtime to a process that keeps up.
func Send(b *testing.B, contestants ...Contestant) {
	items(b, Sends, contestants, func(c *Contestant) Setup { return c.Send })
}
