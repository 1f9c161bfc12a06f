// SPDX-License-Identifier: Apache-2.0

package compress_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wippyrun/kit/luart/modules/compress"
	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
)

// BenchmarkEncode and BenchmarkDecode are calls with 8 KiB of JSON at the usual levels.
func BenchmarkEncode(b *testing.B) { benchmark(b, `compress[name].encode(text)`) }

func BenchmarkDecode(b *testing.B) { benchmark(b, `compress[name].decode(packed)`) }

func benchmark(b *testing.B, expression string) {
	text := strings.Repeat(`{"user":"alice","event":"page_view","page":"/products/4711","n":12},`, 200)[:8192]
	for _, name := range []string{"gzip", "deflate", "zlib", "brotli", "zstd"} {
		b.Run(name, func(b *testing.B) { run(b, expression, name, text, "") })
	}
}

// BenchmarkDictionary is a message of about 80 bytes there and back.
func BenchmarkDictionary(b *testing.B) {
	var samples [][]byte
	for i := range 100 {
		samples = append(samples, fmt.Appendf(nil, `{"user":"u%d","event":"page_view","page":"/products/%d","referrer":"none"}`, i, i*7))
	}
	dict, err := compress.Train(samples, 4096)
	if err != nil {
		b.Fatal(err)
	}
	run(b, `compress.zstd.decode(compress.zstd.encode(text, {dict = dict}), {dict = dict})`, "zstd", string(samples[50]), string(dict))
}

func run(b *testing.B, expression, name, text, dict string) {
	bench := moduletest.New(b, compress.Module())
	program := bench.Link(`
		local n, name, text, dict = ...
		local packed = compress[name].encode(text)
		for _ = 1, n do assert(` + expression + `) end`)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := bench.Exec(program, moduletest.Input(b.N, name, text, dict)); err != nil {
		b.Fatal(err)
	}
}
