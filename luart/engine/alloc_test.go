// SPDX-License-Identifier: Apache-2.0

//go:build !race

package engine_test

import (
	"fmt"
	"runtime"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler"
)

// TestIdleProcessBytes bounds the memory of a process that waits in its inbox,
// without the scheduler's share.
func TestIdleProcessBytes(t *testing.T) {
	within(t, func() string {
		if per := idleBytes(t, idleSource); per > 2800 {
			return fmt.Sprintf("%d bytes per process, want at most 2800", per)
		}
		return ""
	})
}

// within fails the test when what is measured of the heap is wrong time and again. The heap is
// that of the whole test binary: what something else allocated before and lets go of
// meanwhile, or the other way round, is in one measurement and not in the next.
func within(t *testing.T, problem func() string) {
	t.Helper()
	text := ""
	for range 5 {
		if text = problem(); text == "" {
			return
		}
	}
	t.Error(text)
}

// TestIdleProcessWithTypesBytes shows that the types of a program belong to the
// program, not to its processes.
func TestIdleProcessWithTypesBytes(t *testing.T) {
	const types = `type A = {x: number} type B = {A} type C = {b: B, name: string @min_len(1)}
		assert(A and B and C and number) `
	within(t, func() string {
		if plain, typed := idleBytes(t, idleSource), idleBytes(t, types+idleSource); typed > plain+16 {
			return fmt.Sprintf("%d bytes per process with types, %d without", typed, plain)
		}
		return ""
	})
}

func idleBytes(t *testing.T, source string) int64 {
	t.Helper()
	const n = 5000
	e := newEngine(t)
	prog := link(t, e, source)
	processes := make([]*engine.Process, n)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&before)
	var out scheduler.Output
	for i := range processes {
		p := e.NewProcess(engine.ProcessOptions{Program: prog, PID: pids[0]})
		if err := p.Init(t.Context(), "", nil); err != nil {
			t.Fatal(err)
		}
		if err := p.Step(nil, &out); err != nil {
			t.Fatal(err)
		}
		processes[i] = p
	}
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&after)
	for _, p := range processes {
		p.Close()
	}
	return (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / n
}

// TestStepAllocations pins what the hot paths allocate.
func TestStepAllocations(t *testing.T) {
	e := newEngine(t)
	var out scheduler.Output
	run := func(source string, events func() []scheduler.Event) float64 {
		p := e.NewProcess(engine.ProcessOptions{Program: link(t, e, source), PID: pids[0]})
		if err := p.Init(t.Context(), "", nil); err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if err := p.Step(nil, &out); err != nil {
			t.Fatal(err)
		}
		return testing.AllocsPerRun(1000, func() {
			if err := p.Step(events(), &out); err != nil {
				t.Fatal(err)
			}
		})
	}
	batch := make([]scheduler.Event, 1)
	message := func() []scheduler.Event {
		batch[0] = scheduler.Event{Kind: scheduler.MessageEvent, Data: relay.NewMessage(pids[0], pids[0], "t", payload.Payload{Format: payload.Lua, Data: lua.LTrue})}
		return batch
	}
	if engine.MessageSize > 144 { // a size class of Go's heap
		t.Errorf("a Message object has %d bytes", engine.MessageSize)
	}
	// The Message object, and the slice gopher-lua makes when a thread yields.
	if n := run(`return function() local inbox = test.inbox() while true do inbox:receive():payload():data() end end`, message); n > 2 {
		t.Errorf("receiving a message: %v allocations", n)
	}
	if n := run(`return function() local ch = test.listen("t") while true do ch:receive() end end`, message); n > 1 {
		t.Errorf("receiving a raw message: %v allocations", n)
	}
	if n := run(`return function() local inbox, ch = test.inbox(), channel.new(1)
		while true do
			inbox:receive()
			for i = 1, 100 do ch:send(true) ch:receive() end
		end end`, message); n > 2 {
		t.Errorf("100 buffered sends and receives: %v allocations", n-2)
	}
}

// TestCallOfOneArgumentAllocations pins what a process of a pool costs: itself, and the
// slice gopher-lua returns the result in.
func TestCallOfOneArgumentAllocations(t *testing.T) {
	e := newEngine(t)
	inst := e.NewInstance(link(t, e, `return function(x) return x end`))
	input := []payload.Payload{{Format: payload.Lua, Data: lua.LString("x")}}
	var out scheduler.Output
	n := testing.AllocsPerRun(1000, func() {
		p := e.NewProcess(engine.ProcessOptions{Instance: inst, PID: pids[0]})
		if err := p.Init(t.Context(), "", &input); err != nil {
			t.Fatal(err)
		}
		if err := p.Step(nil, &out); err != nil || out.Status() != scheduler.StatusDone {
			t.Fatal(err)
		}
		p.Close()
		out.Reset()
	})
	if n > 3 { // the third is the result as the interface that Done takes
		t.Errorf("%v allocations", n)
	}
}
