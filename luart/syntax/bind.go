// SPDX-License-Identifier: Apache-2.0

package syntax

import (
	"fmt"
	"maps"
	"slices"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"
)

// maxUpvalues is what a function of gopher-lua can refer to; its compiler counts them in a byte, without a check.
const maxUpvalues = 255

// Bind compiles a chunk like Compile, as if it stood in the scope of local variables with the given names. Those it
// uses are its upvalues: DbgUpvalues of the prototype lists them. Scoping, and what closures see, is then the work of
// the compiler, and a name costs nothing where the chunk does not use it. Upvalues that are never assigned to can be
// shared by any number of states.
//
// A name that the chunk assigns to, as in `Name = v` or `function Name() end`, stays a global.
func Bind(chunk *Chunk, name string, names []string) (*lua.FunctionProto, error) {
	for {
		proto, err := chunk.bind(name, names)
		if err != nil || len(proto.DbgUpvalues) == 0 {
			return proto, err
		}
		all := make(map[int]bool, len(proto.DbgUpvalues))
		for i := range proto.DbgUpvalues {
			all[i] = true
		}
		assigned := map[string]bool{}
		findAssigned(proto, all, assigned)
		if len(assigned) == 0 {
			return proto, nil
		}
		names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return assigned[n] })
	}
}

// bind makes the chunk the innermost of as many functions as are needed for the local variables.
func (c *Chunk) bind(name string, names []string) (*lua.FunctionProto, error) {
	if len(names) == 0 {
		return Compile(c, name)
	}
	fixes := c.gotos
	if c.dots {
		// gopher-lua gives a function with ... a register for arg, which the chunk as such does not have.
		fixes = slices.Clone(fixes)
		for i := range fixes {
			if fixes[i].main {
				fixes[i].active++
			}
		}
	}
	stmts, dots := c.Stmts, c.dots
	outer := 0
	for group := range slices.Chunk(names, 150) {
		fn := &ast.FunctionExpr{ParList: &ast.ParList{HasVargs: dots}, Stmts: stmts}
		if n := len(stmts); n > 0 {
			fn.SetLastLine(max(stmts[n-1].Line(), stmts[n-1].LastLine()) + 1)
		}
		stmts = []ast.Stmt{&ast.LocalAssignStmt{Names: group}, &ast.ReturnStmt{Exprs: []ast.Expr{fn}}}
		dots = false
		outer++
	}
	proto, err := c.compile(stmts, name, fixes)
	if err != nil {
		return nil, err
	}
	for range outer {
		proto = proto.FunctionPrototypes[0]
	}
	repairLocals(proto, c.vars)
	if bad := overfull(proto); bad != nil {
		return nil, c.compileError(proto.SourceName, bad.LineDefined, fmt.Sprintf("function uses more than %d upvalues", maxUpvalues))
	}
	return proto, nil
}

func overfull(proto *lua.FunctionProto) *lua.FunctionProto {
	if len(proto.DbgUpvalues) > maxUpvalues {
		return proto
	}
	for _, inner := range proto.FunctionPrototypes {
		if bad := overfull(inner); bad != nil {
			return bad
		}
	}
	return nil
}

// findAssigned collects the names of those upvalues that a function, or one within, assigns to. bound holds the indexes
// that stand for a variable outside of the chunk.
func findAssigned(proto *lua.FunctionProto, bound map[int]bool, assigned map[string]bool) {
	for pc := 0; pc < len(proto.Code); pc++ {
		inst := proto.Code[pc]
		switch inst >> opShift {
		case opSetUpval:
			if b := int(inst & bMask); bound[b] {
				assigned[proto.DbgUpvalues[b]] = true
			}
		case opSetList:
			if inst>>cShift&cMask == 0 {
				pc++ // the block number
			}
		case opClosure:
			// The words behind say where the upvalues come from.
			inner := proto.FunctionPrototypes[inst&0x3ffff]
			passed := map[int]bool{}
			for i := range inner.DbgUpvalues {
				pc++
				if w := proto.Code[pc]; w>>opShift == opGetUpval && bound[int(w&bMask)] {
					passed[i] = true
				}
			}
			if len(passed) > 0 {
				findAssigned(inner, passed, assigned)
			}
		}
	}
}

// DeclaredNames returns the names of the top-level types of a chunk, sorted and without repetition.
func (t *TypeTable) DeclaredNames() []string {
	names := make(map[string]bool, len(t.Declared))
	for _, d := range t.Declared {
		names[d.Name] = true
	}
	return slices.Sorted(maps.Keys(names))
}
