// SPDX-License-Identifier: Apache-2.0

package mailbox

// hash is FNV-1a, 32 bits (Fowler, Noll, Vo). It is written out here because
// hash/fnv wants a byte slice and an interface: a conversion and two calls per
// message.
func hash(s string) uint32 {
	const (
		offset = 2166136261
		prime  = 16777619
	)
	h := uint32(offset)
	for i := range len(s) {
		h ^= uint32(s[i])
		h *= prime
	}
	return h
}
