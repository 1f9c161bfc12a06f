// SPDX-License-Identifier: Apache-2.0

package syntax

import (
	lua "github.com/yuin/gopher-lua"
)

const (
	opGetGlobal = uint32(lua.OP_GETGLOBAL)
	opLoadK     = uint32(lua.OP_LOADK)
	bxMask      = 0x3ffff
)

// Inline makes the functions behind intrinsics constants of a compiled chunk and of the functions in it, so that an
// operator does not look for its function. Functions of which funcs has none are left as they are.
func Inline(proto *lua.FunctionProto, funcs map[string]*lua.LFunction) {
	places := map[int]int{} // of the names and of the functions among the constants
	for pc := 0; pc < len(proto.Code); pc++ {
		inst := proto.Code[pc]
		switch inst >> opShift {
		case opSetList:
			if inst>>cShift&cMask == 0 {
				pc++ // the block number
			}
		case opClosure:
			pc += len(proto.FunctionPrototypes[inst&bxMask].DbgUpvalues)
		case opGetGlobal:
			name := int(inst & bxMask)
			at, ok := places[name]
			if !ok {
				text, _ := proto.Constants[name].(lua.LString)
				fn := funcs[string(text)]
				if fn == nil {
					continue
				}
				at = len(proto.Constants)
				proto.Constants = append(proto.Constants, fn)
				places[name] = at
			}
			proto.Code[pc] = opLoadK<<opShift | inst&^uint32(bxMask)&(1<<opShift-1) | uint32(at)
		}
	}
	for _, inner := range proto.FunctionPrototypes {
		Inline(inner, funcs)
	}
}
