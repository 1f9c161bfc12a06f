// SPDX-License-Identifier: Apache-2.0

package supervisor

import (
	"math"
	"time"
)

// Delay returns how long to wait before restart number n (from 1): InitialDelay · BackoffFactor^(n-1), at
// most MaxDelay, then moved by up to ± Jitter of itself. random is a number in [0, 1) that chooses the
// place within that range.
func (r Restart) Delay(n int, random float64) time.Duration {
	d := float64(r.InitialDelay) * math.Pow(r.BackoffFactor, float64(max(n, 1)-1))
	d = min(d, float64(r.MaxDelay)) // also takes care of +Inf
	d *= 1 + r.Jitter*(2*random-1)
	const longest = 1 << 62 // 146 years; the largest Duration is no exact float64
	return time.Duration(min(d, longest))
}
