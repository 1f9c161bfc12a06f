// SPDX-License-Identifier: Apache-2.0

package groups

// Held returns what the scope keeps: groups and processes.
func (s *Scope) Held() (groups, members int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.groups), len(s.members)
}
