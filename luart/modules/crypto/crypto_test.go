// SPDX-License-Identifier: Apache-2.0

package crypto_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/wippyrun/kit/luart/modules/crypto"
	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
	"github.com/wippyrun/kit/luart/modules/replay/replaytest"
)

// tools are Lua functions that the programs of the tests use.
const tools = `
	local function hex(s) return (s:gsub(".", function(c) return string.format("%02x", c:byte()) end)) end
	local function bytes(s) return (s:gsub("%x%x", function(h) return string.char(tonumber(h, 16)) end)) end
	local function fails(kind, text, v, err)
		assert(v == nil and err, "no error")
		assert(err:kind() == kind and err:retryable() == false, err:kind())
		assert(string.find(err:message(), text, 1, true), err:message())
	end
	local key32 = string.rep("k", 32)
`

func check(t *testing.T, b *moduletest.Bench, programs map[string]string) {
	t.Helper()
	for name, body := range programs {
		t.Run(name, func(t *testing.T) { b.Check(t, tools+body) })
	}
}

func TestAcceptanceFacts(t *testing.T) {
	check(t, moduletest.New(t, crypto.Module(nil)), map[string]string{
		"35 the key comes before the data": `assert(crypto.hmac.sha256("secret", "data") ==
			"1b2c16b75bd2a870c114153ccda5bcfca63314bc722fa160d690de133ccbb9db")`,
		"36 empty key": `fails("Invalid", "key cannot be empty", crypto.hmac.sha256("", "x"))`,
		"36 short key": `fails("Invalid", "key must be 16, 24, or 32 bytes", crypto.encrypt.aes("t", "short"))`,
		"36 wrong aad": `fails("Internal", "", crypto.decrypt.aes(crypto.encrypt.aes("t", key32, "a"), key32, "b"))`,
		"36 length":    `assert(#crypto.encrypt.aes("", key32) == 28)`,
		"37 without exp": `
			local token = crypto.jwt.encode({sub = "me"}, "k")
			fails("Internal", "token has invalid claims: token is missing required claim: exp claim is required", crypto.jwt.verify(token, "k"))
			assert(crypto.jwt.verify(token, "k", "HS256", false).sub == "me")`,
		"37 expired": `
			local token = crypto.jwt.encode({exp = os.time() - 100}, "k")
			fails("Internal", "token has invalid claims: token is expired", crypto.jwt.verify(token, "k"))
			fails("Internal", "token has invalid claims: token is expired", crypto.jwt.verify(token, "k", "HS256", false))`,
		"37 another algorithm": `
			local token = crypto.jwt.encode({exp = os.time() + 100}, "k", "HS384")
			assert(crypto.jwt.verify(token, "k", "HS384"))
			fails("Internal", "signing method HS384 is invalid", crypto.jwt.verify(token, "k", "HS256"))`,
		"37 header": `
			local token = crypto.jwt.encode({exp = os.time() + 100, _header = {kid = "key-1"}}, "k")
			local claims = crypto.jwt.verify(token, "k")
			assert(claims._header == nil and claims.kid == nil)
			-- {"alg":"HS256","kid":"key-1","typ":"JWT"}
			assert(token:match("^[^.]+") == "eyJhbGciOiJIUzI1NiIsImtpZCI6ImtleS0xIiwidHlwIjoiSldUIn0")`,
		"38 pbkdf2": `assert(hex(crypto.pbkdf2("password", "salt", 1000, 32)) ==
			"632c2812e46d4604102ba7618e9d6d7d2f8128f6266b4a03264d2a0460b7dcb3")`,
		"38 unknown hash": `fails("Invalid", "unsupported hash function: md5", crypto.pbkdf2("password", "salt", 1000, 32, "md5"))`,
		"39 random bytes": `
			fails("Invalid", "length must be a positive integer", crypto.random.bytes(0))
			fails("Invalid", "length exceeds maximum allowed size (1MB)", crypto.random.bytes(1048577))`,
		"39 different lengths": `assert(crypto.constant_time_compare("a", "ab") == false)`,
	})
}

func TestRandom(t *testing.T) {
	check(t, moduletest.New(t, crypto.Module(nil)), map[string]string{
		"bytes": `
			local a, err = crypto.random.bytes(32)
			assert(#a == 32 and err == nil and a ~= crypto.random.bytes(32))
			assert(#crypto.random.bytes(1048576) == 1048576 and #crypto.random.bytes(1.9) == 1)`,
		"string": `
			local a = crypto.random.string(400)
			assert(#a == 400 and not a:find("%W"))
			assert(#crypto.random.string(1048576) == 1048576)`,
		"charset": `
			local a = crypto.random.string(200, "xy")
			assert(not a:find("[^xy]") and a:find("x") and a:find("y"))
			assert(crypto.random.string(3, "z") == "zzz" and #crypto.random.string(3, 7) == 3)`,
		"uuid": `
			local a = crypto.random.uuid()
			assert(a:match("^%x+%-%x+%-4%x+%-[89ab]%x+%-%x+$") and #a == 36 and a ~= crypto.random.uuid())`,
		"no number raises": `
			for _, v in ipairs({"x", {}, true}) do
				local ok, err = pcall(crypto.random.bytes, v)
				assert(not ok and tostring(err):find("bad argument #1", 1, true), err)
			end`,
	})
}

func TestRandomFailures(t *testing.T) {
	moduletest.New(t, crypto.Module(nil)).CheckFailures(t, []moduletest.Failure{
		{Call: `crypto.random.bytes(-1)`, Kind: "Invalid", Text: "length must be a positive integer"},
		{Call: `crypto.random.bytes(0.5)`, Kind: "Invalid", Text: "length must be a positive integer"},
		{Call: `crypto.random.bytes(0/0)`, Kind: "Invalid", Text: "length must be a positive integer"},
		{Call: `crypto.random.bytes(1e300)`, Kind: "Invalid", Text: "length exceeds maximum allowed size (1MB)"},
		{Call: `crypto.random.string(0)`, Kind: "Invalid", Text: "length must be a positive integer"},
		{Call: `crypto.random.string(1/0)`, Kind: "Invalid", Text: "length exceeds maximum allowed size (1MB)"},
		{Call: `crypto.random.string(5, "")`, Kind: "Invalid", Text: "charset cannot be empty"},
	})
}

// TestEveryByteOfACharsetIsAsLikely counts a sample so large that a tenth off the mark would be a miracle.
func TestEveryByteOfACharsetIsAsLikely(t *testing.T) {
	const each = 1 << 14
	for name, set := range map[string]string{"divides 256": "abcd", "does not": "abcdefghijk", "twice the same": "abcab"} {
		t.Run(name, func(t *testing.T) {
			distinct := map[byte]int{}
			for i := range len(set) {
				distinct[set[i]] = 0
			}
			out, err := crypto.Choose(each*len(distinct), set)
			if err != nil || len(out) != each*len(distinct) {
				t.Fatalf("%d bytes, %v", len(out), err)
			}
			for _, b := range out {
				distinct[b]++
			}
			for b, n := range distinct {
				if n < each*9/10 || n > each*11/10 {
					t.Errorf("%q came %d times, want about %d", b, n, each)
				}
			}
		})
	}
}

// TestEncryption has the test case 14 of the GCM specification and that of RFC 8439, section 2.8.2.
func TestEncryption(t *testing.T) {
	check(t, moduletest.New(t, crypto.Module(nil)), map[string]string{
		"round trip": `
			for _, name in ipairs({"aes", "chacha20"}) do
				for _, data in ipairs({"", "text", "\0\255", string.rep("x", 100000)}) do
					local sealed, err = crypto.encrypt[name](data, key32, "aad")
					assert(err == nil and #sealed == #data + 28)
					assert(sealed ~= crypto.encrypt[name](data, key32, "aad"), "the nonce is the same")
					assert(crypto.decrypt[name](sealed, key32, "aad") == data)
				end
			end
			for _, n in ipairs({16, 24, 32}) do
				local key = string.rep("k", n)
				assert(crypto.decrypt.aes(crypto.encrypt.aes("x", key), key) == "x")
			end`,
		"aes known answer": `assert(hex(crypto.decrypt.aes(bytes("000000000000000000000000cea7403d4d606b6e074ec5d3baf39d18" ..
			"d0d1c8a799996bf0265b98b5d48ab919"), string.rep("\0", 32))) == string.rep("00", 16))`,
		"chacha20 known answer": `
			local sealed = bytes("070000004041424344454647" ..
				"d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6" ..
				"3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36" ..
				"92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc" ..
				"3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691")
			local key = bytes("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f")
			local text = crypto.decrypt.chacha20(sealed, key, bytes("50515253c0c1c2c3c4c5c6c7"))
			assert(text:find("^Ladies and Gentlemen of the class of '99"))`,
		"aad of another type is none": `assert(crypto.decrypt.aes(crypto.encrypt.aes("x", key32, 12), key32) == "x")`,
		"tampered": `
			local sealed = crypto.encrypt.aes("text", key32)
			for i = 1, #sealed do
				local other = sealed:sub(1, i - 1) .. string.char((sealed:byte(i) + 1) % 256) .. sealed:sub(i + 1)
				fails("Internal", "authentication failed", crypto.decrypt.aes(other, key32))
			end
			fails("Internal", "authentication failed", crypto.decrypt.aes(sealed:sub(1, 12), key32))`,
		"no string raises": `assert(not pcall(crypto.encrypt.aes, {}, key32) and not pcall(crypto.encrypt.aes, "x", nil))`,
	})
}

func TestEncryptionFailures(t *testing.T) {
	moduletest.New(t, crypto.Module(nil)).CheckFailures(t, []moduletest.Failure{
		{Call: `crypto.decrypt.aes("x", "short")`, Kind: "Invalid", Text: "key must be 16, 24, or 32 bytes"},
		{Call: `crypto.encrypt.chacha20("x", string.rep("k", 16))`, Kind: "Invalid", Text: "key must be 32 bytes"},
		{Call: `crypto.decrypt.chacha20("x", "")`, Kind: "Invalid", Text: "key must be 32 bytes"},
		{Call: `crypto.decrypt.aes("12345678901", string.rep("k", 32))`, Kind: "Invalid", Text: "encrypted data too short"},
		{Call: `crypto.decrypt.chacha20("", string.rep("k", 32))`, Kind: "Invalid", Text: "encrypted data too short"},
		{Call: `crypto.decrypt.chacha20(string.rep("x", 64), string.rep("k", 32))`, Kind: "Internal", Text: "authentication failed"},
	})
}

func TestKeyedDigestsAndComparison(t *testing.T) {
	check(t, moduletest.New(t, crypto.Module(nil)), map[string]string{
		"sha512": `
			local sum, err = crypto.hmac.sha512("Jefe", "what do ya want for nothing?")
			assert(err == nil and #sum == 128 and sum:sub(1, 16) == "164b7a7bfcf819e2")`,
		"empty data":       `assert(#crypto.hmac.sha256("k", "") == 64)`,
		"numbers are text": `assert(crypto.hmac.sha256("k", 12) == crypto.hmac.sha256("k", "12"))`,
		"comparison": `
			assert(crypto.constant_time_compare("a", "a") == true and crypto.constant_time_compare("a", "b") == false)
			assert(crypto.constant_time_compare("", "") == true)`,
		"tables are read-only": `
			for _, t in ipairs({crypto, crypto.random, crypto.hmac, crypto.encrypt, crypto.decrypt, crypto.jwt}) do
				assert(not pcall(function() t.x = 1 end))
			end`,
	})
}

func TestRandomValuesAreRecorded(t *testing.T) {
	var h replaytest.History
	m := crypto.Module(h.Record)
	const body = `local key = string.rep("k", 32)
		return table.concat({crypto.random.bytes(4), crypto.random.string(4), crypto.random.uuid(), crypto.encrypt.aes("x", key),
			crypto.encrypt.chacha20("x", key), crypto.hmac.sha256("k", "x")}, " ")`
	first, err := h.Run(t, m, body)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := h.Run(t, m, body); err != nil || again != first {
		t.Errorf("%q after %q, %v", again, first, err)
	}
	if len(h.Values) != 5 {
		t.Errorf("%d values recorded, want 5", len(h.Values))
	}
	h.Err = errors.New("history lost")
	failed, err := h.Run(t, m, `local v, err = crypto.random.bytes(1) return err:kind() .. ": " .. err:message()`)
	if err != nil || failed.String() != "Internal: history lost" {
		t.Errorf("%v, %v", failed, err)
	}
}

func BenchmarkHMAC(b *testing.B) { benchmark(b, `crypto.hmac.sha256("secret", "data")`) }

func BenchmarkRandomString(b *testing.B) { benchmark(b, `crypto.random.string(32)`) }

func BenchmarkEncryptDecrypt(b *testing.B) {
	benchmark(b, `crypto.decrypt.aes(crypto.encrypt.aes(data, key), key)`)
}

func BenchmarkJWTEncode(b *testing.B) {
	benchmark(b, `crypto.jwt.encode({sub = "me", exp = 1e10}, key)`)
}

func BenchmarkJWTVerify(b *testing.B) { benchmark(b, `crypto.jwt.verify(token, key)`) }

// BenchmarkPBKDF2 is a thousand iterations.
func BenchmarkPBKDF2(b *testing.B) { benchmark(b, `crypto.pbkdf2("password", "salt", 1000, 32)`) }

func benchmark(b *testing.B, expression string) {
	bench := moduletest.New(b, crypto.Module(nil))
	program := bench.Link(`
		local n, data = ...
		local key = string.rep("k", 32)
		local token = crypto.jwt.encode({sub = "me", exp = 1e10}, key)
		for _ = 1, n do assert(` + expression + `) end`)
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := bench.Exec(program, moduletest.Input(b.N, strings.Repeat("x", 1024))); err != nil {
		b.Fatal(err)
	}
}
