// SPDX-License-Identifier: Apache-2.0

package yaml_test

import (
	"strings"
	"testing"

	peer "go.yaml.in/yaml/v3"

	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
	"github.com/wippyrun/kit/luart/modules/yaml"
)

var document = strings.Repeat("- {name: entry, kind: function.lua, port: 8080, tags: [a, b, c], nested: {x: 1.5, y: true}}\n", 20)

func BenchmarkEncode(b *testing.B) { benchmark(b, `yaml.encode(value)`) }

func BenchmarkDecode(b *testing.B) { benchmark(b, `yaml.decode(text)`) }

func benchmark(b *testing.B, expression string) {
	bench := moduletest.New(b, yaml.Module())
	program := bench.Link(`local n, text = ... local value = yaml.decode(text) for _ = 1, n do assert(` + expression + `) end`)
	b.SetBytes(int64(len(document)))
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := bench.Exec(program, moduletest.Input(b.N, document)); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkPeerDecode is the library's own way, to Go values.
func BenchmarkPeerDecode(b *testing.B) {
	b.SetBytes(int64(len(document)))
	b.ReportAllocs()
	for b.Loop() {
		var v any
		if err := peer.Unmarshal([]byte(document), &v); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPeerEncode is the library's own way, from Go values.
func BenchmarkPeerEncode(b *testing.B) {
	var v any
	if err := peer.Unmarshal([]byte(document), &v); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(document)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := peer.Marshal(v); err != nil {
			b.Fatal(err)
		}
	}
}
