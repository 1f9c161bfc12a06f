// SPDX-License-Identifier: Apache-2.0

// Package call is the convention that the functions of the modules share: how they take arguments without
// raising, and how they answer. An answer is a value and nil, or nil and an error object.
package call

import (
	"fmt"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

// Text returns argument n when it is a string. A number is none.
func Text(L *lua.LState, n int) (string, bool) {
	s, ok := L.Get(n).(lua.LString)
	return string(s), ok
}

// Optional returns argument n as CheckString does: a number is taken for its text, anything else raises. When the
// argument is nil or missing it is value.
func Optional(L *lua.LState, n int, value string) string {
	if L.Get(n) == lua.LNil {
		return value
	}
	return L.CheckString(n)
}

// Table returns argument n when it is a table, as what holds its content: it must not be written to. It is nil
// for any other value.
func Table(L *lua.LState, n int) *lua.LTable {
	if t, ok := L.Get(n).(*lua.LTable); ok {
		return engine.Unwrap(t)
	}
	return nil
}

// Value answers with a value.
func Value(L *lua.LState, v lua.LValue) int {
	L.Push(v)
	L.Push(lua.LNil)
	return 2
}

// Bytes answers with a string.
func Bytes(L *lua.LState, b []byte) int { return Value(L, lua.LString(b)) }

// Invalid answers that an argument is wrong.
func Invalid(L *lua.LState, message string) int {
	return engine.PushError(L, engine.NewError(engine.KindInvalid, message))
}

// Refused answers that an argument is wrong for the reason that a library gives. See Fault.
func Refused(L *lua.LState, label string, cause error) int {
	return engine.PushError(L, Fault(engine.KindInvalid, label, cause))
}

// Failed answers that something failed in a library. See Fault.
func Failed(L *lua.LState, label string, cause error) int {
	return engine.PushError(L, Fault(engine.KindInternal, label, cause))
}

// Fault makes the error object of what a library reports. Programs see the cause's own text; the Go error behind
// the object says what was being done, too: "label: cause". The details of a cause that has some are kept.
func Fault(kind, label string, cause error) *engine.Error {
	e := engine.NewError(kind, cause.Error())
	for key, value := range engine.WrapError(cause).Details() {
		e = e.With(key, value)
	}
	return e.WithCause(fmt.Errorf("%s: %w", label, cause))
}

// Strings reads a list of strings. ok is false when t holds anything else at its positions.
func Strings(t *lua.LTable) (list []string, ok bool) {
	t = engine.Unwrap(t)
	list = make([]string, 0, t.Len())
	for i := 1; i <= t.Len(); i++ {
		s, isString := t.RawGetInt(i).(lua.LString)
		if !isString {
			return nil, false
		}
		list = append(list, string(s))
	}
	return list, true
}

// Array makes a list of strings.
func Array(list []string) *lua.LTable {
	t := engine.NewArray(len(list))
	for i, s := range list {
		t.RawSetInt(i+1, lua.LString(s))
	}
	return t
}
