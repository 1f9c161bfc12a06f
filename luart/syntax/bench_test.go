// SPDX-License-Identifier: Apache-2.0

package syntax_test

import (
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"

	"github.com/wippyrun/kit/luart/syntax"
)

func benchmarkTexts(b *testing.B, dir string, run func(src string) error) {
	texts := corpus(b, dir)
	size := 0
	for _, s := range texts {
		size += len(s)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, s := range texts {
			if err := run(s); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func parseOnly(src string) error {
	_, err := syntax.Parse("bench", src)
	return err
}

func parseCompile(src string) error {
	chunk, err := syntax.Parse("bench", src)
	if err == nil {
		_, err = syntax.Compile(chunk, "")
	}
	return err
}

func BenchmarkParse(b *testing.B) {
	b.Run("syntax", func(b *testing.B) { benchmarkTexts(b, "plain", parseOnly) })
	b.Run("gopher-lua", func(b *testing.B) {
		benchmarkTexts(b, "plain", func(src string) error {
			_, err := parse.Parse(strings.NewReader(src), "bench")
			return err
		})
	})
	b.Run("syntax-typed", func(b *testing.B) { benchmarkTexts(b, "typed", parseOnly) })
}

func BenchmarkParseCompile(b *testing.B) {
	b.Run("syntax", func(b *testing.B) { benchmarkTexts(b, "plain", parseCompile) })
	b.Run("gopher-lua", func(b *testing.B) {
		benchmarkTexts(b, "plain", func(src string) error {
			stmts, err := parse.Parse(strings.NewReader(src), "bench")
			if err == nil {
				_, err = lua.Compile(stmts, "bench")
			}
			return err
		})
	})
}

// BenchmarkGenericFor runs loops of 1000 iterations as lowered by this package and with gopher-lua's own instruction.
func BenchmarkGenericFor(b *testing.B) {
	const prelude = `
local list, map = {}, {}
for i = 1, 1000 do list[i] = i; map["k" .. i] = i end
local function counter() local i = 0 return function() i = i + 1 if i <= 1000 then return i end end end
return function() local s = 0 `
	for _, loop := range []struct{ name, src string }{
		{"pairs-list", "for k, v in pairs(list) do s = s + v end"},
		{"pairs-map", "for k, v in pairs(map) do s = s + v end"},
		{"ipairs", "for i, v in ipairs(list) do s = s + v end"},
		{"closure", "for v in counter() do s = s + v end"},
	} {
		run := func(opts ...syntax.Option) func(b *testing.B) {
			return func(b *testing.B) {
				chunk, err := syntax.Parse("bench", prelude+loop.src+" end", opts...)
				if err != nil {
					b.Fatal(err)
				}
				proto, err := syntax.Compile(chunk, "")
				if err != nil {
					b.Fatal(err)
				}
				L := lua.NewState()
				defer L.Close()
				L.Push(L.NewFunctionFromProto(proto))
				L.Call(0, 1)
				fn := L.Get(-1)
				L.Pop(1)
				b.ReportAllocs()
				for b.Loop() {
					L.Push(fn)
					L.Call(0, 0)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/iteration")
			}
		}
		b.Run(loop.name+"/lowered", run())
		b.Run(loop.name+"/instruction", run(syntax.Unlowered()))
	}
}
