// SPDX-License-Identifier: Apache-2.0

//go:build !treesitter || !cgo

package treesitter

import "github.com/wippyrun/kit/luart/engine"

// Modules returns nothing: this program was built without the tag treesitter, or without cgo.
func Modules() []engine.Module { return nil }
