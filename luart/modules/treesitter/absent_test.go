// SPDX-License-Identifier: Apache-2.0

//go:build !treesitter || !cgo

package treesitter_test

import (
	"testing"

	"github.com/wippyrun/kit/luart/modules/treesitter"
)

// TestAbsentWithoutTheTag: programs that do not ask for C have no such module.
func TestAbsentWithoutTheTag(t *testing.T) {
	if modules := treesitter.Modules(); len(modules) != 0 {
		t.Errorf("%v", modules)
	}
}
