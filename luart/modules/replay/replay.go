// SPDX-License-Identifier: Apache-2.0

// Package replay is the seam between modules whose results are not deterministic and hosts that run a program
// again from its history, as workflows do: such a host must see each random value once, keep it, and give the same
// one back when the program runs again.
//
// # Basics
//
// A module is made with a [Recorder] and obtains its random values through [Recorder.Bytes]. Without a recorder,
// or for processes the recorder does not care about, the value is made at once and the call does not yield.
package replay

import (
	"fmt"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
	"github.com/wippyrun/kit/scheduler/dispatch"
)

// Recorder decides how a value that is not deterministic comes to be. For a process whose history is kept it
// returns the command that calls produce the first time, and gives the same []byte back every time after that. For
// any other process it returns nil. It is called on the worker that runs p and must not block; produce may be
// called on any goroutine.
type Recorder func(p *engine.Process, produce func() ([]byte, error)) dispatch.Command

// Bytes answers a call with what produce makes, as a string, or with its error, of kind Internal. It is the last
// thing a module function does: return record.Bytes(…). label says what produce does.
func (r Recorder) Bytes(L *lua.LState, label string, produce func() ([]byte, error)) int {
	if r != nil {
		if cmd := r(engine.From(L), produce); cmd != nil {
			return engine.Yield(L, cmd, func(_ *lua.LState, data any, err error) []lua.LValue {
				return results(label, data, err)
			})
		}
	}
	b, err := produce()
	if err != nil {
		return call.Failed(L, label, err)
	}
	return call.Bytes(L, b)
}

// results are those of the call after its command.
func results(label string, data any, err error) []lua.LValue {
	b, ok := data.([]byte)
	if err == nil && !ok {
		err = fmt.Errorf("recorded value of type %T", data)
	}
	if err != nil {
		return []lua.LValue{lua.LNil, engine.ErrorValue(call.Fault(engine.KindInternal, label, err))}
	}
	return []lua.LValue{lua.LString(b), lua.LNil}
}
