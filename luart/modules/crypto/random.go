// SPDX-License-Identifier: Apache-2.0

package crypto

import (
	"crypto/rand"
	"strings"

	"github.com/google/uuid"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/modules/internal/call"
)

// maxRandom is how many bytes one call gives.
const maxRandom = 1 << 20

const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// length takes the length of a random value from the first argument. When it is no good, the two results of the
// call are pushed.
func length(L *lua.LState) (int, bool) {
	n := L.CheckNumber(1)
	switch {
	case !(n >= 1): // nor is it a number when this is written so
		call.Invalid(L, "length must be a positive integer")
		return 0, false
	case n > maxRandom:
		call.Invalid(L, "length exceeds maximum allowed size (1MB)")
		return 0, false
	}
	return int(n), true
}

func (m module) randomBytes(L *lua.LState) int {
	n, ok := length(L)
	if !ok {
		return 2
	}
	return m.record.Bytes(L, "random bytes", func() ([]byte, error) {
		b := make([]byte, n)
		_, err := rand.Read(b)
		return b, err
	})
}

func (m module) randomString(L *lua.LState) int {
	n, ok := length(L)
	if !ok {
		return 2
	}
	charset := call.Optional(L, 2, alphanumeric)
	if charset == "" {
		return call.Invalid(L, "charset cannot be empty")
	}
	return m.record.Bytes(L, "random string", func() ([]byte, error) { return choose(n, charset) })
}

func (m module) randomUUID(L *lua.LState) int {
	return m.record.Bytes(L, "random uuid", func() ([]byte, error) {
		id, err := uuid.NewRandom()
		if err != nil {
			return nil, err
		}
		return id.MarshalText()
	})
}

// choose returns n bytes, each one of the charset with the same probability. A byte that occurs twice in it counts
// once.
func choose(n int, charset string) ([]byte, error) {
	var set []byte
	for i := range len(charset) {
		if strings.IndexByte(charset[:i], charset[i]) < 0 {
			set = append(set, charset[i])
		}
	}
	// Random bytes from the last, incomplete round of the set would prefer its beginning: they are thrown away.
	limit := 256 - 256%len(set)
	out, pool := make([]byte, 0, n), make([]byte, n)
	for {
		if _, err := rand.Read(pool); err != nil {
			return nil, err
		}
		for _, b := range pool {
			if int(b) < limit {
				if out = append(out, set[int(b)%len(set)]); len(out) == n {
					return out, nil
				}
			}
		}
	}
}
