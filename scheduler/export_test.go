// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"time"
)

// MonitorArmed reports whether the monitor will tick again.
func (s *Scheduler) MonitorArmed() bool { return s.monitor.armed.Load() }

// SetGrace shortens the time Stop waits for a Step that does not return.
func (s *Scheduler) SetGrace(d time.Duration) { s.grace = d }

// InParts waits as Stop does for a Step that does not return.
func InParts(grace time.Duration, wait func(context.Context) bool) bool { return inParts(grace, wait) }
