// SPDX-License-Identifier: Apache-2.0

package syntax

import (
	"cmp"
	"math"
	"slices"

	lua "github.com/yuin/gopher-lua"
)

// localInfo is a declared local variable.
type localInfo struct {
	name string
	fn   int32 // number of its function
	end  int32 // line of the token that ends its block, lastLine when that is the function's
}

const lastLine = math.MaxInt32

// repairLocals corrects the range of instructions in which a local variable is in scope, EndPc of its debug
// information. gopher-lua mixes up two numbers there, and whenever a register is used again it is the end of another
// variable that it writes. Messages would name variables that are long gone.
//
// The line of the token behind a block tells where it ends; of two blocks on one line only the outer one's variables
// keep their names.
func repairLocals(proto *lua.FunctionProto, vars []localInfo) {
	if len(vars) == 0 {
		return
	}
	// Functions are numbered in source order, in which the prototypes are, too.
	vars = slices.Clone(vars)
	slices.SortStableFunc(vars, func(a, b localInfo) int { return cmp.Compare(a.fn, b.fn) })
	fn := int32(0)
	var visit func(p *lua.FunctionProto)
	visit = func(p *lua.FunctionProto) {
		n := 0
		for n < len(vars) && vars[n].fn == fn {
			n++
		}
		endLocals(p, vars[:n])
		vars = vars[n:]
		for _, inner := range p.FunctionPrototypes {
			fn++
			visit(inner)
		}
	}
	visit(proto)
}

func endLocals(p *lua.FunctionProto, vars []localInfo) {
	all := p.DbgLocals
	if len(all) == len(vars)+1 && all[0].Name == "arg" {
		all[0].EndPc = len(p.Code)
		all = all[1:] // of a chunk that Bind made a function
	}
	for i, l := range all {
		if len(all) != len(vars) || l.Name != vars[i].name && l.Name != varFirst {
			// The compiler left out a function: nothing is certain.
			p.DbgLocals = nil
			return
		}
		l.EndPc = len(p.Code)
		if vars[i].end == lastLine {
			continue
		}
		for pc := l.StartPc; pc < len(p.Code); pc++ {
			if p.DbgSourcePositions[pc] >= int(vars[i].end) {
				l.EndPc = pc - 1
				break
			}
		}
	}
}
