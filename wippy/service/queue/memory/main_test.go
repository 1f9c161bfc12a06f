// SPDX-License-Identifier: Apache-2.0

package memory_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(crashEnv); path != "" {
		if err := crashProgram(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if path := os.Getenv(delayEnv); path != "" {
		fmt.Fprintln(os.Stderr, delayProgram(path))
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}
