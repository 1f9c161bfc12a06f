// SPDX-License-Identifier: Apache-2.0

package security

import "strings"

// patterns are what a policy is about: names of actions or resources.
type patterns []string

// match reports whether one of the patterns fits: "*" fits everything, a star at the end any rest, and ".*" at the end
// any rest with or without the dot. A star elsewhere is a plain character.
func (p patterns) match(name string) bool {
	for _, pattern := range p {
		if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
			if strings.HasPrefix(name, strings.TrimSuffix(prefix, ".")) {
				return true
			}
		} else if pattern == name {
			return true
		}
	}
	return false
}
