// SPDX-License-Identifier: Apache-2.0

package queue

import "time"

// Spent and Delay give the tests the arithmetic of policies.
func (p Policy) Spent(attempt int) bool { return p.spent(attempt) }

// Delay is how long a message waits after its attempt has failed.
func (p Policy) Delay(attempt int, random float64) time.Duration { return p.delay(attempt, random) }
