// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"reflect"

	lua "github.com/yuin/gopher-lua"
)

// Function makes a function of p in the process of L, whose globals it uses.
func (p *Proto) Function(L *lua.LState) *lua.LFunction {
	fn := L.NewFunctionFromProto(p.fn)
	fn.Env = From(L).inst.env
	return fn
}

// Place is what suspend asks about the running call of L; PlaceRead is the same without a sight.
func Place(L *lua.LState) (wanted int, nested bool) { return coroutineOf(L).place(L) }

func PlaceRead(L *lua.LState) (wanted int, nested bool) { return vm.wanted(L), vm.nested(L) }

// Sighted reports whether the coroutine that runs L has a sight of where it is.
func Sighted(L *lua.LState) bool {
	c := coroutineOf(L)
	if c.sight == nil {
		return false
	}
	_, _, ok := c.sight.read(L)
	return ok
}

// MessageSize is the size of a Message object with its payload.
var MessageSize = reflect.TypeFor[messageValue]().Size()
