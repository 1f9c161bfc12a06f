// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	"github.com/wippyrun/kit/benchmarks/internal/web"
)

func TestMedian(t *testing.T) {
	var all []result
	for _, rate := range []float64{3, 1, 2} {
		all = append(all, result{Result: web.Result{Rate: rate}})
	}
	if m := median(all); m.Rate != 2 {
		t.Error(m)
	}
}
