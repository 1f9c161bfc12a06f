// SPDX-License-Identifier: Apache-2.0

//go:build treesitter && cgo

package treesitter_test

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
