// SPDX-License-Identifier: Apache-2.0

package lua_test

import (
	"flag"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
	"github.com/wippyrun/kit/luart/engine"
)

// attacks are programs that try to take the machine for themselves, and whether they
// go on until they are terminated.
var attacks = []struct {
	name, body string
	endless    bool
}{
	{"loop", `while true do end`, true},
	{"protected-loop", `while true do pcall(function() while true do end end) end`, true},
	{"pattern", `local s = ("a"):rep(200) while true do pcall(string.find, s, ("a*"):rep(30) .. "b") end`, true},
	{"metamethod", `local t = setmetatable({}, {__index = function() while true do end end}) return t.x`, true},
	{"sort", `local t = {} for i = 1, 1e5 do t[i] = i end while true do table.sort(t, function(a, b) return a > b end) table.sort(t) end`, true},
	{"garbage", `while true do local t = {{}, {}, {}, ("x"):rep(1000)} end`, true},
	{"recursion", `local function f() return 1 + f() end while true do pcall(f) end`, true},
	{"coroutines", `while true do coroutine.wrap(function() coroutine.yield() end)() end`, true},
	{"errors", `while true do pcall(error, {}) end`, true},
	{"repeat", `for i = 1, 100 do pcall(function() local s = ("x"):rep(1e9) end) end`, false},
	{"doubling", `while true do pcall(function() local s = "x" while true do s = s .. s end end) end`, true},
	{"table", `local t = {} while true do t[#t + 1] = {} end`, false},
	{"gap", `local t = {} while true do t[#t + 1] = {} t[#t][1e6] = 1 end`, false},
	{"texts", `local t = {} while true do t[#t + 1] = ("x"):rep(1e6) .. #t end`, false},
	{"spawned", `while true do coroutine.spawn(function() channel.new():receive() end) end`, false},
	{"flood", `while true do post.to(1, ("x"):rep(1000)) end`, true},
}

// BenchmarkNeighbour is how long a process takes to answer while another one attacks:
// a message from outside, handled by Lua, seen outside, about once in a millisecond.
//
//	go test -run '^$' -bench Neighbour -benchtime 1x ./lua -attack 2s
func BenchmarkNeighbour(b *testing.B) {
	b.Run("nobody", func(b *testing.B) { neighbour(b, `post.inbox():receive()`, true) })
	for _, a := range attacks {
		b.Run(a.name, func(b *testing.B) { neighbour(b, a.body, a.endless) })
	}
}

var attackFor = flag.Duration("attack", 250*time.Millisecond, "how long endless attacks of BenchmarkNeighbour go on")

func neighbour(b *testing.B, body string, endless bool) {
	w := newWorld(b, engine.WithMaxProcess(256<<20))
	var rang atomic.Int64
	epoch := time.Now()
	heard := make(chan struct{}, 1)
	w.hit = func() { rang.Store(int64(time.Since(epoch))); heard <- struct{}{} }
	answer := w.start(w.link(`return function() local inbox = post.inbox() while true do inbox:receive() post.hit() end end`))
	w.start(w.link(`return function() post.inbox() channel.new():receive() end`)) // hears nothing
	attack := w.link("return function() " + body + " end")
	var all measure.Latencies
	for b.Loop() {
		began := time.Now()
		attacker := w.start(attack)
		pause := time.NewTicker(time.Millisecond)
		for over := false; !over; {
			<-pause.C
			sent := time.Since(epoch)
			if err := answer.Send(message(1)); err != nil {
				b.Fatal(err)
			}
			<-heard
			all = append(all, time.Duration(rang.Load())-sent)
			_, over, _ = attacker.Outcome()
			over = over || time.Since(began) > *attackFor && endless
		}
		pause.Stop()
		if _, ended, err := attacker.Outcome(); ended == endless {
			b.Error("ended:", ended, err)
		}
		_ = attacker.Terminate()
		<-attacker.Done()
	}
	all.Report(b)
}
