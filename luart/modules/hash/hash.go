// SPDX-License-Identifier: Apache-2.0

// Package hash is the Lua module hash: digests, keyed digests and FNV hashes of strings.
//
// No call raises. MD5, SHA-1 and FNV are for checksums and for the formats that ask for them: they do not protect
// against anybody who wants two texts with the same hash.
package hash

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"hash/fnv"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
)

// Module returns the Lua module `hash`.
func Module() engine.Module {
	return engine.Module{
		Name:    "hash",
		Classes: []string{"encoding", "security", "deterministic"},
		Build: func(b *engine.Builder) error {
			b.Func("md5", digest(func(data []byte) []byte { s := md5.Sum(data); return s[:] }))
			b.Func("sha1", digest(func(data []byte) []byte { s := sha1.Sum(data); return s[:] }))
			b.Func("sha256", digest(func(data []byte) []byte { s := sha256.Sum256(data); return s[:] }))
			b.Func("sha512", digest(func(data []byte) []byte { s := sha512.Sum512(data); return s[:] }))
			b.Func("hmac_md5", keyed(md5.New))
			b.Func("hmac_sha1", keyed(sha1.New))
			b.Func("hmac_sha256", keyed(sha256.New))
			b.Func("hmac_sha512", keyed(sha512.New))
			b.Func("fnv32", fnv32)
			b.Func("fnv64", fnv64)
			return nil
		},
	}
}

const (
	dataExpected   = "data must be a string"
	secretExpected = "secret must be a string"
)

// digest makes the function name(data, raw).
func digest(sum func(data []byte) []byte) lua.LGFunction {
	return func(L *lua.LState) int {
		data, ok := call.Text(L, 1)
		if !ok {
			return call.Invalid(L, dataExpected)
		}
		return answer(L, sum([]byte(data)), L.ToBool(2))
	}
}

// keyed makes the function name(data, secret, raw).
func keyed(algorithm func() hash.Hash) lua.LGFunction {
	return func(L *lua.LState) int {
		data, ok := call.Text(L, 1)
		if !ok {
			return call.Invalid(L, dataExpected)
		}
		secret, ok := call.Text(L, 2)
		if !ok {
			return call.Invalid(L, secretExpected)
		}
		mac := hmac.New(algorithm, []byte(secret))
		mac.Write([]byte(data))
		return answer(L, mac.Sum(nil), L.ToBool(3))
	}
}

func answer(L *lua.LState, sum []byte, raw bool) int {
	if raw {
		return call.Bytes(L, sum)
	}
	return call.Value(L, lua.LString(hex.EncodeToString(sum)))
}

// fnv32 is FNV-1, not FNV-1a.
func fnv32(L *lua.LState) int {
	data, ok := call.Text(L, 1)
	if !ok {
		return call.Invalid(L, dataExpected)
	}
	h := fnv.New32()
	h.Write([]byte(data))
	return call.Value(L, lua.LNumber(h.Sum32()))
}

// fnv64 is FNV-1. The hash has more digits than a number: it is rounded to the nearest one.
func fnv64(L *lua.LState) int {
	data, ok := call.Text(L, 1)
	if !ok {
		return call.Invalid(L, dataExpected)
	}
	h := fnv.New64()
	h.Write([]byte(data))
	return call.Value(L, lua.LNumber(h.Sum64()))
}
