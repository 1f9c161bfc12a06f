// SPDX-License-Identifier: Apache-2.0

package internode

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// childVariable makes the test binary the other process of BenchmarkProcesses.
const childVariable = "INTERNODE_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		child()
		return
	}
	goleak.VerifyTestMain(m)
}
