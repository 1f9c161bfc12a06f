// SPDX-License-Identifier: Apache-2.0

package json

import lua "github.com/yuin/gopher-lua"

// maker only makes tables: the interpreter has no other way to make one with room set aside.
var maker lua.LState

func newTable(items, members int) *lua.LTable {
	return maker.CreateTable(items, members)
}
