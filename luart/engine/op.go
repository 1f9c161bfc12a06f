// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/dispatch"
)

// Resume turns the outcome of a command into the results of the Lua call that
// yielded it. It runs in the process, but in none of its coroutines: L is for
// From and the conversion helpers only, nothing may be pushed on it. Raising an
// error (L.RaiseError) raises it in the coroutine that waits.
type Resume func(L *lua.LState, data any, err error) []lua.LValue

// op is a command that was issued and has not completed.
type op struct {
	co     *coroutine
	resume Resume
	done   func(p *Process, data any, err error)
	gen    uint32
	free   int32 // 1 + next free slot
}

// Yield suspends the calling coroutine until the scheduler has completed cmd.
// Call it as the last thing of a module function: return engine.Yield(…). resume
// makes the results of the call; nil returns the data as a Lua value, or nil and
// the error.
//
// Where the coroutine cannot be suspended, in a metamethod, in a callback of a Go
// function or while the program is loaded, Yield raises an error that names the
// function.
func Yield(L *lua.LState, cmd dispatch.Command, resume Resume) int {
	c, _ := running(L)
	return suspend(L, c, request{kind: reqCommand, cmd: cmd, resume: resume})
}

// Start issues a command without suspending the caller. done runs in the process
// when the command completes; it is not called when the process ends first. While
// the program is loaded Start raises an error.
func Start(L *lua.LState, cmd dispatch.Command, done func(p *Process, data any, err error)) {
	p := From(L)
	if p.driver.out == nil {
		L.RaiseError("attempt to start an operation while %s (%s)", p.nestReason(), callName(L))
	}
	p.issue(cmd, op{done: done})
}

// issue gives a command to the scheduler.
func (p *Process) issue(cmd dispatch.Command, o op) {
	p.driver.out.Yield(cmd, p.addOp(o))
}

// Upgrade replaces the process by the one create makes, and does not return to
// the program. The new process keeps the PID; see scheduler.Output.Upgrade.
func Upgrade(L *lua.LState, create func(ctx context.Context) (scheduler.Process, error), method string, input any) int {
	c, p := running(L)
	n := suspend(L, c, request{kind: reqUpgrade})
	p.more().upgrade = &upgrade{create: create, method: method, input: input}
	return n
}

type upgrade struct {
	create func(ctx context.Context) (scheduler.Process, error)
	method string
	input  any
}

func (p *Process) addOp(o op) dispatch.Tag {
	p.openOps++
	if i := p.freeOp - 1; i >= 0 {
		slot := &p.ops[i]
		p.freeOp = slot.free
		o.gen = slot.gen + 1
		*slot = o
		return tagOf(int(i), o.gen)
	}
	p.ops = append(p.ops, o)
	return tagOf(len(p.ops)-1, 0)
}

// complete handles the outcome of a command.
func (p *Process) complete(tag dispatch.Tag, data any, err error) {
	i, gen := splitTag(tag)
	if i >= len(p.ops) || p.ops[i].gen != gen {
		return
	}
	o := p.ops[i]
	if o.co == nil && o.done == nil {
		return
	}
	p.ops[i] = op{gen: gen, free: p.freeOp}
	p.freeOp = int32(i) + 1
	p.openOps--
	if o.done != nil {
		defer func() {
			if v := recover(); v != nil {
				p.stop = recovered("completion", v)
			}
		}()
		o.done(p, data, err)
		return
	}
	p.settle(o.co, o.resume, data, err)
	p.ready(o.co)
}

// settle gives c the results of its command.
func (p *Process) settle(c *coroutine, resume Resume, data any, err error) {
	if resume == nil {
		if err != nil {
			c.give2(lua.LNil, c.placed(ErrorValue(err)))
			return
		}
		c.give1(ToLua(data))
		return
	}
	L := p.driver.L
	L.SetContext(c)
	defer func() {
		if v := recover(); v != nil {
			c.raiseIn(faultOf(v))
		}
		L.RemoveContext()
		L.SetTop(0)
	}()
	switch values := resume(L, data, err); len(values) {
	case 1:
		c.give1(values[0])
	case 2:
		c.give2(values[0], c.placed(values[1]))
	default:
		if n := len(values); n > 0 {
			values[n-1] = c.placed(values[n-1])
		}
		c.give(values)
	}
}

// Result returns the one result of a [Resume] without an allocation.
func Result(L *lua.LState, v lua.LValue) []lua.LValue {
	values := From(L).driver.results(1)
	values[0] = v
	return values
}

// faultOf turns what was recovered into the Lua value to raise.
func faultOf(v any) lua.LValue {
	if e, ok := v.(*lua.ApiError); ok {
		if s, ok := e.Object.(lua.LString); ok {
			// Without a calling function the position is empty.
			return lua.LString(strings.TrimPrefix(string(s), " "))
		}
		return e.Object
	}
	return newErrorValue(panicError("completion", v))
}

func recovered(where string, v any) error {
	if e, ok := v.(*lua.ApiError); ok {
		if err, ok := AsError(e.Object); ok {
			return err
		}
		return textError(e.Object.String())
	}
	return panicError(where, v)
}
