// SPDX-License-Identifier: Apache-2.0

package process

import "testing"

// Spawns is the number of processes that SpawnDone and SpawnInTurn start in a batch.
const Spawns = 1000

// SpawnDone starts processes that end in their first step and waits until the spawner
// has been told of each end.
func SpawnDone(b *testing.B, contestants ...Contestant) {
	items(b, Spawns, contestants, func(c *Contestant) Setup { return c.SpawnDone })
}

// SpawnInTurn is the time from a process's starting another one until it has been told
// that the other one has ended; then it starts the next.
func SpawnInTurn(b *testing.B, contestants ...Contestant) {
	items(b, Spawns, contestants, func(c *Contestant) Setup { return c.SpawnInTurn })
}

const (
	// Branches is the number of children of a process in the tree.
	Branches = 10
	// Leaves is the number of processes without children.
	Leaves = 100_000
	// TreeSum is what the processes of a tree must have added up.
	TreeSum = Leaves * (Leaves - 1) / 2

	treeSize = Leaves * Branches / (Branches - 1) // 111 111
)

// Tree is the skynet benchmark: a process starts ten, each of which starts ten, until
// there are a hundred thousand leaves. A leaf sends its number to the process that
// started it, and every other process the sum of what its ten have sent. The time is per
// process: start, an answer, end.
func Tree(b *testing.B, contestants ...Contestant) {
	items(b, treeSize, contestants, func(c *Contestant) Setup { return c.Tree })
}
