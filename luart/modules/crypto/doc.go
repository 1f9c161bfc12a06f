// SPDX-License-Identifier: Apache-2.0

// Package crypto is the Lua module crypto: random values, keyed digests, authenticated encryption, key derivation
// and JSON Web Tokens.
//
// # Basics
//
// Encrypted data is the nonce, the ciphertext and the tag, in this order; the nonce is random, so with one key at
// most 2^32 texts may be encrypted (NIST SP 800-38D, section 8.3). Tokens are signed with HS256, HS384, HS512 or
// RS256; verification accepts exactly the algorithm it is given.
//
// # Guarantees
//
//   - Random values come from crypto/rand (TestRandom).
//   - Comparison and verification take the same time wherever the difference is.
//   - Key derivation ends when its process is terminated (TestDeriveEndsWithItsProcess), and gives what
//     crypto/pbkdf2 gives (TestDeriveIsPBKDF2).
//   - In processes whose history is kept, random values and nonces are replayed (TestRandomValuesAreRecorded).
//
// # Caveats
//
// Keys and texts are Lua strings: they stay in memory until the garbage collector gets to them.
package crypto
