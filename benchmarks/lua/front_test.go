// SPDX-License-Identifier: Apache-2.0

package lua_test

import (
	_ "embed"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"

	"github.com/wippyrun/kit/luart/syntax"
)

// program is ordinary Lua 5.1, without types.
//
//go:embed testdata/program.lua
var program string

// BenchmarkParse turns source text into a syntax tree.
func BenchmarkParse(b *testing.B) {
	b.Run("ours", func(b *testing.B) {
		b.SetBytes(int64(len(program)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := syntax.Parse("bench", program); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("gopher-lua", func(b *testing.B) {
		b.SetBytes(int64(len(program)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := parse.Parse(strings.NewReader(program), "bench"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkCompile turns source text into a prototype.
func BenchmarkCompile(b *testing.B) {
	b.Run("ours", func(b *testing.B) {
		b.SetBytes(int64(len(program)))
		b.ReportAllocs()
		for b.Loop() {
			chunk, err := syntax.Parse("bench", program)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := syntax.Compile(chunk, "bench"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("gopher-lua", func(b *testing.B) {
		b.SetBytes(int64(len(program)))
		b.ReportAllocs()
		for b.Loop() {
			tree, err := parse.Parse(strings.NewReader(program), "bench")
			if err != nil {
				b.Fatal(err)
			}
			if _, err := lua.Compile(tree, "bench"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
