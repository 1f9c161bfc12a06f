// SPDX-License-Identifier: Apache-2.0

package clock

// Keyed returns how many timers are found by a key.
func (c *Clock) Keyed() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.keyed)
}
