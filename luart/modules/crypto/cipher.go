// SPDX-License-Identifier: Apache-2.0

package crypto

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"

	lua "github.com/yuin/gopher-lua"
	"golang.org/x/crypto/chacha20poly1305"

	"github.com/wippyrun/kit/luart/modules/internal/call"
)

// aead is a kind of authenticated encryption. make fails for keys of the wrong length, which is what keyError says.
type aead struct {
	make     func(key []byte) (cipher.AEAD, error)
	keyError string
}

// ciphers are the kinds by their Lua names. Both have nonces of 12 bytes and tags of 16.
var ciphers = map[string]aead{
	"aes": {
		make: func(key []byte) (cipher.AEAD, error) {
			block, err := aes.NewCipher(key)
			if err != nil {
				return nil, err
			}
			return cipher.NewGCM(block)
		},
		keyError: "key must be 16, 24, or 32 bytes",
	},
	"chacha20": {make: chacha20poly1305.New, keyError: "key must be 32 bytes"},
}

// arguments takes (data, key, aad). When the key is no good, the two results of the call are pushed.
func (c aead) arguments(L *lua.LState) (data, aad []byte, algorithm cipher.AEAD, ok bool) {
	data = []byte(L.CheckString(1))
	algorithm, err := c.make([]byte(L.CheckString(2)))
	if err != nil {
		call.Invalid(L, c.keyError)
		return nil, nil, nil, false
	}
	if s, isString := call.Text(L, 3); isString {
		aad = []byte(s)
	}
	return data, aad, algorithm, true
}

// encrypt makes the function encrypt.name. What is recorded is the result and not only the nonce: it is no secret,
// and a program that runs again with other data cannot use a nonce twice.
func (m module) encrypt(c aead) lua.LGFunction {
	return func(L *lua.LState) int {
		data, aad, algorithm, ok := c.arguments(L)
		if !ok {
			return 2
		}
		return m.record.Bytes(L, "encrypt", func() ([]byte, error) {
			n := algorithm.NonceSize()
			out := make([]byte, n, n+len(data)+algorithm.Overhead())
			if _, err := rand.Read(out); err != nil {
				return nil, err
			}
			return algorithm.Seal(out, out, data, aad), nil
		})
	}
}

// decryptWith makes the function decrypt.name.
func decryptWith(c aead) lua.LGFunction {
	return func(L *lua.LState) int {
		data, aad, algorithm, ok := c.arguments(L)
		if !ok {
			return 2
		}
		n := algorithm.NonceSize()
		if len(data) < n {
			return call.Invalid(L, "encrypted data too short")
		}
		out, err := algorithm.Open(data[n:n], data[:n], data[n:], aad)
		if err != nil {
			return call.Failed(L, "decrypt", err)
		}
		return call.Bytes(L, out)
	}
}
