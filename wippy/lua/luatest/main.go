// SPDX-License-Identifier: Apache-2.0

package luatest

import (
	"testing"

	"go.uber.org/goleak"
)

// Main runs the tests of a package and fails when they leave a goroutine behind. Call it from TestMain.
func Main(m *testing.M) { goleak.VerifyTestMain(m) }
