// SPDX-License-Identifier: Apache-2.0

package process_test

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/benchmarks/process"
)

// contestants returns who takes part, ours first.
func contestants() []process.Contestant {
	all := []process.Contestant{ours, oursPlain, oursInTurn, oursOneTimer, goroutines, protoactor}
	if haveErlang() {
		return append(all, erlang)
	}
	// Not b.Log: of benchmarks that have others inside it prints nothing.
	absent.Do(func() { fmt.Fprintln(os.Stderr, "erlang is absent: no erl and erlc on PATH") })
	return all
}

// absent is done when the output says that Erlang is absent.
var absent sync.Once

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if beamDir != "" {
			_ = os.RemoveAll(beamDir)
		}
		os.Exit(code)
	}))
}
