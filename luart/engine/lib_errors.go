// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

var errorMeta = newTable(0, 8)

var _ = fillClass(errorMeta, "error", map[string]lua.LGFunction{
	"kind":    func(L *lua.LState) int { L.Push(lua.LString(checkError(L, 1).kind)); return 1 },
	"message": func(L *lua.LState) int { L.Push(lua.LString(checkError(L, 1).message)); return 1 },
	"stack":   func(L *lua.LState) int { L.Push(lua.LString(checkError(L, 1).Stack())); return 1 },
	"retryable": func(L *lua.LState) int {
		switch checkError(L, 1).retryable {
		case yes:
			L.Push(lua.LTrue)
		case no:
			L.Push(lua.LFalse)
		default:
			L.Push(lua.LNil)
		}
		return 1
	},
	"details": func(L *lua.LState) int {
		d := checkError(L, 1).details
		if len(d) == 0 {
			L.Push(lua.LNil)
		} else {
			L.Push(ToLua(d))
		}
		return 1
	},
}, map[string]lua.LGFunction{
	"__tostring": func(L *lua.LState) int { L.Push(lua.LString(checkError(L, 1).message)); return 1 },
	"__concat": func(L *lua.LState) int {
		L.Push(lua.LString(concatText(L, 1) + concatText(L, 2)))
		return 1
	},
})

func checkError(L *lua.LState, n int) *Error { return Check[*Error](L, n, "error") }

// concatText is the text of an operand of "..".
func concatText(L *lua.LState, n int) string {
	v := L.Get(n)
	if err, ok := AsError(v); ok {
		return err.Error()
	}
	if !lua.LVCanConvToString(v) {
		L.RaiseError("attempt to concatenate a %s value", v.Type().String())
	}
	return v.String()
}

// newErrorValue makes the error object of e.
func newErrorValue(e *Error) *lua.LUserData { return &lua.LUserData{Value: e, Metatable: errorMeta} }

// ErrorValue turns a Go error into an error object that keeps its kind, retry flag
// and details. nil becomes nil.
func ErrorValue(err error) lua.LValue {
	if err == nil {
		return lua.LNil
	}
	return newErrorValue(WrapError(err))
}

// PushError pushes nil and the error object of err, the usual way for a module
// function to fail: return engine.PushError(L, err). An error without a Lua stack
// gets that of the call.
func PushError(L *lua.LState, err error) int {
	e := WrapError(err)
	L.Push(lua.LNil)
	if e == nil {
		L.Push(lua.LNil)
		return 2
	}
	if c, ok := L.Context().(*coroutine); ok && len(e.frames) == 0 {
		e = e.withFrames(c.places())
	}
	L.Push(newErrorValue(e))
	return 2
}

// placed gives an error object that came from a module the places of the calls that
// lead to it, unless it has a stack from where it came to be. Other values stay.
func (c *coroutine) placed(v lua.LValue) lua.LValue {
	u, ok := v.(*lua.LUserData)
	if !ok {
		return v
	}
	e, ok := u.Value.(*Error)
	if !ok || len(e.frames) > 0 {
		return v
	}
	return newErrorValue(e.withFrames(c.places()))
}

// RaiseError raises err as an error object.
func RaiseError(L *lua.LState, err error) { L.Error(ErrorValue(err), 1) }

// AsError returns the Go error of an error object, false for any other value.
func AsError(v lua.LValue) (error, bool) {
	if ud, ok := v.(*lua.LUserData); ok {
		if err, ok := ud.Value.(error); ok {
			return err, true
		}
	}
	return nil, false
}

// buildErrors fills the global errors.
func buildErrors(b *Builder) {
	for name, kind := range map[string]string{
		"UNKNOWN": KindUnknown, "INVALID": KindInvalid, "NOT_FOUND": KindNotFound, "ALREADY_EXISTS": KindAlreadyExists,
		"PERMISSION_DENIED": KindPermissionDenied, "UNAVAILABLE": KindUnavailable, "INTERNAL": KindInternal,
		"CANCELED": KindCanceled, "CONFLICT": KindConflict, "TIMEOUT": KindTimeout, "RATE_LIMITED": KindRateLimited,
		"LIMIT_EXCEEDED": KindLimitExceeded, "INVALID_STATE": KindInvalidState,
	} {
		b.Value(name, lua.LString(kind))
	}
	b.Func("new", errorsNew)
	b.Func("wrap", errorsWrap)
	b.Func("is", func(L *lua.LState) int {
		err, ok := AsError(L.Get(1))
		L.Push(lua.LBool(ok && WrapError(err).kind == L.CheckString(2)))
		return 1
	})
	b.Func("call_stack", errorsCallStack)
}

func errorsNew(L *lua.LState) int {
	e := &Error{}
	switch v := L.Get(1).(type) {
	case lua.LString:
		e.message = string(v)
	case *lua.LTable:
		t := Unwrap(v)
		switch m := t.RawGetString("message").(type) {
		case lua.LString:
			e.message = string(m)
		case *lua.LNilType:
			L.ArgError(1, "message field is required")
		default:
			err, ok := AsError(m)
			if !ok {
				L.ArgError(1, "message must be a string")
			}
			e.message = err.Error()
		}
		if k, ok := t.RawGetString("kind").(lua.LString); ok {
			e.kind = string(k)
		}
		if r, ok := t.RawGetString("retryable").(lua.LBool); ok {
			e.retryable = tristateOf(bool(r), true)
		}
		if d, ok := t.RawGetString("details").(*lua.LTable); ok {
			e.details, _ = stringKeyed(ToGo(d)).(map[string]any)
		}
	default:
		err, ok := AsError(v)
		if !ok {
			L.ArgError(1, "expected string or table")
		}
		e.message = err.Error()
	}
	e.frames = callerTrace(L)
	L.Push(newErrorValue(e))
	return 1
}

// stringKeyed keeps what details may hold.
func stringKeyed(v any) any {
	if list, ok := v.([]any); ok && len(list) == 0 {
		return map[string]any(nil)
	}
	return v
}

func errorsWrap(L *lua.LState) int {
	var e Error
	switch v := L.Get(1).(type) {
	case lua.LString:
		e = Error{message: string(v)}
	default:
		err, ok := AsError(v)
		if !ok {
			L.ArgError(1, "expected error or string")
		}
		e = *WrapError(err)
		e.cause = err
	}
	context := ""
	switch v := L.Get(2).(type) {
	case lua.LString:
		context = string(v)
	case *lua.LNilType:
	default:
		err, ok := AsError(v)
		if !ok {
			L.ArgError(2, "expected string or error")
		}
		context = err.Error()
	}
	if context != "" {
		e.contexts = append(e.contexts[:len(e.contexts):len(e.contexts)], context)
	}
	if len(e.frames) == 0 {
		e.frames = callerTrace(L)
	}
	L.Push(newErrorValue(&e))
	return 1
}

// callerTrace is the stack without the running Go function.
func callerTrace(L *lua.LState) []StackFrame {
	c, ok := L.Context().(*coroutine)
	if !ok {
		return nil
	}
	frames := c.trace()
	if len(frames) > 0 && frames[0].What == "Go" {
		frames = frames[1:]
	}
	return frames
}

func errorsCallStack(L *lua.LState) int {
	err, ok := AsError(L.Get(1))
	if !ok {
		L.Push(lua.LNil)
		return 1
	}
	e := WrapError(err)
	list := newTable(len(e.frames), 0)
	for i, f := range e.frames {
		t := newTable(0, 5)
		t.RawSetString("level", lua.LNumber(i))
		t.RawSetString("source", lua.LString(f.Source))
		t.RawSetString("line", lua.LNumber(f.Line))
		t.RawSetString("name", lua.LString(f.Name))
		t.RawSetString("type", lua.LString(strings.ToLower(f.What)))
		list.RawSetInt(i+1, t)
	}
	r := newTable(0, 2)
	r.RawSetString("thread", lua.LString(From(L).SourceID()))
	r.RawSetString("frames", list)
	L.Push(r)
	return 1
}

var errOverflow = NewError(KindLimitExceeded, msgOverflow)
