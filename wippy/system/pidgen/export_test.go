// SPDX-License-Identifier: Apache-2.0

package pidgen

// StartAt makes n the next id.
func (g *Generator) StartAt(n uint64) { g.last.Store(n - 1) }

// UUID5 is the UUID of name in the OID name space.
func UUID5(name string) string { return uuid5(oidSpace, name) }
