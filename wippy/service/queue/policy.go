// SPDX-License-Identifier: Apache-2.0

package queue

import (
	"math"
	"time"
)

// Defaults of a policy: those of the retry option of function calls.
const (
	defaultInitial = 100 * time.Millisecond
	defaultMax     = 10 * time.Second
	defaultFactor  = 2
	defaultJitter  = 0.1
	// defaultAttempts is how often a message is tried when there is a dead-letter queue
	// and nobody says how often.
	defaultAttempts = 5
)

// Policy is what happens to a message whose attempt has failed.
type Policy struct {
	Attempts int           // after this many it is given up, 0 for never
	Initial  time.Duration // before the second attempt
	Max      time.Duration // upper bound of the delay, before jitter
	Factor   float64       // growth of the delay per attempt, at least 1
	Jitter   float64       // random part of the delay, ± this fraction
}

// spent tells whether the attempts of a message are used up.
func (p Policy) spent(attempt int) bool { return p.Attempts > 0 && attempt >= p.Attempts }

// delay is how long a message waits after its attempt has failed. random is from [0, 1).
func (p Policy) delay(attempt int, random float64) time.Duration {
	if p.Initial <= 0 {
		return 0 // nothing, however often it grows
	}
	d := float64(p.Initial) * math.Pow(p.Factor, float64(attempt-1))
	d = min(d, float64(p.Max))
	return time.Duration(d * (1 + p.Jitter*(2*random-1)))
}
