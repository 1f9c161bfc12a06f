// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"runtime"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler"
)

const idleSource = `
local function main()
	local inbox = test.inbox()
	while true do
		local msg = inbox:receive()
		if msg:topic() == "stop" then
			return
		end
	end
end
return {main = main}`

// sendModule sends through the scheduler, the way a host does.
func sendModule(refs *[]*scheduler.Ref) engine.Module {
	return engine.Module{Name: "send", Build: func(b *engine.Builder) error {
		b.Func("to", func(L *lua.LState) int {
			p := engine.From(L)
			ref := (*refs)[L.CheckInt(1)]
			m := relay.NewMessage(p.PID(), relay.PID{}, "t", payload.Payload{Format: payload.Lua, Data: engine.Copy(L.Get(2))})
			if err := ref.SendFrom(p.Output(), m); err != nil {
				m.Release()
				return engine.PushError(L, err)
			}
			L.Push(lua.LTrue)
			return 1
		})
		return nil
	}}
}

func newScheduler(t testing.TB) *scheduler.Scheduler {
	s, err := scheduler.New(scheduler.Config{})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	return s
}

// BenchmarkIdleBytes measures what one process waiting in inbox:receive() costs,
// scheduler included.
func BenchmarkIdleBytes(b *testing.B) {
	e := newEngine(b)
	prog := link(b, e, idleSource)
	const n = 20000
	var before, after runtime.MemStats
	for b.Loop() {
		s := newScheduler(b)
		refs := make([]*scheduler.Ref, n)
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&before)
		for i := range refs {
			ref, err := s.Submit(b.Context(), e.NewProcess(engine.ProcessOptions{Program: prog, PID: pids[i%len(pids)]}), scheduler.SubmitOptions{})
			if err != nil {
				b.Fatal(err)
			}
			refs[i] = ref
		}
		for _, ref := range refs {
			for ref.Info().State != scheduler.Idle {
				runtime.Gosched()
			}
		}
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "bytes/process")
		runtime.KeepAlive(refs)
		s.Stop(b.Context())
	}
}

var pids = []relay.PID{relay.NewPID("", "app:processes", "0x00001")}

// BenchmarkSpawn measures a process from NewProcess to waiting in its inbox and
// to its end.
func BenchmarkSpawn(b *testing.B) {
	e := newEngine(b)
	prog := link(b, e, idleSource)
	var out scheduler.Output
	stop := func() []scheduler.Event {
		return []scheduler.Event{{Kind: scheduler.MessageEvent, Data: relay.NewMessage(relay.PID{}, relay.PID{}, "stop")}}
	}
	b.ReportAllocs()
	for b.Loop() {
		p := e.NewProcess(engine.ProcessOptions{Program: prog, PID: pids[0]})
		if err := p.Init(b.Context(), "", nil); err != nil {
			b.Fatal(err)
		}
		out.Reset()
		if err := p.Step(nil, &out); err != nil {
			b.Fatal(err)
		}
		if err := p.Step(stop(), &out); err != nil || out.Status() != scheduler.StatusDone {
			b.Fatal(err)
		}
		p.Close()
	}
}

// BenchmarkSpawnIdle is BenchmarkSpawn without the end: nothing is reused.
func BenchmarkSpawnIdle(b *testing.B) {
	e := newEngine(b)
	prog := link(b, e, idleSource)
	var out scheduler.Output
	b.ReportAllocs()
	for b.Loop() {
		p := e.NewProcess(engine.ProcessOptions{Program: prog, PID: pids[0]})
		if err := p.Init(b.Context(), "", nil); err != nil {
			b.Fatal(err)
		}
		out.Reset()
		if err := p.Step(nil, &out); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPingPong is a round trip between two Lua processes through the
// scheduler.
func BenchmarkPingPong(b *testing.B) {
	refs := make([]*scheduler.Ref, 2)
	e := engine.New()
	for _, m := range []engine.Module{testModule, sendModule(&refs)} {
		if err := e.Register(m); err != nil {
			b.Fatal(err)
		}
	}
	start := func(src string, n int) *scheduler.Ref {
		prog, err := e.Link(engine.ProgramSpec{ID: "app:pp", Source: src, Modules: []string{"test", "send"}})
		if err != nil {
			b.Fatal(err)
		}
		ref, err := benchScheduler.Submit(b.Context(), e.NewProcess(engine.ProcessOptions{Program: prog, PID: pids[0]}),
			scheduler.SubmitOptions{Input: []payload.Payload{payload.New(float64(n))}})
		if err != nil {
			b.Fatal(err)
		}
		return ref
	}
	benchScheduler = newScheduler(b)
	defer benchScheduler.Stop(b.Context())
	b.ReportAllocs()
	b.ResetTimer()
	refs[0] = start(`return function(n)
		local inbox = test.inbox()
		while true do inbox:receive() send.to(1, 1) end
	end`, 0)
	refs[1] = start(`return function(n)
		local inbox = test.inbox()
		inbox:receive() -- it may run before Submit returns its Ref
		for i = 1, n do send.to(0, i) inbox:receive():payload():data() end
	end`, b.N)
	if err := refs[1].Send(relay.NewMessage(pids[0], pids[0], "go", payload.New(true))); err != nil {
		b.Fatal(err)
	}
	if _, err := refs[1].Wait(b.Context()); err != nil {
		b.Fatal(err)
	}
}

var benchScheduler *scheduler.Scheduler

// inProcess measures a Lua function that takes the number of iterations.
func inProcess(b *testing.B, body string) {
	b.ReportAllocs()
	m := start(b, newEngine(b), "return function(n)\n"+body+"\nend", float64(b.N))
	b.ResetTimer()
	for !m.done {
		m.step()
	}
	if m.err != nil {
		b.Fatal(stackOf(m.err))
	}
}

func BenchmarkPcall(b *testing.B) {
	inProcess(b, "local function f() return 1 end for i = 1, n do pcall(f) end")
}

func BenchmarkPcallError(b *testing.B) {
	inProcess(b, "local function f() error('x') end for i = 1, n do pcall(f) end")
}

func BenchmarkPcallNested(b *testing.B) {
	inProcess(b, "local function f() return 1 end test.call(function() for i = 1, n do pcall(f) end end)")
}

func BenchmarkCoroutineResume(b *testing.B) {
	inProcess(b, "local co = coroutine.wrap(function() while true do coroutine.yield(1) end end) for i = 1, n do co() end")
}

func BenchmarkChannelRendezvous(b *testing.B) {
	inProcess(b, "local ch = channel.new() coroutine.spawn(function() for i = 1, n do ch:send(i) end end) for i = 1, n do ch:receive() end")
}

func BenchmarkChannelBuffered(b *testing.B) {
	inProcess(b, "local ch = channel.new(1) for i = 1, n do ch:send(i) ch:receive() end")
}

func BenchmarkYieldCommand(b *testing.B) {
	inProcess(b, "for i = 1, n do test.wait(i) end")
}

// BenchmarkInterruptible runs the same loops as a process, which can be stopped
// between any two instructions, and in a state of gopher-lua, which cannot. Run it
// with -count and compare the fastest runs.
func BenchmarkInterruptible(b *testing.B) {
	for _, bench := range []struct{ name, body string }{
		{"loop", "local s = 0 for i = 1, n do s = s + i end"},
		{"call", "local function f(x) return x end for i = 1, n do f(i) end"},
		{"table", "local t = {x = 1} for i = 1, n do t.x = t.x + i end"},
	} {
		b.Run(bench.name+"/process", func(b *testing.B) { inProcess(b, bench.body) })
		b.Run(bench.name+"/gopher-lua", func(b *testing.B) {
			L := lua.NewState()
			defer L.Close()
			if err := L.DoString("function run(n)\n" + bench.body + "\nend"); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			if err := L.CallByParam(lua.P{Fn: L.GetGlobal("run"), Protect: true}, lua.LNumber(b.N)); err != nil {
				b.Fatal(err)
			}
		})
	}
}

func BenchmarkLibraryCall(b *testing.B) {
	inProcess(b, "for i = 1, n do math.floor(i) end")
}

func BenchmarkPairs(b *testing.B) {
	inProcess(b, "local t = {} for i = 1, 100 do t[i] = i end for i = 1, n / 100 do for k, v in pairs(t) do end end")
}

func BenchmarkCopy(b *testing.B) {
	v, err := eval(b, `return {id = "x", n = 1, list = {1, 2, 3}, nested = {a = {b = "c"}}}`)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		engine.Copy(v)
	}
}
