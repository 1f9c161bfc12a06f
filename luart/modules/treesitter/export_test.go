// SPDX-License-Identifier: Apache-2.0

//go:build treesitter && cgo

package treesitter

// Live returns the number of objects in C.
func Live() int64 { return live.Load() }

// MaxOpen, MaxSource, MaxPattern and MaxDepth are the limits.
const (
	MaxOpen    = maxOpen
	MaxSource  = maxSource
	MaxPattern = maxPattern
	MaxDepth   = maxDepth
)
