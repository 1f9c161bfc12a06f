// SPDX-License-Identifier: Apache-2.0

package lua_test

import (
	"runtime"
	"sync"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
	"github.com/wippyrun/kit/scheduler"
)

// BenchmarkSpawnDone starts a process, lets it run a function of one line and ends it. The
// peer makes a state with the standard libraries and calls the same function.
func BenchmarkSpawnDone(b *testing.B) {
	b.Run("ours", func(b *testing.B) {
		const n = 256
		w := newWorld(b)
		var running sync.WaitGroup
		w.hit = running.Done
		prog := w.link("return function() post.hit() end")
		measure.Items(b, n, func() {
			w.refs = w.refs[:0]
			running.Add(n)
			for range n {
				w.start(prog)
			}
			running.Wait()
		})
	})
	b.Run("gopher-lua", func(b *testing.B) {
		hit := func(*lua.LState) int { return 0 }
		source := state(b, "function main() hit() end")
		defer source.Close()
		proto := source.GetGlobal("main").(*lua.LFunction).Proto
		b.ReportAllocs()
		for b.Loop() {
			L := lua.NewState()
			L.SetGlobal("hit", L.NewFunction(hit))
			if err := L.CallByParam(lua.P{Fn: L.NewFunctionFromProto(proto), Protect: true}); err != nil {
				b.Fatal(err)
			}
			L.Close()
		}
	})
}

// BenchmarkIdle starts processes that wait in their inbox and measures what they occupy,
// scheduler included. The peer is a state per goroutine that waits in a channel.
func BenchmarkIdle(b *testing.B) {
	b.Run("ours", func(b *testing.B) {
		const n = 20_000
		w := newWorld(b)
		prog := w.link("return function() post.inbox():receive() end")
		measure.PerItem(b, n, func() func() {
			w.refs = make([]*scheduler.Ref, 0, n)
			for range n {
				w.start(prog)
			}
			for _, ref := range w.refs {
				for ref.Info().State != scheduler.Idle {
					runtime.Gosched()
				}
			}
			return func() {
				for _, ref := range w.refs {
					if err := ref.Send(message(1)); err != nil {
						b.Fatal(err)
					}
				}
				for _, ref := range w.refs {
					<-ref.Done()
				}
			}
		})
	})
	b.Run("gopher-lua", func(b *testing.B) {
		const n = 500 // a state is large
		measure.PerItem(b, n, func() func() {
			var idle, running sync.WaitGroup
			idle.Add(n)
			inbox := make(chan lua.LValue)
			for range n {
				running.Go(func() {
					L := state(b, "function main(inbox, idle) idle() inbox:receive() end")
					defer L.Close()
					told := L.NewFunction(func(*lua.LState) int { idle.Done(); return 0 })
					err := L.CallByParam(lua.P{Fn: L.GetGlobal("main"), Protect: true}, lua.LChannel(inbox), told)
					if err != nil {
						b.Error(err)
					}
				})
			}
			idle.Wait()
			return func() {
				close(inbox)
				running.Wait()
			}
		})
	})
}

// BenchmarkPingPong is a round trip of a number between two Lua programs. The peer uses
// gopher-lua's channels and a goroutine for each state.
func BenchmarkPingPong(b *testing.B) {
	const rounds = 2048
	b.Run("ours", func(b *testing.B) {
		w := newWorld(b)
		done := make(chan struct{}, 1)
		w.hit = func() { done <- struct{}{} }
		w.start(w.link(`return function()
			local inbox = post.inbox()
			while true do
				post.to(1, inbox:receive():payload():data())
			end
		end`))
		ping := w.start(w.link(`return function()
			local inbox = post.inbox()
			while true do
				local rounds = inbox:receive():payload():data()
				for i = 1, rounds do
					post.to(0, i)
					inbox:receive():payload():data()
				end
				post.hit()
			end
		end`))
		measure.Items(b, rounds, func() {
			if err := ping.Send(message(rounds)); err != nil {
				b.Fatal(err)
			}
			<-done
		})
	})
	b.Run("gopher-lua", func(b *testing.B) {
		there, back := make(chan lua.LValue), make(chan lua.LValue)
		var running sync.WaitGroup
		running.Go(func() {
			L := state(b, `function main(there, back)
				while true do
					local ok, v = there:receive()
					if not ok then return end
					back:send(v)
				end
			end`)
			defer L.Close()
			if err := L.CallByParam(lua.P{Fn: L.GetGlobal("main"), Protect: true}, lua.LChannel(there), lua.LChannel(back)); err != nil {
				b.Error(err)
			}
		})
		L := state(b, `function main(rounds, there, back)
			for i = 1, rounds do
				there:send(i)
				back:receive()
			end
		end`)
		defer L.Close()
		call := lua.P{Fn: L.GetGlobal("main"), Protect: true}
		measure.Items(b, rounds, func() {
			if err := L.CallByParam(call, lua.LNumber(rounds), lua.LChannel(there), lua.LChannel(back)); err != nil {
				b.Fatal(err)
			}
		})
		close(there)
		running.Wait()
	})
}
