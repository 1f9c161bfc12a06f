// SPDX-License-Identifier: Apache-2.0

package engine

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/relay/payload"
)

// outcomeOf applies the rule that an error as second result is a failure.
func (p *Process) outcomeOf(values []lua.LValue) (payload.Payload, error) {
	if len(values) > 1 {
		switch v := values[1].(type) {
		case lua.LString:
			if lua.LVIsFalse(values[0]) {
				return payload.Payload{}, NewError(KindInternal, string(v)) // a refusal, not an accident: not retryable
			}
		default:
			if err, ok := AsError(v); ok {
				return payload.Payload{}, err
			}
		}
	}
	if len(values) == 0 {
		return nothing, nil
	}
	return toPayload(values[0]), nil
}

// nothing is the result of a method that returns none, and boxedNothing the same as what
// scheduler.Output takes: most handlers of requests and messages return nothing.
var (
	nothing          = payload.Payload{Format: payload.Lua, Data: lua.LNil}
	boxedNothing any = nothing
)

// boxed makes a result what scheduler.Output takes.
func boxed(result payload.Payload) any {
	if result == nothing {
		return boxedNothing
	}
	return result
}

// failure turns a value that nobody caught into the error of the process.
func (p *Process) failure(fault lua.LValue) error {
	var (
		frames []StackFrame
		hint   string
	)
	if r := p.rest; r != nil && r.traced == fault {
		frames, hint = r.trace, r.advice
	}
	if err, ok := AsError(fault); ok {
		if e, ok := err.(*Error); ok {
			return e.withFrames(frames)
		}
		return err
	}
	e := textError(p.text(fault))
	e.frames, e.hint = frames, hint
	return e
}

// text is tostring outside of a running function.
func (p *Process) text(v lua.LValue) string {
	if t, ok := v.(*lua.LTable); ok {
		if mt, ok := t.Metatable.(*lua.LTable); ok && p.driver != nil {
			if fn, ok := mt.RawGetString("__tostring").(*lua.LFunction); ok {
				out := p.callSync(&coroutine{p: p}, "its error is turned into text", fn, []lua.LValue{v})
				if out.fault == nil && len(out.values) > 0 {
					return out.values[0].String()
				}
			}
		}
		if s, ok := Unwrap(t).RawGetString("message").(lua.LString); ok {
			return string(s)
		}
	}
	return v.String()
}
