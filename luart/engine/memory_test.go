// SPDX-License-Identifier: Apache-2.0

//go:build !race

// What fills the memory takes minutes under the race detector, which has nothing to find
// in a single process.

package engine_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/wippyrun/kit/luart/engine"
)

// greedy are programs that fill the memory in one way each, with few instructions
// or with many, in what a process keeps or in what it is about to pass on.
var greedy = map[string]string{
	"tables":            `local t = {} while true do t[#t + 1] = {1} end`,
	"protected":         `local t = {} while true do pcall(function() t[#t + 1] = {1} end) end`,
	"texts":             `local t, s = {}, ("x"):rep(1e6) for i = 1, 1e9 do t[i] = s .. i end`,
	"keys":              `local t = {} for i = 1, 1e9 do t["key" .. i] = true end`,
	"gaps":              `local t = {} for i = 1, 1e9 do t[i] = {} t[i][2e6] = 1 end`,
	"globals":           `for i = 1, 1e9 do _G["g" .. i] = {i} end`,
	"closures":          `local f = function() end while true do local g = f f = function() return g() end end`,
	"recursion":         `local function f(s) s = s .. ("y"):rep(1e4) return 1 + f(s) end return f("")`,
	"coroutines":        `local t = {} while true do local c = coroutine.create(function(s) coroutine.yield(s) end) coroutine.resume(c, ("x"):rep(1e5) .. #t) t[#t + 1] = c end`,
	"spawned":           `while true do coroutine.spawn(function() local s = ("x"):rep(1e5) .. math.random() channel.new():receive() return s end) coroutine.yield() end`,
	"channel":           `local ch = channel.new(1e6) while true do ch:send({("x"):rep(1e3)}) end`,
	"temporaries":       `local n = 0 local function s() n = n + 1 return ("x"):rep(4e6) .. n end local t = {s(), s(), s(), s(), s(), s(), s(), s(), s(), s(), s(), s(), s(), s(), s(), s(), s(), s(), s(), s(), s(), s(), s(), s(), s(), s(), s(), s(), s(), s()} while true do t[#t + 1] = s() end`,
	"metatable":         `local t = {} while true do t = setmetatable({}, t) end`,
	"in the other loop": `for i in function(_, i) return (i or 0) + 1 end do _G[i] = {} end`,
}

func TestAttackMemoryFailsTheProcess(t *testing.T) {
	e := newEngine(t, engine.WithMaxProcess(32<<20))
	for name, body := range greedy {
		t.Run(name, func(t *testing.T) {
			defer runtime.GC()
			m := start(t, e, "return function() "+body+" end").run()
			if m.err == nil || m.err.Error() != "not enough memory" {
				t.Errorf("%v %v", m.err, m.result)
			}
			var now runtime.MemStats
			if runtime.ReadMemStats(&now); now.HeapAlloc > 512<<20 {
				t.Errorf("the heap has grown to %d MB", now.HeapAlloc>>20)
			}
		})
	}
}

// Messages that nobody receives belong to the process they were sent to.
func TestAttackMailboxFloodFailsTheReceiver(t *testing.T) {
	e := newEngine(t, engine.WithMaxProcess(32<<20))
	m := start(t, e, `return function() test.inbox() channel.new():receive() end`)
	m.step()
	for i := 0; !m.done; i++ {
		if i == 1_000_000 {
			t.Fatalf("has %d bytes", m.p.MemoryUse(0))
		}
		m.send("topic", strings.Repeat("x", 1000))
		m.step()
	}
	if m.err == nil || m.err.Error() != "not enough memory" {
		t.Error(m.err)
	}
}

// Who has little is not to blame for what another process has.
func TestMemoryOfOthersDoesNotCount(t *testing.T) {
	e := newEngine(t, engine.WithMaxProcess(32<<20))
	rich := start(t, e, `return function() local t = {} for i = 1, 6 do t[i] = ("x"):rep(4e6) .. i end test.inbox():receive() return #t end`).run()
	if rich.done {
		t.Fatal(rich.err)
	}
	other := start(t, e, `return function() local t = {} for i = 1, 6 do t[i] = ("x"):rep(4e6) .. i end test.inbox():receive() return #t end`).run()
	poor := start(t, e, `return function() for i = 1, 3e5 do local t = {("x"):rep(1e3)} end return "done" end`)
	for range 3 {
		runtime.GC()
	}
	if poor.run(); poor.err != nil || str(poor.result) != "done" {
		t.Error(poor.err, poor.result)
	}
	for _, m := range []*machine{rich, other} {
		m.send("go on")
		if m.run(); m.err != nil || str(m.result) != "6" {
			t.Error(m.err, m.result)
		}
	}
}

// A text in many places is there once.
func TestMemoryUseCountsSharedTextsOnce(t *testing.T) {
	e := newEngine(t)
	use := func(body string) uint64 {
		m := start(t, e, "return function() "+body+" test.inbox():receive() return t end").run()
		if m.done {
			t.Fatal(m.err)
		}
		defer m.p.Close()
		return m.p.MemoryUse(0)
	}
	none := use(`local t = {}`)
	for body, want := range map[string]uint64{
		`local s = ("x"):rep(1e6) local t = {} for i = 1, 100 do t[i] = s end`:    1e6 + 1600,
		`local t = {} for i = 1, 100 do t[i] = ("x"):rep(1e4) .. i end`:           100 * 1e4,
		`local t = {} t.self = t setmetatable(t, t) local u = {t, t} t.other = u`: 0,
		`local t = {} for i = 1, 1000 do t["k" .. i] = {} end`:                    1000 * 250,
	} {
		got := use(body) - none
		if got < want*9/10 || got > want*3/2+1000 {
			t.Errorf("%s: %d bytes, want about %d", body, got, want)
		}
	}
}

// The estimate must be near what the heap grows by.
func TestMemoryUseIsNearTheTruth(t *testing.T) {
	e := newEngine(t)
	for _, body := range []string{
		`for i = 1, 2e5 do t[i] = {i} end`,
		`for i = 1, 1e5 do t["key" .. i] = i end`,
		`for i = 1, 1e5 do t[i] = function() return i end end`,
		`for i = 1, 1e6 do t[i] = i + 0.5 end`,
		`for i = 1, 1e3 do t[i] = ("x"):rep(1e4) .. i end`,
		`for i = 1, 2e3 do t[i] = coroutine.create(function() coroutine.yield() end) coroutine.resume(t[i]) end`,
	} {
		within(t, func() string {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.GC()
			runtime.ReadMemStats(&before)
			m := start(t, e, "return function() local t = {} "+body+" test.inbox():receive() return t end").run()
			if m.done {
				t.Fatal(m.err)
			}
			defer m.p.Close()
			runtime.GC()
			runtime.GC()
			runtime.ReadMemStats(&after)
			heap := float64(after.HeapAlloc) - float64(before.HeapAlloc)
			if ratio := float64(m.p.MemoryUse(0)) / heap; ratio < 0.5 || ratio > 1.6 {
				return fmt.Sprintf("%s: %d bytes, in truth %.0f", body, m.p.MemoryUse(0), heap)
			}
			return ""
		})
	}
}

func TestHeapLimit(t *testing.T) {
	e := newEngine(t, engine.WithMaxHeap(128<<20))
	m := start(t, e, `return function() local t = {} while true do pcall(function() t[#t + 1] = {1} end) end end`).run()
	if m.err == nil || m.err.Error() != "not enough memory" {
		t.Errorf("%v", m.err)
	}
}
