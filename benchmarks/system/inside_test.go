// SPDX-License-Identifier: Apache-2.0

package system_test

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/benchmarks/internal/measure"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/boot"
	"github.com/wippyrun/kit/wippy/system/processes"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

const (
	app       = "testdata/app"
	processID = "app:processes"
)

// system is a running application.
type system struct {
	b         *testing.B
	processes *processes.Manager
	engine    *engine.Engine
	router    *relay.Router
	host      interface{ Len() int }
}

func start(b *testing.B) *system {
	rt, err := boot.New(boot.Options{Dir: app, Silent: true, Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(rt.Shutdown)
	if err := rt.Start(context.Background()); err != nil {
		b.Fatal(err)
	}
	dict := appctx.From(rt.Context())
	services := boot.KeySupervisor.MustGet(dict)
	for state, err := services.State(processID); err != nil || state.State != supervisor.Running; { // they start after Start returns
		runtime.Gosched()
		state, err = services.State(processID)
	}
	host, ok := boot.KeyNode.MustGet(dict).Host(processID)
	if !ok {
		b.Fatal("no host")
	}
	return &system{
		b: b, processes: boot.KeyProcesses.MustGet(dict), engine: boot.KeyEngine.MustGet(dict),
		router: boot.KeyRouter.MustGet(dict), host: host.(interface{ Len() int }),
	}
}

// run starts a process, waits for its end and returns its result.
func (s *system) run(id string, n int) any {
	s.b.Helper()
	result, err := s.processes.Exec(context.Background(), processes.Spawn{
		Host: processID, Source: id, Input: []payload.Payload{payload.New(float64(n))},
	})
	if err != nil {
		s.b.Fatal(err)
	}
	v, err := s.engine.FromPayload(result)
	if err != nil {
		s.b.Fatal(err)
	}
	return engine.ToGo(v)
}

// BenchmarkCall is a call of a Lua function by a Lua program and its result. Ours goes
// through the function registry to a worker of the function's pool while the caller is
// suspended; the peer calls into a state from a sync.Pool and blocks.
func BenchmarkCall(b *testing.B) {
	const n = 1000
	b.Run("ours", func(b *testing.B) {
		s := start(b)
		measure.Items(b, n, func() { s.run("app:caller", n) })
	})
	b.Run("gopher-lua-pool", func(b *testing.B) {
		pool := sync.Pool{New: func() any {
			L := lua.NewState()
			if err := L.DoString("function main(x) return x end"); err != nil {
				b.Error(err)
			}
			return L
		}}
		L := lua.NewState()
		defer L.Close()
		L.SetGlobal("call", L.NewFunction(func(L *lua.LState) int {
			callee := pool.Get().(*lua.LState)
			defer pool.Put(callee)
			if err := callee.CallByParam(lua.P{Fn: callee.GetGlobal("main"), NRet: 1, Protect: true}, L.Get(1)); err != nil {
				L.RaiseError("%v", err)
			}
			L.Push(callee.Get(-1))
			callee.Pop(1)
			return 1
		}))
		if err := L.DoString("function main(n) for i = 1, n do if call(i) ~= i then error('wrong') end end end"); err != nil {
			b.Fatal(err)
		}
		measure.Items(b, n, func() {
			if err := L.CallByParam(lua.P{Fn: L.GetGlobal("main"), Protect: true}, lua.LNumber(n)); err != nil {
				b.Fatal(err)
			}
		})
	})
}

// BenchmarkPingPong is a round trip between two Lua processes through hosts and router. The
// peer is two Go goroutines that exchange numbers, boxed as Lua would.
func BenchmarkPingPong(b *testing.B) {
	const n = 2000
	b.Run("ours", func(b *testing.B) {
		s := start(b)
		measure.Items(b, n, func() { s.run("app:ping", n) })
	})
	b.Run("goroutines", func(b *testing.B) {
		there, back := make(chan any), make(chan any)
		defer close(there)
		go func() {
			for v := range there {
				back <- v
			}
		}()
		measure.Items(b, n, func() {
			for i := range n {
				there <- lua.LNumber(i)
				<-back
			}
		})
	})
}

// BenchmarkSpawn has a Lua process spawn idle ones and hear from each that it is there,
// and measures what they occupy in the heap: process, address, life cycle and the id
// that is kept here to end it. The peer starts goroutines that tell over a channel.
func BenchmarkSpawn(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprintf("processes=%d", n), func(b *testing.B) {
			b.Run("ours", func(b *testing.B) {
				s := start(b)
				s.spawn(100)() // warm
				measure.PerItem(b, n, func() func() { return s.spawn(n) })
			})
			b.Run("goroutines", func(b *testing.B) {
				measure.PerItem(b, n, func() func() { return goroutines(n) })
			})
		})
	}
}

func (s *system) spawn(n int) (end func()) {
	pids := s.run("app:spawner", n).(string)
	return func() {
		for text := range strings.SplitSeq(pids, "\n") {
			pid, err := relay.ParsePID(text)
			if err != nil {
				s.b.Fatal(err)
			}
			if err := s.router.Send(relay.NewMessage(relay.PID{}, pid, "end")); err != nil {
				s.b.Fatal(err)
			}
		}
		for s.host.Len() > 0 {
			runtime.Gosched()
		}
	}
}

func goroutines(n int) (end func()) {
	ready := make(chan struct{}, 64)
	inboxes := make([]chan any, n)
	var running sync.WaitGroup
	running.Go(func() {
		for i := range inboxes {
			inbox := make(chan any, 1)
			inboxes[i] = inbox
			running.Go(func() {
				ready <- struct{}{}
				<-inbox
			})
		}
	})
	for range inboxes {
		<-ready
	}
	return func() {
		for _, inbox := range inboxes {
			inbox <- nil
		}
		running.Wait()
	}
}
