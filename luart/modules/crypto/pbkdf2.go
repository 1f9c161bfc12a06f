// SPDX-License-Identifier: Apache-2.0

package crypto

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/binary"
	"hash"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
)

const (
	maxIterations = 10_000_000
	// maxKey is as much as a random value may have: nobody needs a longer key, and every 32 bytes cost all the
	// iterations again.
	maxKey = maxRandom
	// pollInterval is how many iterations pass between two looks at the context. At about 200 ns each
	// (BenchmarkPBKDF2) a process that is terminated ends within a millisecond.
	pollInterval = 4096
)

// pbkdf2 implements crypto.pbkdf2(password, salt, iterations, key_length, hash).
func pbkdf2(L *lua.LState) int {
	password, salt := L.CheckString(1), L.CheckString(2)
	iterations, keyLength := L.CheckNumber(3), L.CheckNumber(4)
	name := call.Optional(L, 5, "sha256")
	algorithms := map[string]func() hash.Hash{"sha256": sha256.New, "sha512": sha512.New}
	algorithm, ok := algorithms[name]
	switch {
	case password == "":
		return call.Invalid(L, "password cannot be empty")
	case salt == "":
		return call.Invalid(L, "salt cannot be empty")
	case !(iterations >= 1):
		return call.Invalid(L, "iterations must be positive")
	case iterations > maxIterations:
		return call.Invalid(L, "iterations exceeds maximum (10000000)")
	case !(keyLength >= 1):
		return call.Invalid(L, "key length must be positive")
	case keyLength > maxKey:
		return call.Invalid(L, "key length exceeds maximum (1048576)")
	case !ok:
		return call.Invalid(L, "unsupported hash function: "+name)
	}
	ctx := engine.From(L).Context()
	key, err := derive(ctx, algorithm, []byte(password), []byte(salt), int(iterations), int(keyLength))
	if err != nil {
		return call.Failed(L, "pbkdf2", err)
	}
	return call.Bytes(L, key)
}

// derive is PBKDF2 of RFC 8018, section 5.2. Unlike that of the standard library it can be interrupted: the largest
// arguments take hours.
func derive(ctx context.Context, algorithm func() hash.Hash, password, salt []byte, iterations, length int) ([]byte, error) {
	mac := hmac.New(algorithm, password)
	size := mac.Size()
	key := make([]byte, 0, length+size)
	var u []byte
	for block := uint32(1); len(key) < length; block++ {
		mac.Reset()
		mac.Write(salt)
		mac.Write(binary.BigEndian.AppendUint32(nil, block))
		key = mac.Sum(key)
		sum := key[len(key)-size:]
		u = append(u[:0], sum...)
		for n := 1; n < iterations; n++ {
			if n%pollInterval == 0 {
				if err := ctx.Err(); err != nil {
					return nil, err
				}
			}
			mac.Reset()
			mac.Write(u)
			u = mac.Sum(u[:0])
			subtle.XORBytes(sum, sum, u)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return key[:length], nil
}
