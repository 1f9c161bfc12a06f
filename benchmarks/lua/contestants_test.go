// SPDX-License-Identifier: Apache-2.0

package lua_test

import (
	"context"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler"
)

// pid is the address of every process here: nothing looks at it.
var pid = relay.NewPID("", "app:processes", "0x00001")

// world is an engine with a scheduler and the module `post`: post.inbox() is the inbox,
// post.to(n, value) sends to the n-th process started, as a process host would, and
// post.hit() calls back.
type world struct {
	b     *testing.B
	sched *scheduler.Scheduler
	eng   *engine.Engine
	refs  []*scheduler.Ref
	hit   func()
}

func newWorld(b *testing.B, opts ...engine.Option) *world {
	w := &world{b: b, eng: engine.New(opts...)}
	err := w.eng.Register(engine.Module{Name: "post", Build: func(m *engine.Builder) error {
		m.Func("inbox", func(L *lua.LState) int {
			L.Push(engine.From(L).Inbox().Value())
			return 1
		})
		m.Func("to", func(L *lua.LState) int {
			p := engine.From(L)
			msg := relay.NewMessage(p.PID(), pid, "t", payload.Payload{Format: payload.Lua, Data: engine.Copy(L.Get(2))})
			if err := w.refs[L.CheckInt(1)].SendFrom(p.Output(), msg); err != nil {
				msg.Release()
				return engine.PushError(L, err)
			}
			L.Push(lua.LTrue)
			return 1
		})
		m.Func("hit", func(*lua.LState) int {
			w.hit()
			return 0
		})
		return nil
	}})
	if err != nil {
		b.Fatal(err)
	}
	w.eng.Seal()
	if w.sched, err = scheduler.New(scheduler.Config{}); err != nil {
		b.Fatal(err)
	}
	w.sched.Start()
	b.Cleanup(func() {
		if err := w.sched.Stop(context.Background()); err != nil {
			b.Error(err)
		}
	})
	return w
}

func (w *world) link(source string) *engine.Program {
	prog, err := w.eng.Link(engine.ProgramSpec{ID: "app:bench", Source: source, Modules: []string{"post"}})
	if err != nil {
		w.b.Fatal(err)
	}
	return prog
}

func (w *world) start(prog *engine.Program) *scheduler.Ref {
	p := w.eng.NewProcess(engine.ProcessOptions{Program: prog, PID: pid})
	ref, err := w.sched.Submit(context.Background(), p, scheduler.SubmitOptions{})
	if err != nil {
		w.b.Fatal(err)
	}
	w.refs = append(w.refs, ref)
	return ref
}

func message(v float64) *relay.Message {
	return relay.NewMessage(relay.PID{}, pid, "t", payload.Payload{Format: payload.Lua, Data: lua.LNumber(v)})
}

// state is a fresh gopher-lua state that has run source.
func state(b *testing.B, source string) *lua.LState {
	L := lua.NewState()
	if err := L.DoString(source); err != nil {
		b.Fatal(err)
	}
	return L
}
