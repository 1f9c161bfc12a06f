// SPDX-License-Identifier: Apache-2.0

package templates

// SetLimits makes the limits ones that a test reaches quickly. The set must not have been used.
func (s *Set) SetLimits(steps, output int) { s.limits = &limits{steps: steps, output: output} }
