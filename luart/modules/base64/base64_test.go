// SPDX-License-Identifier: Apache-2.0

package base64_test

import (
	"testing"

	"github.com/wippyrun/kit/luart/modules/base64"
	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
)

func TestAcceptanceFacts(t *testing.T) {
	b := moduletest.New(t, base64.Module())
	for name, body := range map[string]string{
		"15 encode": `assert(base64.encode("hello") == "aGVsbG8=")`,
		"15 bad text is Invalid": `
			local v, err = base64.decode("!!!invalid!!!")
			assert(v == nil and err:kind() == "Invalid")
			assert(string.find(err:message(), "illegal base64", 1, true))`,
		"15 a number is no text": `
			local v, err = base64.encode(123)
			assert(v == nil and err:kind() == "Invalid")`,
	} {
		t.Run(name, func(t *testing.T) { b.Check(t, body) })
	}
}

func TestModule(t *testing.T) {
	b := moduletest.New(t, base64.Module())
	for name, body := range map[string]string{
		"empty text":               `assert(base64.encode("") == "" and base64.decode("") == "")`,
		"one result":               `assert(select("#", base64.encode("x")) == 1 and select("#", base64.decode("eA==")) == 1)`,
		"any bytes":                `local s = "\0\1\255\254" assert(base64.decode(base64.encode(s)) == s)`,
		"the standard alphabet":    `assert(base64.encode("\255\239\190") == "/+++")`,
		"line breaks do not count": `assert(base64.decode("aGVs\r\nbG8=\n") == "hello")`,
		"the table is read-only":   `assert(not pcall(function() base64.encode = nil end))`,
	} {
		t.Run(name, func(t *testing.T) { b.Check(t, body) })
	}
}

func TestFailures(t *testing.T) {
	moduletest.New(t, base64.Module()).CheckFailures(t, []moduletest.Failure{
		{Call: `base64.encode()`, Kind: "Invalid", Text: "string expected"},
		{Call: `base64.encode({})`, Kind: "Invalid", Text: "string expected"},
		{Call: `base64.decode(1)`, Kind: "Invalid", Text: "string expected"},
		{Call: `base64.decode(nil)`, Kind: "Invalid", Text: "string expected"},
		{Name: "space", Call: `base64.decode("aG Vs")`, Kind: "Invalid", Text: "illegal base64 data at input byte 2"},
		{Name: "no padding", Call: `base64.decode("aGVsbG8")`, Kind: "Invalid", Text: "illegal base64 data at input byte 4"},
		{Name: "URL alphabet", Call: `base64.decode("_---")`, Kind: "Invalid", Text: "illegal base64 data at input byte 0"},
	})
}

// FuzzDecode checks that decoding never fails in any other way than with an error, and that what it accepts is
// what encoding writes, but for line breaks and bits that padding leaves over.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"", "aGVsbG8=", "aGVs\nbG8=", "!!!invalid!!!", "aGVsbG8", "====", "/+++"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		data, err := base64.Decode(text)
		if err != nil {
			return
		}
		again, err := base64.Decode(base64.Encode(data))
		if err != nil || again != data {
			t.Errorf("%q became %q, %v", data, again, err)
		}
	})
}

func BenchmarkEncodeDecode(b *testing.B) {
	bench := moduletest.New(b, base64.Module())
	program := bench.Link(`
		local n = ...
		local data = string.rep("0123456789abcdef", 64)
		for i = 1, n do assert(#base64.decode(base64.encode(data)) == 1024) end`)
	b.SetBytes(1024)
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := bench.Exec(program, moduletest.Input(b.N)); err != nil {
		b.Fatal(err)
	}
}
