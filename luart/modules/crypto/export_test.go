// SPDX-License-Identifier: Apache-2.0

package crypto

// What the tests look at from outside.
var (
	Derive   = derive
	Choose   = choose
	Verified = verified
)
