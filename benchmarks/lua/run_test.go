// SPDX-License-Identifier: Apache-2.0

package lua_test

import (
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// BenchmarkRun runs plain code, which our processes run interruptible, with protected
// calls that may be suspended and with loops over iterators that may yield.
func BenchmarkRun(b *testing.B) {
	for _, bench := range []struct{ name, body string }{
		{"loop", "local s = 0 for i = 1, 10000 do s = s + i end"},
		{"calls", "local function f(x) return x end for i = 1, 3000 do f(i) end"},
		{"pcall", "local function f() return 1 end for i = 1, 1000 do pcall(f) end"},
		{"pairs", "local t = {} for i = 1, 1000 do t[i] = i end local s = 0 for _, v in pairs(t) do s = s + v end"},
		{"strings", "local t = {} for i = 1, 300 do t[#t + 1] = string.format('%d:%s', i, 'x'):upper() end return table.concat(t)"},
		{"coroutine", "local co = coroutine.wrap(function() while true do coroutine.yield(1) end end) for i = 1, 300 do co() end"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.Run("ours", func(b *testing.B) {
				w := newWorld(b)
				done := make(chan struct{}, 1)
				w.hit = func() { done <- struct{}{} }
				ref := w.start(w.link(`local function run() ` + bench.body + ` end
					return function()
						local inbox = post.inbox()
						while true do inbox:receive() run() post.hit() end
					end`))
				b.ReportAllocs()
				for b.Loop() {
					if err := ref.Send(message(1)); err != nil {
						b.Fatal(err)
					}
					<-done
				}
			})
			b.Run("gopher-lua", func(b *testing.B) {
				L := state(b, "function run() "+bench.body+" end")
				defer L.Close()
				call := lua.P{Fn: L.GetGlobal("run"), Protect: true}
				b.ReportAllocs()
				for b.Loop() {
					if err := L.CallByParam(call); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
