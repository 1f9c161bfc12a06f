// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// explain gives the errors of the virtual machine the texts they have in Lua 5.1,
// with the name of the value that was at fault: gopher-lua says `attempt to index
// a non-table object(nil) with key 'x'` for `attempt to index local 't' (a nil
// value)`. It is called for everything that is raised, with the stack intact;
// those that a Go function raises, error among them, are none of the machine.
func explain(L *lua.LState, fault lua.LValue) lua.LValue {
	text, ok := fault.(lua.LString)
	if !ok {
		return fault
	}
	s := string(text)
	if strings.HasPrefix(s, engineSource+":") {
		// A Go function that pcall or a coroutine called directly: what called it
		// is the engine, which is no position.
		if _, message, ok := strings.Cut(s[len(engineSource):], ": "); ok {
			s = message
			fault = lua.LString(s)
		}
	}
	fn, pc := vm.running(L)
	if fn == nil || pc < 0 || pc >= len(fn.Proto.Code) {
		return fault
	}
	for _, m := range machineErrors {
		if i := strings.Index(s, m.text); i >= 0 {
			f := faultAt{L: L, fn: fn, pc: pc, inst: fn.Proto.Code[pc]}
			if better := m.explain(f, s[i+len(m.text):]); better != "" {
				return lua.LString(s[:i] + better)
			}
			return fault
		}
	}
	return fault
}

// machineErrors are the texts that are replaced. explain gets what follows the
// text and returns "" to keep it.
var machineErrors = []struct {
	text    string
	explain func(f faultAt, rest string) string
}{
	{"attempt to call a non-function object", func(f faultAt, _ string) string {
		return f.about("call", f.a())
	}},
	{"attempt to index a non-table object(", func(f faultAt, rest string) string {
		found, key, _ := strings.Cut(rest, ") with key ")
		return f.index(found, key)
	}},
	{"cannot perform concat operation between ", func(f faultAt, rest string) string {
		return f.concat()
	}},
	{"cannot perform ", func(f faultAt, rest string) string {
		if isNumber(f.rk(f.b())) {
			return f.about("perform arithmetic on", f.c())
		}
		return f.about("perform arithmetic on", f.b())
	}},
	{"__unm undefined", func(f faultAt, _ string) string {
		return f.about("perform arithmetic on", f.b())
	}},
	{"__len undefined", func(f faultAt, _ string) string {
		return f.about("get length of", f.b())
	}},
	{"attempt to compare ", func(f faultAt, rest string) string {
		a, b, _ := strings.Cut(rest, " with ")
		if a == b {
			return "attempt to compare two " + a + " values"
		}
		return ""
	}},
}

// faultAt is the instruction that failed.
type faultAt struct {
	L    *lua.LState
	fn   *lua.LFunction
	pc   int
	inst uint32
}

func (f faultAt) a() int { return operandA(f.inst) }
func (f faultAt) b() int { return operandB(f.inst) }
func (f faultAt) c() int { return operandC(f.inst) }

func operandA(inst uint32) int { return int(inst>>registerShift) & registerMask }
func operandB(inst uint32) int { return int(inst & 0x1ff) }
func operandC(inst uint32) int { return int(inst>>9) & 0x1ff }

// firstConstant is the operand from which on operands are constants.
const firstConstant = 256

// rk returns the value of a register or constant operand.
func (f faultAt) rk(operand int) lua.LValue {
	if operand < firstConstant {
		return f.L.Get(operand + 1)
	}
	return f.fn.Proto.Constants[operand-firstConstant]
}

// about says what could not be done to an operand.
func (f faultAt) about(verb string, operand int) string {
	found := typeName(f.rk(operand))
	if operand < firstConstant {
		if kind, name := f.name(operand, f.pc); name != "" {
			return "attempt to " + verb + " " + kind + " '" + name + "' (a " + found + " value)"
		}
	}
	return "attempt to " + verb + " a " + found + " value"
}

// index explains a failed index. found is the type of what was indexed: it is not
// the operand when a metatable led there.
func (f faultAt) index(found, key string) string {
	operand := f.b()
	switch int(f.inst >> opcodeShift) {
	case lua.OP_GETTABLE, lua.OP_GETTABLEKS, lua.OP_SELF:
	case lua.OP_SETTABLE, lua.OP_SETTABLEKS:
		operand = f.a()
	default:
		return "attempt to index a " + found + " value"
	}
	text := "attempt to index a " + found + " value"
	if v := f.rk(operand); v.Type().String() == found {
		text = f.about("index", operand)
	}
	if strings.HasSuffix(text, "a "+found+" value") && key != "" {
		text += " with key " + key // all there is to find the place by
	}
	return text
}

// concat explains a failed concatenation of registers B to C, which happens from
// the right.
func (f faultAt) concat() string {
	joins := func(v lua.LValue) bool { return v.Type() == lua.LTString || v.Type() == lua.LTNumber }
	for r := f.c() - 1; r >= f.b(); r-- {
		if !joins(f.rk(r)) {
			return f.about("concatenate", r)
		}
		if r == f.c()-1 && !joins(f.rk(f.c())) {
			return f.about("concatenate", f.c())
		}
	}
	return ""
}

func isNumber(v lua.LValue) bool {
	switch v := v.(type) {
	case lua.LNumber:
		return true
	case lua.LString:
		return parseNumber(string(v)) != lua.LNil
	}
	return false
}

// name returns what the program calls the value in a register: the kind of name
// and the name, which is "" when the value has none.
func (f faultAt) name(register, pc int) (kind, name string) {
	if name := f.local(register, pc); name != "" && name[0] != '(' { // the front end has locals of its own
		return "local", name
	}
	at := f.setter(register, pc)
	if at < 0 {
		return "", ""
	}
	p := f.fn.Proto
	inst := p.Code[at]
	switch int(inst >> opcodeShift) {
	case lua.OP_MOVE, lua.OP_MOVEN:
		if b := operandB(inst); b < operandA(inst) {
			return f.name(b, at)
		}
	case lua.OP_GETGLOBAL:
		kind, name = "global", constantName(p, int(inst&0x3ffff))
	case lua.OP_LOADK:
		return From(f.L).Program().named(p.Constants[inst&bxMask])
	case lua.OP_GETTABLE, lua.OP_GETTABLEKS:
		kind, name = "field", constantName(p, operandC(inst)-firstConstant)
	case lua.OP_SELF:
		kind, name = "method", constantName(p, operandC(inst)-firstConstant)
	case lua.OP_GETUPVAL:
		if b := operandB(inst); b < len(p.DbgUpvalues) {
			kind, name = "upvalue", p.DbgUpvalues[b]
		}
	}
	return kind, name
}

func constantName(p *lua.FunctionProto, i int) string {
	if i < 0 || i >= len(p.Constants) {
		return ""
	}
	s, _ := p.Constants[i].(lua.LString)
	if strings.HasPrefix(string(s), "\x00") {
		return "" // an operator
	}
	return string(s)
}

// local returns the name of the local variable a register holds.
func (f faultAt) local(register, pc int) string {
	for _, l := range f.fn.Proto.DbgLocals {
		if l.StartPc <= pc && pc <= l.EndPc {
			if register == 0 {
				return l.Name
			}
			register--
		}
	}
	return ""
}

// setter returns the instruction that gave a register the value it has at last,
// -1 when that depends on the way there. This is the walk of Lua 5.2's
// findsetreg: the last instruction that sets the register counts, unless a jump
// may lead around it.
func (f faultAt) setter(register, last int) int {
	code := f.fn.Proto.Code
	set, target := -1, 0
	for pc := 0; pc < last; pc++ {
		inst := code[pc]
		a, b := operandA(inst), operandB(inst)
		at, changes := pc, false
		switch int(inst >> opcodeShift) {
		case lua.OP_SETGLOBAL, lua.OP_SETUPVAL, lua.OP_SETTABLE, lua.OP_SETTABLEKS, lua.OP_EQ, lua.OP_LT, lua.OP_LE,
			lua.OP_TEST, lua.OP_RETURN, lua.OP_CLOSE, lua.OP_NOP:
		case lua.OP_SETLIST:
			if operandC(inst) == 0 {
				pc++
			}
		case lua.OP_JMP:
			const bias = 0x1ffff
			if to := pc + 1 + int(inst&0x3ffff) - bias; to > pc && to <= last {
				target = max(target, to)
			}
		case lua.OP_LOADNIL:
			changes = a <= register && register <= b
		case lua.OP_CALL, lua.OP_TAILCALL, lua.OP_VARARG:
			changes = register >= a
		case lua.OP_TFORLOOP:
			changes = register >= a+2
		case lua.OP_FORLOOP, lua.OP_FORPREP:
			changes = a <= register && register <= a+3
		case lua.OP_SELF:
			changes = register == a || register == a+1
		case lua.OP_CLOSURE:
			changes = register == a
			pc += len(f.fn.Proto.FunctionPrototypes[inst&0x3ffff].DbgUpvalues)
		default:
			changes = register == a
		}
		if changes {
			set = at
			if at < target {
				set = -1
			}
		}
	}
	return set
}
