// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"fmt"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler"
)

func Example() {
	e := engine.New()
	// A module: one function, written in Go.
	err := e.Register(engine.Module{Name: "greet", Build: func(b *engine.Builder) error {
		b.Func("hello", func(L *lua.LState) int {
			L.Push(lua.LString("hello, " + L.CheckString(1)))
			return 1
		})
		return nil
	}})
	if err != nil {
		panic(err)
	}
	e.Seal()
	prog, err := e.Link(engine.ProgramSpec{ID: "app:hello", Modules: []string{"greet"}, Source: `
		local function main(name)
			local results = channel.new()
			coroutine.spawn(function() results:send(greet.hello(name)) end)
			return (results:receive())
		end
		return {main = main}`})
	if err != nil {
		panic(err)
	}

	ctx := context.Background()
	s, err := scheduler.New(scheduler.Config{})
	if err != nil {
		panic(err)
	}
	s.Start()
	ref, err := s.Submit(ctx, e.NewProcess(engine.ProcessOptions{Program: prog, PID: relay.NewPID("", "app", "0x00001")}),
		scheduler.SubmitOptions{Input: []payload.Payload{payload.New("world")}})
	if err != nil {
		panic(err)
	}
	result, err := ref.Wait(ctx)
	fmt.Println(result.(payload.Payload).Data, err)
	if err := s.Stop(ctx); err != nil {
		panic(err)
	}
	// Output: hello, world <nil>
}
