// SPDX-License-Identifier: Apache-2.0

//go:build treesitter && cgo

package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestTreesitterApplications runs applications that need the module treesitter. The others are for programs without it:
// one of them looks at what is said about that.
func TestTreesitterApplications(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/treesitter", RequireExplicitExec: true})
}
