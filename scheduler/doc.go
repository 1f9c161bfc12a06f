// SPDX-License-Identifier: Apache-2.0

// Package scheduler runs very many small state machines on a few goroutines.
//
// A goroutine per actor costs kilobytes and a wake-up per message; a [Process]
// costs about 220 bytes, and one that waits, for a message or for a command it
// yielded, costs nothing else.
package scheduler
