// SPDX-License-Identifier: Apache-2.0

package evalrunner_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/evalrunner"
	"github.com/wippyrun/kit/luart/modules/json"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/dispatch"
)

// system is a small runtime: an engine, a scheduler, a few modules with services behind them.
type system struct {
	engine    *engine.Engine
	scheduler *scheduler.Scheduler
	released  atomic.Int32 // settings given back

	held chan dispatch.Receiver // commands that are not answered
	tags chan dispatch.Tag
}

// echo is a command that is answered with its value, hold one that is not answered.
type (
	echo struct{ value any }
	hold struct{}
)

func (echo) CommandID() dispatch.CommandID { return 200 }
func (hold) CommandID() dispatch.CommandID { return 201 }

// library entries.
var libraries = map[string]evalrunner.Library{
	"lib:math":   {ID: "lib:math", Source: `return { twice = function(x) return 2 * x end }`},
	"lib:uses":   {ID: "lib:uses", Source: `local math2 = require("math2") return { four = function(x) return math2.twice(math2.twice(x)) end }`, Imports: map[string]string{"math2": "lib:math"}},
	"lib:fails":  {ID: "lib:fails", Source: `error("broken")`},
	"lib:syntax": {ID: "lib:syntax", Source: `return return`},
	"lib:a":      {ID: "lib:a", Source: `return 1`, Imports: map[string]string{"b": "lib:b"}},
	"lib:b":      {ID: "lib:b", Source: `return 1`, Imports: map[string]string{"a": "lib:a"}},
	"lib:http": {ID: "lib:http", Source: `
		local client = require("http_client")
		return { get = function(url) return http_client.get(url) .. client.get("") end, client = function() return rawget(_G, "http_client") end,
			apply = function(f, ...) return f(...) end }`},
	"lib:outside": {ID: "lib:outside", Source: `return { global = rawget(_G, "http_client"), found = pcall(require, "http_client") }`},
}

// function makes a module of one function.
func function(name, fn string, classes []string, global bool, f lua.LGFunction) engine.Module {
	return engine.Module{Name: name, Classes: classes, Global: global, Build: func(b *engine.Builder) error {
		b.Func(fn, f)
		return nil
	}}
}

func modules() []engine.Module {
	return []engine.Module{
		json.Module(),
		function("http_client", "get", []string{"network", "io", "nondeterministic"}, false, func(L *lua.LState) int {
			L.Push(lua.LString("got " + L.CheckString(1)))
			return 1
		}),
		function("process", "pid", []string{"process", "nondeterministic"}, true, func(L *lua.LState) int {
			L.Push(lua.LString(engine.From(L).PID().String()))
			return 1
		}),
		function("ctx", "get", []string{"nondeterministic", "workflow"}, false, func(L *lua.LState) int {
			values, _ := engine.From(L).Value().(map[string]any)
			L.Push(engine.ToLua(values[L.CheckString(1)]))
			return 1
		}),
		{Name: "time", Classes: []string{"time", "workflow"}, Build: func(b *engine.Builder) error {
			b.Func("sleep", func(L *lua.LState) int { return engine.Yield(L, echo{engine.ToGo(L.Get(1))}, nil) })
			b.Func("after", func(L *lua.LState) int {
				ch := engine.From(L).NewChannel(1)
				engine.Start(L, echo{1}, func(*engine.Process, any, error) { ch.TrySend(lua.LTrue) })
				L.Push(ch.Value())
				return 1
			})
			b.Func("never", func(L *lua.LState) int { return engine.Yield(L, hold{}, nil) })
			return nil
		}},
	}
}

func newSystem(tb testing.TB, config evalrunner.Config) *system {
	tb.Helper()
	s := &system{engine: engine.New(), held: make(chan dispatch.Receiver, 10), tags: make(chan dispatch.Tag, 10)}
	if config.Library == nil {
		config.Library = func(_ *engine.Process, id string) (evalrunner.Library, error) {
			if l, ok := libraries[id]; ok {
				return l, nil
			}
			return evalrunner.Library{}, errors.New("no entry " + id)
		}
	}
	if config.Prepare == nil {
		config.Prepare = func(_ *engine.Process, values map[string]any) (evalrunner.Setting, error) {
			return evalrunner.Setting{Process: engine.ProcessOptions{Value: values}, Release: func() { s.released.Add(1) }}, nil
		}
	}
	runner := evalrunner.New(config)
	for _, m := range append(modules(), runner.Module()) {
		if err := s.engine.Register(m); err != nil {
			tb.Fatal(err)
		}
	}
	s.engine.Seal()
	d := dispatch.NewRegistry()
	runner.Register(d)
	d.Register("test", echo{}.CommandID(), dispatch.HandlerFunc(func(_ context.Context, cmd dispatch.Command, tag dispatch.Tag, to dispatch.Receiver) error {
		to.CompleteYield(tag, cmd.(echo).value, nil)
		return nil
	}))
	d.Register("test", hold{}.CommandID(), dispatch.HandlerFunc(func(_ context.Context, _ dispatch.Command, tag dispatch.Tag, to dispatch.Receiver) error {
		s.held <- to
		s.tags <- tag
		return nil
	}))
	d.Freeze()
	var err error
	if s.scheduler, err = scheduler.New(scheduler.Config{Workers: 2, Dispatch: d}); err != nil {
		tb.Fatal(err)
	}
	s.scheduler.Start()
	tb.Cleanup(func() {
		if err := s.scheduler.Stop(context.Background()); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// submit starts the body of a function as a process. It knows the runner as runner.
func (s *system) submit(tb testing.TB, body string) *scheduler.Ref {
	tb.Helper()
	program, err := s.engine.Link(engine.ProgramSpec{
		ID: "app:test", Modules: s.engine.Modules(),
		Source: `local runner, json = require("eval_runner"), require("json")
			local function eq(got, want) if got ~= want then error("got " .. tostring(got) .. "\nwant " .. tostring(want), 2) end end
			local function fails(kind, text, v, err)
				if v ~= nil or err == nil then error("no error but " .. tostring(v), 2) end
				if err:kind() ~= kind or not string.find(err:message(), text, 1, true) or err:retryable() ~= false then error(err:kind() .. ": " .. err:message(), 2) end
			end
			return function(...) ` + body + "\nend",
	})
	if err != nil {
		tb.Fatal(err)
	}
	ref, err := s.scheduler.Submit(tb.Context(), s.engine.NewProcess(engine.ProcessOptions{Program: program}), scheduler.SubmitOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	return ref
}

// check runs the body of a function to its end, which must be a good one.
func (s *system) check(tb testing.TB, body string) lua.LValue {
	tb.Helper()
	result, err := s.submit(tb, body).Wait(tb.Context())
	if err != nil {
		if e, ok := errors.AsType[*engine.Error](err); ok {
			tb.Fatalf("%s\n%s", e.Stack(), body)
		}
		tb.Fatalf("%v\n%s", err, body)
	}
	return result.(payload.Payload).Data.(lua.LValue)
}
