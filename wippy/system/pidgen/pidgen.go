// SPDX-License-Identifier: Apache-2.0

// Package pidgen makes process ids and the name of the node they belong to.
//
// # Basics
//
//	gen := pidgen.New(name)
//	pid := gen.Next("app:processes") // {app:processes|0x00001}
//
// One generator serves every host of a node, so the unique part alone tells the processes of a node
// apart for as long as the node runs. It starts again at 1 with the next run.
//
// # Guarantees
//
//   - Ids never repeat within one generator, also under concurrent use (TestIDsAreUniqueConcurrentSafe).
//   - [Generator.Next] does not lock and allocates the id's text only (TestNextAllocatesOnlyTheText).
//   - The text of the unique part has a fixed width per range, so ids of one range sort by age
//     (TestUniqWidths).
package pidgen

import (
	"sync/atomic"

	"github.com/wippyrun/kit/relay"
)

// Generator hands out process ids. It is safe for concurrent use. The zero value generates ids without a
// node part.
type Generator struct {
	node string
	last atomic.Uint64
}

// New returns a generator for the node of that name. An empty name and "local" give the short form
// of ids, {host|uniq}; any other name is part of every id, {node@host|uniq}.
func New(node string) *Generator { return &Generator{node: node} }

// Node returns the node name ids are made with.
func (g *Generator) Node() string { return g.node }

// Next returns a new id on host.
func (g *Generator) Next(host string) relay.PID {
	var buf [len("0x") + maxDigits]byte
	return relay.NewPID(g.node, host, string(appendUniq(buf[:0], g.last.Add(1))))
}

// Count returns how many ids were handed out.
func (g *Generator) Count() uint64 { return g.last.Load() }

const maxDigits = 16

// appendUniq appends 0x and n in lower-case hexadecimal with 5, 6, 8 or 16 digits, the first width
// that has room for n.
func appendUniq(b []byte, n uint64) []byte {
	digits := 5
	switch {
	case n > 0xffffffff:
		digits = maxDigits
	case n > 0xffffff:
		digits = 8
	case n > 0xfffff:
		digits = 6
	}
	b = append(b, '0', 'x')
	for shift := (digits - 1) * 4; shift >= 0; shift -= 4 {
		b = append(b, "0123456789abcdef"[n>>shift&0xf])
	}
	return b
}
