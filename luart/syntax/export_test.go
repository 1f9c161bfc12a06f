// SPDX-License-Identifier: Apache-2.0

package syntax

// Limits that tests probe.
const (
	MaxLevel  = maxLevel
	MaxHeight = maxHeight
)
