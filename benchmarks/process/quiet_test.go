// SPDX-License-Identifier: Apache-2.0

//go:build unix

package process_test

import (
	"flag"
	"testing"
	"time"

	"github.com/wippyrun/kit/benchmarks/process"
)

var idle = flag.Duration("idle", time.Second, "for how long BenchmarkQuiet looks on")

func BenchmarkQuiet(b *testing.B) { process.Quiet(b, *idle, contestants()...) }
