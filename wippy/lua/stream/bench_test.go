// SPDX-License-Identifier: Apache-2.0

package stream_test

import (
	"bufio"
	"io"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/lua/luatest"
	"github.com/wippyrun/kit/wippy/lua/stream"
)

// BenchmarkStream reads a mebibyte in a program, in pieces and by line, next to bufio.Scanner alone.
func BenchmarkStream(b *testing.B) {
	text := strings.Repeat(strings.Repeat("x", 63)+"\n", 16<<10)
	s := luatest.New(b, func(s *luatest.System) {
		stream.Register(s.Dispatch)
		s.Register(engine.Module{Name: "device", Build: func(m *engine.Builder) error {
			class := stream.Define(m)
			m.Func("open", func(L *lua.LState) int {
				L.Push(class.New(engine.From(L), struct{ io.Reader }{strings.NewReader(text)}, -1))
				return 1
			})
			return nil
		}})
	})
	for name, body := range map[string]string{
		"pieces": `local s, n = device.open(), 0 while true do local p = s:read() if not p then break end n = n + #p end assert(n == 1048576)`,
		"lines":  `local sc, n = device.open():scanner(), 0 while sc:scan() do n = n + #sc:text() end assert(n == 1032192)`,
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Run(body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("bufio", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			n := 0
			for sc := bufio.NewScanner(strings.NewReader(text)); sc.Scan(); {
				n += len(sc.Text())
			}
			if n != 1032192 {
				b.Fatal(n)
			}
		}
	})
}
