// SPDX-License-Identifier: Apache-2.0

package engine

import lua "github.com/yuin/gopher-lua"

// Function makes a function of p in the process of L, whose globals it uses.
func (p *Proto) Function(L *lua.LState) *lua.LFunction {
	fn := L.NewFunctionFromProto(p.fn)
	fn.Env = From(L).inst.env
	return fn
}
