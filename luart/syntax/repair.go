// SPDX-License-Identifier: Apache-2.0

package syntax

import (
	"slices"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"
)

// gotoFix is what the code of a jump must close: every local from the active-th of its function on.
//
// gopher-lua 1.1.2 emits OP_CLOSE 0 in front of the jump, for all locals, and corrects the operand only when the
// block of the label holds a captured variable. In all other cases the jump closes variables that stay in use, and a
// closure sharing one of them with its function loses touch with it: `goto continue` in a loop makes a counter outside
// the loop fall apart.
type gotoFix struct {
	stmt   *ast.GotoStmt
	active int
	main   bool // in no function but the chunk itself
}

// tagGotos gives each goto a line of its own, by which repair finds its instructions: -1, -2, ... The last line keeps
// the true one, which the compiler prefers wherever it wants the end of a statement.
func tagGotos(fixes []gotoFix) {
	for i, f := range fixes {
		f.stmt.SetLastLine(f.stmt.Line())
		f.stmt.SetLine(-1 - i)
	}
}

func untagGotos(fixes []gotoFix) {
	for _, f := range fixes {
		f.stmt.SetLine(f.stmt.LastLine())
		f.stmt.SetLastLine(0)
	}
}

// Layout of gopher-lua's instructions, from its opcode.go: opcode in the top 6 bits, then A, C and B.
const (
	opShift = 26
	aShift  = 18
	cShift  = 9
	aMask   = 0xff
	cMask   = 0x1ff
	bMask   = 0x1ff

	opNewTable = uint32(lua.OP_NEWTABLE)
	opSetList  = uint32(lua.OP_SETLIST)
	opClose    = uint32(lua.OP_CLOSE)
	opClosure  = uint32(lua.OP_CLOSURE)
	opSetUpval = uint32(lua.OP_SETUPVAL)
	opGetUpval = uint32(lua.OP_GETUPVAL)
)

// repair corrects what gopher-lua's compiler gets wrong, gives intrinsic functions readable names and releases memory:
// the compiler leaves 12 KB of code buffer with every function, however short.
func repair(proto *lua.FunctionProto, fixes []gotoFix) {
	if len(fixes) > 0 {
		for pc, line := range proto.DbgSourcePositions {
			if line >= 0 {
				continue
			}
			f := fixes[-1-line]
			if proto.Code[pc]>>opShift == opClose {
				proto.Code[pc] = proto.Code[pc]&^(aMask<<aShift) | uint32(f.active)<<aShift
			}
			proto.DbgSourcePositions[pc] = f.stmt.LastLine()
		}
	}
	for i, call := range proto.DbgCalls {
		if call.Name != "" && call.Name[0] == 0 {
			proto.DbgCalls[i].Name = intrinsicText[call.Name]
		}
	}
	repairLists(proto)
	proto.Code = slices.Clone(proto.Code)
	proto.DbgSourcePositions = slices.Clone(proto.DbgSourcePositions)
	for _, inner := range proto.FunctionPrototypes {
		repair(inner, fixes)
	}
}

// repairLists fills in the block numbers of table constructors with more than 511 blocks of 50 items. They do not fit
// the instruction and belong in the word behind it, where gopher-lua stores 0, so that the items overwrite others.
func repairLists(proto *lua.FunctionProto) {
	if len(proto.Code) < 511*50 {
		return
	}
	var blocks [256]uint32
	for pc := 0; pc < len(proto.Code); pc++ {
		inst := proto.Code[pc]
		a := inst >> aShift & aMask
		switch inst >> opShift {
		case opNewTable:
			blocks[a] = 0
		case opSetList:
			blocks[a]++
			if inst>>cShift&cMask == 0 {
				pc++
				proto.Code[pc] = blocks[a]
			}
		case opClosure:
			pc += int(proto.FunctionPrototypes[inst&0x3ffff].NumUpvalues)
		}
	}
}
