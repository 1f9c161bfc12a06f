// SPDX-License-Identifier: Apache-2.0

package security

import "time"

// SetNow makes the clock of token stores one of the test.
func (t *Tokens) SetNow(now func() time.Time) { t.now = now }
