// SPDX-License-Identifier: Apache-2.0

package funcs

import (
	"context"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/wippy/lua/future"
	"github.com/wippyrun/kit/wippy/system/functions"
)

// callID is the command that calls a function; its outcome is the result, a payload.
const callID dispatch.CommandID = 140

// Caller starts function calls.
type Caller interface {
	CallAsync(ctx context.Context, task functions.Task, done functions.Done) (cancel func())
}

// callCommand calls a function.
type callCommand struct {
	task   functions.Task
	cancel func()             // stops the call; set by the handler
	one    [1]payload.Payload // the arguments of most calls
}

// CommandID identifies the command.
func (*callCommand) CommandID() dispatch.CommandID { return callID }

// Cancel stops the call because its caller has ended. It implements dispatch.Canceler: it comes after the handler.
func (c *callCommand) Cancel() { c.cancel() }

// Register adds the handler of the module's command. No goroutine waits for a call.
func Register(d *dispatch.Registry, caller Caller) {
	d.Register("funcs", callID, dispatch.HandlerFunc(
		func(ctx context.Context, cmd dispatch.Command, tag dispatch.Tag, r dispatch.Receiver) error {
			c := cmd.(*callCommand)
			c.cancel = caller.CallAsync(ctx, c.task, func(result payload.Payload, err error) {
				r.CompleteYield(tag, result, err)
			})
			return nil
		}))
}

// Call suspends the calling coroutine until the task has its outcome, which the Lua function returns: the value,
// or nil and the error.
func Call(L *lua.LState, task functions.Task) int { return (&callCommand{task: task}).call(L) }

func (c *callCommand) call(L *lua.LState) int {
	c.task.Waits = true
	return engine.Yield(L, c, returned)
}

func returned(L *lua.LState, data any, err error) []lua.LValue {
	if err != nil {
		return []lua.LValue{lua.LNil, engine.ErrorValue(err)}
	}
	result := data.(payload.Payload)
	if v, ok := result.Data.(lua.LValue); ok {
		return engine.Result(L, v)
	}
	return engine.Result(L, engine.ToLua(result.Data))
}

// Async starts the task in the background; the Lua function returns the future of its outcome.
func Async(L *lua.LState, task functions.Task, futures *future.Class) int {
	return (&callCommand{task: task}).async(L, futures)
}

func (c *callCommand) async(L *lua.LState, futures *future.Class) int {
	f, value := futures.New(engine.From(L))
	engine.Start(L, c, func(_ *engine.Process, data any, err error) {
		result, _ := data.(payload.Payload)
		f.Complete(result, err)
	})
	L.Push(value)
	return 1
}
