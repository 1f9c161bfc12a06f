// SPDX-License-Identifier: Apache-2.0

//go:build !race

package payload_test

import (
	"testing"

	"github.com/wippyrun/kit/relay/payload"
)

func TestCachedPathDoesNotAllocate(t *testing.T) {
	keep := func(v any) (any, error) { return v, nil }
	tc := payload.NewDefault()
	tc.Register("x", payload.Go, 1, keep)
	tc.Register(payload.Go, "y", 1, keep)
	p := payload.Payload{Format: "x", Data: "data"}
	if got := testing.AllocsPerRun(1000, func() { _, _ = tc.Transcode(p, "y") }); got != 0 {
		t.Errorf("%v allocations", got)
	}
}
