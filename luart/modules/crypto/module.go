// SPDX-License-Identifier: Apache-2.0

package crypto

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"hash"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
	"github.com/wippyrun/kit/luart/modules/replay"
)

// Module returns the Lua module `crypto`. Its calls do not yield, except those that use random values in processes
// whose values record keeps; record may be nil.
func Module(record replay.Recorder) engine.Module {
	m := module{record}
	return engine.Module{
		Name:    "crypto",
		Classes: []string{"security", "nondeterministic", "workflow"},
		Build: func(b *engine.Builder) error {
			random := b.Table("random")
			random.Func("bytes", m.randomBytes)
			random.Func("string", m.randomString)
			random.Func("uuid", m.randomUUID)

			mac := b.Table("hmac")
			mac.Func("sha256", keyed(sha256.New))
			mac.Func("sha512", keyed(sha512.New))

			encrypt, decrypt := b.Table("encrypt"), b.Table("decrypt")
			for name, c := range ciphers {
				encrypt.Func(name, m.encrypt(c))
				decrypt.Func(name, decryptWith(c))
			}

			jwt := b.Table("jwt")
			jwt.Func("encode", encodeToken)
			jwt.Func("verify", verifyToken)

			b.Func("pbkdf2", pbkdf2)
			b.Func("constant_time_compare", compare)
			return nil
		},
	}
}

// module holds what the functions share.
type module struct{ record replay.Recorder }

// keyed makes the function name(key, data).
func keyed(algorithm func() hash.Hash) lua.LGFunction {
	return func(L *lua.LState) int {
		key, data := L.CheckString(1), L.CheckString(2)
		if key == "" {
			return call.Invalid(L, "key cannot be empty")
		}
		mac := hmac.New(algorithm, []byte(key))
		mac.Write([]byte(data))
		return call.Value(L, lua.LString(hex.EncodeToString(mac.Sum(nil))))
	}
}

func compare(L *lua.LState) int {
	a, b := L.CheckString(1), L.CheckString(2)
	L.Push(lua.LBool(subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1))
	return 1
}
