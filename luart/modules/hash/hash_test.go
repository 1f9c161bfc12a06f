// SPDX-License-Identifier: Apache-2.0

package hash_test

import (
	"testing"

	"github.com/wippyrun/kit/luart/modules/hash"
	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
)

func TestAcceptanceFacts(t *testing.T) {
	b := moduletest.New(t, hash.Module())
	for name, body := range map[string]string{
		"35 data comes before the secret": `assert(hash.hmac_sha256("data", "secret") ==
			"1b2c16b75bd2a870c114153ccda5bcfca63314bc722fa160d690de133ccbb9db")`,
		"40 md5":       `assert(hash.md5("hello") == "5d41402abc4b2a76b9719d911017c592")`,
		"40 raw bytes": `assert(#hash.sha256("x", true) == 32)`,
		"40 fnv32":     `assert(hash.fnv32("hello") == 3069866343)`,
		"40 no string": `local v, err = hash.md5(1) assert(v == nil and err:kind() == "Invalid")`,
	} {
		t.Run(name, func(t *testing.T) { b.Check(t, body) })
	}
}

// TestDigests compares with the test vectors of RFC 1321, RFC 2202, FIPS 180-4, RFC 4231 and of the FNV authors.
func TestDigests(t *testing.T) {
	b := moduletest.New(t, hash.Module())
	for _, c := range []struct{ call, want string }{
		{`hash.md5("abc")`, "900150983cd24fb0d6963f7d28e17f72"},
		{`hash.sha1("abc")`, "a9993e364706816aba3e25717850c26c9cd0d89d"},
		{`hash.sha256("abc")`, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{`hash.sha512("abc")`, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a" +
			"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
		{`hash.hmac_md5("what do ya want for nothing?", "Jefe")`, "750c783e6ab0b503eaa86e310a5db738"},
		{`hash.hmac_sha1("what do ya want for nothing?", "Jefe")`, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
		{`hash.hmac_sha256("what do ya want for nothing?", "Jefe")`,
			"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{`hash.hmac_sha512("what do ya want for nothing?", "Jefe")`,
			"164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554" +
				"9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
		{`tostring(hash.fnv32(""))`, "2166136261"},
		{`string.format("%x", hash.fnv32("a"))`, "50c5d7e"},
	} {
		t.Run(c.call, func(t *testing.T) {
			b.Check(t, `local want = ... local got = `+c.call+` assert(got == want, got)`, c.want)
		})
	}
}

func TestModule(t *testing.T) {
	b := moduletest.New(t, hash.Module())
	for name, body := range map[string]string{
		"empty data":             `assert(hash.sha1("") == "da39a3ee5e6b4b0d3255bfef95601890afd80709")`,
		"empty secret":           `assert(#hash.hmac_sha512("data", "") == 128)`,
		"raw keyed digest":       `assert(#hash.hmac_md5("data", "secret", true) == 16)`,
		"raw is any true value":  `assert(#hash.md5("x", 0) == 16 and #hash.md5("x", false) == 32)`,
		"two results":            `assert(select("#", hash.md5("x")) == 2 and select(2, hash.fnv64("x")) == nil)`,
		"fnv64 is rounded":       `assert(hash.fnv64("hello") == 0x7b495389bdbdd4c7)`,
		"the table is read-only": `assert(not pcall(function() hash.md5 = nil end))`,
	} {
		t.Run(name, func(t *testing.T) { b.Check(t, body) })
	}
}

func TestFailures(t *testing.T) {
	var failures []moduletest.Failure
	for _, name := range []string{"md5", "sha1", "sha256", "sha512", "fnv32", "fnv64", "hmac_md5", "hmac_sha1", "hmac_sha256", "hmac_sha512"} {
		for _, arg := range []string{"", "12", "{}"} {
			failures = append(failures, moduletest.Failure{Call: "hash." + name + "(" + arg + ")", Kind: "Invalid", Text: "data must be a string"})
		}
	}
	for _, name := range []string{"hmac_md5", "hmac_sha1", "hmac_sha256", "hmac_sha512"} {
		failures = append(failures, moduletest.Failure{Call: "hash." + name + `("data", 1)`, Kind: "Invalid", Text: "secret must be a string"})
	}
	moduletest.New(t, hash.Module()).CheckFailures(t, failures)
}

func BenchmarkSHA256(b *testing.B) {
	bench := moduletest.New(b, hash.Module())
	program := bench.Link(`
		local n = ...
		local data = string.rep("0123456789abcdef", 64)
		for i = 1, n do assert(#hash.sha256(data) == 64) end`)
	b.SetBytes(1024)
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := bench.Exec(program, moduletest.Input(b.N)); err != nil {
		b.Fatal(err)
	}
}
