// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/dispatch"
)

// echoHandler completes echo commands from another goroutine.
func echoRegistry() *dispatch.Registry {
	r := dispatch.NewRegistry()
	r.Register("test", echo{}.CommandID(), dispatch.HandlerFunc(
		func(_ context.Context, cmd dispatch.Command, tag dispatch.Tag, to dispatch.Receiver) error {
			v := cmd.(echo).value
			go func() {
				if err, ok := v.(error); ok {
					to.CompleteYield(tag, nil, err)
				} else {
					to.CompleteYield(tag, v, nil)
				}
			}()
			return nil
		}))
	r.Freeze()
	return r
}

// TestRingConcurrent passes a token around a ring of processes on real workers,
// while each of them also waits for commands in several coroutines.
func TestRingConcurrent(t *testing.T) {
	const size, rounds = 50, 40
	refs := make([]*scheduler.Ref, size)
	e := engine.New()
	for _, m := range []engine.Module{testModule, sendModule(&refs)} {
		if err := e.Register(m); err != nil {
			t.Fatal(err)
		}
	}
	e.Seal()
	prog, err := e.Link(engine.ProgramSpec{ID: "app:ring", Modules: []string{"test", "send"}, Source: `
local function main(self, next, rounds)
	local inbox, sum = test.inbox(), 0
	for i = 1, 3 do
		coroutine.spawn(function() for j = 1, 20 do local v = test.wait(1) sum = sum + v end end)
	end
	for i = 1, rounds do
		local token = inbox:receive():payload():data()
		assert(token.round == i)
		token.hops = token.hops + 1
		if next == 0 then token.round = i + 1 end
		send.to(next, token)
	end
	while sum < 60 do coroutine.yield() test.wait(0) end
	return sum
end
return {main = main}`})
	if err != nil {
		t.Fatal(err)
	}
	s, err := scheduler.New(scheduler.Config{Workers: 4, Dispatch: echoRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	for i := range refs {
		refs[i], err = s.Submit(t.Context(), e.NewProcess(engine.ProcessOptions{Program: prog, PID: pids[0]}), scheduler.SubmitOptions{
			Input: []payload.Payload{payload.New(i), payload.New((i + 1) % size), payload.New(rounds)},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	token, err := eval(t, "return {round = 1, hops = 0}")
	if err != nil {
		t.Fatal(err)
	}
	if err := refs[0].Send(relay.NewMessage(relay.PID{}, relay.PID{}, "t", payload.Payload{Format: payload.Lua, Data: token})); err != nil {
		t.Fatal(err)
	}
	for i, ref := range refs {
		v, err := ref.Wait(t.Context())
		if err != nil {
			t.Fatalf("process %d: %v", i, stackOf(err))
		}
		if got := v.(payload.Payload).Data.(lua.LValue).String(); got != "60" {
			t.Errorf("process %d: %s", i, got)
		}
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestTerminateConcurrent terminates processes that loop, wait and sleep.
func TestTerminateConcurrent(t *testing.T) {
	e := newEngine(t)
	s, err := scheduler.New(scheduler.Config{Workers: 2, Dispatch: echoRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	for _, body := range []string{
		"while true do end", "test.inbox():receive()", "while true do pcall(function() while true do test.wait(1) end end) end",
	} {
		ref, err := s.Submit(t.Context(), e.NewProcess(engine.ProcessOptions{Program: link(t, e, "return function() "+body+" end")}), scheduler.SubmitOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := ref.Terminate(); err != nil {
			t.Fatal(err)
		}
		if _, err := ref.Wait(t.Context()); !errors.Is(err, scheduler.ErrTerminated) {
			t.Errorf("%s: %v", body, err)
		}
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestSharedTablesAreReadOnly runs many processes at once that use, and try to
// change, what they share. The race detector watches.
func TestSharedTablesAreReadOnly(t *testing.T) {
	e := newEngine(t)
	prog := link(t, e, `
local function main(n)
	for i = 1, 50 do
		assert(not pcall(function() string.x = n end) and not pcall(rawset, test, "x", n) and not pcall(table.sort, math))
		local mt = getmetatable("")
		assert(not pcall(function() mt.__index = nil end))
		mine = n
		assert(_G.mine == n and string.format("%d", n) == tostring(n))
		for k, v in pairs(string) do assert(type(k) == "string") end
		for k, v in pairs(_G) do assert(v ~= nil) end
		table.sort({3, 2, 1}, function(a, b) return a < b end)
	end
	return n
end
return main`)
	s, err := scheduler.New(scheduler.Config{Workers: 4, Dispatch: echoRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	refs := make([]*scheduler.Ref, 40)
	for i := range refs {
		refs[i], err = s.Submit(t.Context(), e.NewProcess(engine.ProcessOptions{Program: prog}), scheduler.SubmitOptions{Input: []payload.Payload{payload.New(i)}})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, ref := range refs {
		v, err := ref.Wait(t.Context())
		if err != nil || fmt.Sprint(v.(payload.Payload).Data) != fmt.Sprint(i) {
			t.Errorf("%v %v", v, err)
		}
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}
