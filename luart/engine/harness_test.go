// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/dispatch"
)

// echo is a command whose handler, the test, answers with its value.
type echo struct{ value any }

func (echo) CommandID() dispatch.CommandID { return 200 }

// testModule gives programs a call that suspends and one that does not.
var testModule = engine.Module{Name: "test", Build: func(b *engine.Builder) error {
	b.Func("wait", func(L *lua.LState) int {
		v := engine.ToGo(L.Get(1))
		return engine.Yield(L, echo{v}, nil)
	})
	b.Func("fail", func(L *lua.LState) int {
		return engine.Yield(L, echo{engine.NewError(engine.KindTimeout, "late")}, nil)
	})
	b.Func("refuse", func(L *lua.LState) int {
		return engine.Yield(L, echo{1}, func(L *lua.LState, _ any, _ error) []lua.LValue {
			L.RaiseError("refused")
			return nil
		})
	})
	b.Func("two", func(L *lua.LState) int {
		return engine.Yield(L, echo{1}, func(*lua.LState, any, error) []lua.LValue {
			return []lua.LValue{lua.LNumber(1), lua.LNumber(2)}
		})
	})
	b.Func("panic", func(*lua.LState) int { panic("boom") })
	b.Func("after", func(L *lua.LState) int {
		ch := engine.From(L).NewChannel(1)
		v := L.Get(1)
		engine.Start(L, echo{1}, func(*engine.Process, any, error) { ch.TrySend(v); ch.Close() })
		L.Push(ch.Value())
		return 1
	})
	b.Func("call", func(L *lua.LState) int {
		L.Push(L.Get(1))
		L.Call(0, 1)
		return 1
	})
	b.Func("inbox", func(L *lua.LState) int { L.Push(engine.From(L).Inbox().Value()); return 1 })
	b.Func("listen", func(L *lua.LState) int {
		L.Push(engine.From(L).Listen(L.CheckString(1), L.ToBool(2)).Value())
		return 1
	})
	b.Func("events", func(L *lua.LState) int { L.Push(engine.From(L).Events().Value()); return 1 })
	b.Func("nestedlen", func(L *lua.LState) int { L.Push(lua.LNumber(engine.Unwrap(L.CheckTable(1)).Len())); return 1 })
	return nil
}}

func newEngine(t testing.TB, opts ...engine.Option) *engine.Engine {
	t.Helper()
	e := engine.New(opts...)
	if err := e.Register(testModule); err != nil {
		t.Fatal(err)
	}
	e.Seal()
	return e
}

// machine drives one process by hand and answers its commands.
type machine struct {
	t      testing.TB
	p      *engine.Process
	out    scheduler.Output
	events []scheduler.Event
	done   bool
	err    error
	result lua.LValue
	cancel context.CancelFunc
}

func link(t testing.TB, e *engine.Engine, source string) *engine.Program {
	t.Helper()
	prog, err := e.Link(engine.ProgramSpec{ID: "app:test", Source: source, Modules: []string{"test"}})
	if err != nil {
		t.Fatal(err)
	}
	return prog
}

// start makes a process of source, which returns a function.
func start(t testing.TB, e *engine.Engine, source string, args ...any) *machine {
	t.Helper()
	m, err := tryStart(t, e, link(t, e, source), args...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func tryStart(t testing.TB, e *engine.Engine, prog *engine.Program, args ...any) (*machine, error) {
	m := &machine{t: t}
	m.p = e.NewProcess(engine.ProcessOptions{Program: prog, PID: relay.NewPID("", "host", "0x00001")})
	ctx, cancel := context.WithCancel(context.Background())
	m.cancel = cancel
	input := make([]payload.Payload, len(args))
	for i, a := range args {
		input[i] = payload.New(a)
	}
	if err := m.p.Init(ctx, "", input); err != nil {
		cancel()
		return nil, err
	}
	t.Cleanup(cancel)
	return m, nil
}

// step runs one Step with the events that are due.
func (m *machine) step() {
	m.out.Reset()
	events := m.events
	m.events = nil
	err := m.p.Step(events, &m.out)
	for _, y := range m.out.Yields() {
		c := y.Command.(echo)
		ev := scheduler.Event{Kind: scheduler.YieldComplete, Tag: y.Tag, Data: c.value}
		if err, ok := c.value.(error); ok {
			ev.Data, ev.Err = nil, err
		}
		m.events = append(m.events, ev)
	}
	if err != nil {
		m.finish(nil, err)
	} else if m.out.Status() == scheduler.StatusDone {
		m.finish(m.out.Result(), nil)
	}
}

func (m *machine) finish(result any, err error) {
	m.done, m.err = true, err
	if p, ok := result.(payload.Payload); ok {
		m.result = p.Data.(lua.LValue)
	}
	m.p.Close()
	m.cancel()
}

// run steps until the process ends or waits for a message.
func (m *machine) run() *machine {
	for first := true; !m.done && (first || len(m.events) > 0 || m.out.Status() == scheduler.StatusContinue); first = false {
		m.step()
	}
	return m
}

func (m *machine) send(topic string, values ...any) {
	list := make([]payload.Payload, len(values))
	for i, v := range values {
		list[i] = payload.New(v)
	}
	msg := relay.NewMessage(relay.NewPID("", "host", "0x00009"), m.p.PID(), topic, list...)
	m.events = append(m.events, scheduler.Event{Kind: scheduler.MessageEvent, Data: msg})
}

// eval runs the body of a function to its end.
func eval(t testing.TB, body string) (lua.LValue, error) {
	t.Helper()
	m := start(t, newEngine(t), "return function(...) "+body+"\nend").run()
	if !m.done {
		t.Fatalf("still waiting: %s", body)
	}
	return m.result, m.err
}
