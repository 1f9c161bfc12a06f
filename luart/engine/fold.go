// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"slices"

	lua "github.com/yuin/gopher-lua"
)

// Most global names of a program stand for the same value in every process: tostring,
// process.send, json.encode. Finding it takes up to six look-ups each time: the globals
// of the process, its metatable, the shared globals, and the same again for the
// read-only view of a module. Where nobody can give such a name another meaning, the
// value becomes a constant of the code. That is when no code of the program and of its
// libraries assigns to a global of that name, and none can reach the table of globals,
// which is what _G and package.seeall are there for; programs that do keep the code as
// it was compiled.

// globalUse is what compiled code does with global names.
type globalUse struct {
	assigned map[string]bool
	escapes  bool // it may reach the table of globals
}

// uses collects what fn and the functions in it do.
func (u *globalUse) uses(fn *lua.FunctionProto) {
	for pc := 0; pc < len(fn.Code); pc++ {
		inst := fn.Code[pc]
		switch int(inst >> opcodeShift) {
		case lua.OP_GETGLOBAL:
			u.escapes = u.escapes || fn.Constants[inst&bxMask] == lua.LString("_G")
		case lua.OP_SETGLOBAL:
			if name, ok := fn.Constants[inst&bxMask].(lua.LString); ok {
				u.assigned[string(name)] = true
			}
		}
		pc += dataWords(fn, inst)
	}
	u.escapes = u.escapes || slices.Contains(fn.Constants, lua.LValue(lua.LString("seeall")))
	for _, inner := range fn.FunctionPrototypes {
		u.uses(inner)
	}
}

const bxMask = 0x3ffff

// dataWords returns how many words behind an instruction are not instructions.
func dataWords(fn *lua.FunctionProto, inst uint32) int {
	switch int(inst >> opcodeShift) {
	case lua.OP_SETLIST:
		if operandC(inst) == 0 {
			return 1
		}
	case lua.OP_CLOSURE:
		return int(fn.FunctionPrototypes[inst&bxMask].NumUpvalues)
	}
	return 0
}

// fold decides whether the code of the program and its libraries may have constants for
// global names, and makes that of the program itself.
func (p *Program) fold() {
	p.use = globalUse{assigned: map[string]bool{}}
	p.use.uses(p.proto.fn)
	p.code = foldProto(p.proto.fn, p.constant)
	for _, q := range append([]*Program{p}, programs(p.libs)...) {
		if q.use.escapes {
			return
		}
		for name := range q.use.assigned {
			if p.constant(name) != nil {
				return
			}
		}
	}
	for _, l := range p.libs {
		if p.constant(l.alias) != nil {
			return
		}
	}
	p.folds = true
}

func programs(libs []library) []*Program {
	list := make([]*Program, len(libs))
	for i, l := range libs {
		list[i] = l.program
	}
	return list
}

// constant returns what a global name stands for in every process, nil when that
// differs or is nothing.
func (p *Program) constant(name string) lua.LValue {
	if v, ok := p.modules[name]; ok {
		return v
	}
	if v := p.engine.base.RawGetString(name); v != lua.LNil {
		return v
	}
	return nil
}

// named is the way back, for messages: the global name or the name of the field that a
// constant stands for.
func (p *Program) named(v lua.LValue) (kind, name string) {
	switch v.(type) {
	case *lua.LTable, *lua.LFunction, *lua.LUserData:
	default:
		return "", "" // as it was written
	}
	find := func(t *lua.LTable) (name string) {
		t.ForEach(func(k, x lua.LValue) {
			if x == v {
				name = k.String()
			}
		})
		return name
	}
	for name, m := range p.modules {
		if m == v {
			return "global", name
		}
	}
	if name := find(p.engine.base); name != "" {
		return "global", name
	}
	for _, m := range p.modules {
		if t, ok := m.(*lua.LTable); ok {
			if name := find(Unwrap(t)); name != "" {
				return "field", name
			}
		}
	}
	p.engine.base.ForEach(func(_, m lua.LValue) {
		if t, ok := m.(*lua.LTable); ok && name == "" {
			if name = find(Unwrap(t)); name != "" {
				kind = "field"
			}
		}
	})
	return kind, name
}

// foldProto returns fn with constants in place of the global names that value knows,
// and of their fields. fn is not changed; it is returned when there is nothing to do.
func foldProto(fn *lua.FunctionProto, value func(name string) lua.LValue) *lua.FunctionProto {
	f := folding{fn: fn, value: value}
	f.run()
	for i, inner := range fn.FunctionPrototypes {
		if folded := foldProto(inner, value); folded != inner {
			f.change().FunctionPrototypes[i] = folded
		}
	}
	if f.out == nil {
		return fn
	}
	return f.out
}

type folding struct {
	fn      *lua.FunctionProto
	value   func(name string) lua.LValue
	out     *lua.FunctionProto // a copy of fn once something changes
	places  map[lua.LValue]int // of added constants
	targets map[int]bool       // where jumps lead; made when it is needed
}

func (f *folding) change() *lua.FunctionProto {
	if f.out == nil {
		c := *f.fn
		c.Code = slices.Clone(c.Code)
		c.Constants = slices.Clone(c.Constants)
		c.FunctionPrototypes = slices.Clone(c.FunctionPrototypes)
		f.out, f.places = &c, map[lua.LValue]int{}
	}
	return f.out
}

func (f *folding) run() {
	code := f.fn.Code
	for pc := 0; pc < len(code); pc++ {
		inst := code[pc]
		if int(inst>>opcodeShift) != lua.OP_GETGLOBAL {
			pc += dataWords(f.fn, inst)
			continue
		}
		name, _ := f.fn.Constants[inst&bxMask].(lua.LString)
		v := f.value(string(name))
		if v == nil {
			continue
		}
		register := operandA(inst)
		f.load(pc, register, v)
		// Fields of it, as long as each is read from the register of the one before.
		for pc+1 < len(code) {
			next := code[pc+1]
			if int(next>>opcodeShift) != lua.OP_GETTABLEKS || operandB(next) != register || f.isTarget(pc+1) {
				break
			}
			if v = field(v, f.fn.Constants[operandC(next)-firstConstant]); v == nil {
				break
			}
			if operandA(next) == register {
				f.change().Code[pc] = uint32(lua.OP_NOP) << opcodeShift
			}
			pc++
			register = operandA(next)
			f.load(pc, register, v)
		}
	}
}

// load makes an instruction load a constant.
func (f *folding) load(pc, register int, v lua.LValue) {
	out := f.change()
	at, ok := f.places[v]
	if !ok {
		at = len(out.Constants)
		out.Constants = append(out.Constants, v)
		f.places[v] = at
	}
	out.Code[pc] = uint32(lua.OP_LOADK)<<opcodeShift | uint32(register)<<registerShift | uint32(at)
}

// field returns a field of a table that cannot change, nil when there is none.
func field(v, key lua.LValue) lua.LValue {
	t, ok := v.(*lua.LTable)
	name, isText := key.(lua.LString)
	if !ok || !isText || !Frozen(t) {
		return nil
	}
	if v := Unwrap(t).RawGetString(string(name)); v != lua.LNil {
		return v
	}
	return nil
}

func (f *folding) isTarget(pc int) bool {
	if f.targets == nil {
		f.targets = jumpTargets(f.fn)
	}
	return f.targets[pc]
}

// jumpTargets returns the places in fn that are reached otherwise than from the
// instruction before.
func jumpTargets(fn *lua.FunctionProto) map[int]bool {
	const bias = 0x1ffff
	targets := map[int]bool{}
	for pc := 0; pc < len(fn.Code); pc++ {
		inst := fn.Code[pc]
		switch int(inst >> opcodeShift) {
		case lua.OP_JMP, lua.OP_FORLOOP, lua.OP_FORPREP:
			targets[pc+1+int(inst&bxMask)-bias] = true
		case lua.OP_EQ, lua.OP_LT, lua.OP_LE, lua.OP_TEST, lua.OP_TESTSET, lua.OP_TFORLOOP, lua.OP_LOADBOOL:
			targets[pc+2] = true // it may leave the next one out
		}
		pc += dataWords(fn, inst)
	}
	return targets
}
