// SPDX-License-Identifier: Apache-2.0

// Package future is the Lua object for the outcome of a call that runs in the background.
//
// The outcome arrives on a channel: a Payload when the call succeeded, an error object when it failed; then the
// channel is closed. Cancelling closes the channel at once and drops the outcome; the call itself goes on.
package future

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay/payload"
)

// Class makes futures. A module that returns futures creates one while it is built.
type Class struct{ class *engine.Class }

// Future is one outcome. It belongs to the process that made it and is only touched while that process runs.
type Future struct {
	channel  *engine.Channel
	result   payload.Payload
	err      error
	complete bool
	canceled bool
}

// NewClass registers the class with a module.
func NewClass(b *engine.Builder) *Class {
	return &Class{b.Type("Future", map[string]lua.LGFunction{
		"response":    channel,
		"channel":     channel,
		"is_complete": isComplete,
		"is_canceled": isCanceled,
		"result":      result,
		"error":       failure,
		"cancel":      cancel,
	}, nil)}
}

// New makes a pending future of process p and the Lua value for it.
func (c *Class) New(p *engine.Process) (*Future, lua.LValue) {
	f := &Future{channel: p.NewChannel(1)}
	return f, c.class.New(f)
}

// Complete delivers the outcome. It is called while the process runs, once; after a cancellation it does nothing.
func (f *Future) Complete(result payload.Payload, err error) {
	if f.canceled {
		return
	}
	f.result, f.err, f.complete = result, err, true
	f.channel.TrySend(f.value())
	f.channel.Close()
}

// value is what the channel delivers.
func (f *Future) value() lua.LValue {
	if f.err != nil {
		return engine.ErrorValue(f.err)
	}
	return engine.NewPayload(f.result)
}

func check(L *lua.LState) *Future { return engine.Check[*Future](L, 1, "future") }

func channel(L *lua.LState) int {
	L.Push(check(L).channel.Value())
	return 1
}

func isComplete(L *lua.LState) int {
	L.Push(lua.LBool(check(L).complete))
	return 1
}

func isCanceled(L *lua.LState) int {
	L.Push(lua.LBool(check(L).canceled))
	return 1
}

func result(L *lua.LState) int {
	switch f := check(L); {
	case f.canceled:
		return engine.PushError(L, engine.NewError(engine.KindCanceled, "canceled"))
	case !f.complete:
		L.Push(lua.LNil)
		L.Push(lua.LNil)
		return 2
	case f.err != nil:
		return engine.PushError(L, f.err)
	default:
		L.Push(f.value())
		return 1
	}
}

// failure implements future:error(): the error always has the kind Internal, its message is the cause's.
func failure(L *lua.LState) int {
	f := check(L)
	if f.err == nil {
		L.Push(lua.LNil)
		L.Push(lua.LFalse)
		return 2
	}
	L.Push(engine.ErrorValue(engine.NewError(engine.KindInternal, f.err.Error()).WithCause(f.err)))
	L.Push(lua.LTrue)
	return 2
}

func cancel(L *lua.LState) int {
	f := check(L)
	if !f.complete && !f.canceled {
		f.canceled = true
		f.channel.Close()
	}
	L.Push(lua.LTrue)
	return 1
}
