// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"fmt"
	"testing"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
)

// BenchmarkScaleGet looks entries up among so many.
//
//	go test -run '^$' -bench Scale ./registry -scale 100000
func BenchmarkScaleGet(b *testing.B) {
	for _, n := range measure.Powers(100_000) {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) { get(b, n) })
	}
}

// BenchmarkScaleApply changes one of so many entries.
func BenchmarkScaleApply(b *testing.B) {
	for _, n := range measure.Powers(100_000) {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) { apply(b, n) })
	}
}
