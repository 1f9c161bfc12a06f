// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"slices"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/internal/nearest"
)

// advise says what may help against a text that nobody will catch: the name that was probably meant, the module that is
// not listed, the local that is declared too late. It is "" when nothing comes to mind. The stack is intact.
func advise(L *lua.LState, raised lua.LValue) string {
	s, ok := raised.(lua.LString)
	if !ok {
		return ""
	}
	at, text, ok := strings.Cut(string(s), ": ")
	if !ok {
		return ""
	}
	switch {
	case strings.HasPrefix(text, "module '"):
		if name, _, ok := strings.Cut(text[len("module '"):], "' not found"); ok {
			return adviseRequire(From(L), at[:max(strings.LastIndexByte(at, ':'), 0)], name)
		}
	case strings.HasPrefix(text, "attempt to yield while "):
		return "a function that waits belongs inside a function: the code around them runs while the program is loaded"
	case strings.HasPrefix(text, "attempt to yield across "):
		return "a metamethod cannot wait: do it before or after"
	case strings.HasPrefix(text, "attempt to "):
		if about, _, ok := strings.Cut(text, " (a nil value)"); ok {
			return adviseNil(L, about)
		}
	}
	return ""
}

// adviseNil is about a name that stands for nothing.
func adviseNil(L *lua.LState, text string) string {
	parts := strings.Split(text, "'")
	fn, pc := vm.running(L)
	if len(parts) != 3 || fn == nil || pc < 0 || pc >= len(fn.Proto.Code) {
		return ""
	}
	f, name := faultAt{L: L, fn: fn, pc: pc, inst: fn.Proto.Code[pc]}, parts[1]
	switch {
	case strings.HasSuffix(parts[0], "global "):
		return f.adviseGlobal(name)
	case strings.HasSuffix(parts[0], "method "):
		return didYouMean(name, namesIn(f.L, f.rk(f.a()+1)))
	case parts[0] == "attempt to call field ":
		return didYouMean(name, namesIn(f.L, f.owner(f.a())))
	case parts[0] == "attempt to index field ":
		if op := int(f.inst >> opcodeShift); op == lua.OP_SETTABLE || op == lua.OP_SETTABLEKS {
			return didYouMean(name, namesIn(f.L, f.owner(f.a())))
		}
		return didYouMean(name, namesIn(f.L, f.owner(f.b())))
	}
	return ""
}

// adviseGlobal is about a name that is neither a local nor a global here.
func (f faultAt) adviseGlobal(name string) string {
	p := From(f.L)
	source := f.fn.Proto.SourceName
	if h := p.adviseAlias(source, name); h != "" {
		return h
	}
	declared := make(map[string]int)
	if root := p.Program().sourced(source); root != nil {
		locals(root, declared)
	}
	if line, ok := declared[name]; ok {
		used := 0
		if f.pc < len(f.fn.Proto.DbgSourcePositions) {
			used = f.fn.Proto.DbgSourcePositions[f.pc]
		}
		if line >= used {
			return "the local '" + name + "' is declared below, in line " + strconv.Itoa(line) + ": declare it before its first use"
		}
		return "the local '" + name + "' of line " + strconv.Itoa(line) + " is not visible here: its block has ended"
	}
	names := globalNames(p)
	for local := range declared {
		names = append(names, local)
	}
	return didYouMean(name, names)
}

// adviseRequire is about a name that require does not know in a source.
func adviseRequire(p *Process, source, name string) string {
	if h := p.adviseAlias(source, name); h != "" {
		return h
	}
	if h := didYouMean(name, globalNames(p)); h != "" {
		return h
	}
	if near, ok := nearest.Name(name, p.engine.Modules()); ok {
		return "did you mean '" + near + "'? Add it to the modules of " + source
	}
	return "add it to the imports of " + source + ", as " + name + ": namespace:entry"
}

// adviseAlias is about the name of a module that is not listed, or of a library that gives nothing.
func (p *Process) adviseAlias(source, name string) string {
	if _, ok := p.engine.Module(name); ok {
		return "add " + name + " to the modules of " + source
	}
	for _, l := range p.Program().libs {
		if l.alias == name {
			return "the library " + l.program.id + " returns nothing: end its source with return and what it offers"
		}
	}
	return ""
}

// sourced returns the code of a program or of one of its libraries.
func (p *Program) sourced(id string) *lua.FunctionProto {
	if p.id == id {
		return p.proto.fn
	}
	for _, l := range p.libs {
		if l.program.id == id {
			return l.program.proto.fn
		}
	}
	return nil
}

// locals collects the local variables of fn and of the functions in it, with the lines they are declared in.
func locals(fn *lua.FunctionProto, lines map[string]int) {
	for i, l := range fn.DbgLocals {
		if l.Name == "" || l.Name[0] == '(' {
			continue
		}
		// It begins behind what computes its value, but a local function, which knows itself, begins before that.
		at := max(l.StartPc-1, 0)
		if l.StartPc < len(fn.Code) {
			if next := fn.Code[l.StartPc]; int(next>>opcodeShift) == lua.OP_CLOSURE && operandA(next) == register(fn.DbgLocals, i) {
				at = l.StartPc
			}
		}
		if at < len(fn.DbgSourcePositions) {
			if have, ok := lines[l.Name]; !ok || have > fn.DbgSourcePositions[at] {
				lines[l.Name] = fn.DbgSourcePositions[at]
			}
		}
	}
	for _, inner := range fn.FunctionPrototypes {
		locals(inner, lines)
	}
}

// register returns which one a local variable is in.
func register(all []*lua.DbgLocalInfo, i int) int {
	n := 0
	for _, l := range all[:i] {
		if l.EndPc > all[i].StartPc {
			n++
		}
	}
	return n
}

// maxNames bounds the names that are compared with a wrong one.
const maxNames = 1000

// globalNames returns what a program can name without declaring it.
func globalNames(p *Process) []string {
	env := p.inst.env
	return slices.Concat(stringKeys(env, nil), stringKeys(globalsBase(env), nil))
}

// namesIn returns the names that indexing v finds.
func namesIn(L *lua.LState, v lua.LValue) []string {
	var names []string
	for range 8 { // a chain of classes
		var mt lua.LValue
		switch v := v.(type) {
		case nil:
			return names
		case *lua.LTable:
			names = stringKeys(Unwrap(v), names)
			mt = v.Metatable
		case *lua.LUserData:
			mt = v.Metatable
		default:
			mt = L.GetMetatable(v)
		}
		t, ok := mt.(*lua.LTable)
		if !ok {
			return names
		}
		v = t.RawGetString("__index")
	}
	return names
}

func stringKeys(t *lua.LTable, names []string) []string {
	if t == nil {
		return names
	}
	for k, _ := t.Next(lua.LNil); k != lua.LNil && len(names) < maxNames; k, _ = t.Next(k) {
		if s, ok := k.(lua.LString); ok && s != "" && s[0] != 0 && s[0] != '_' {
			names = append(names, string(s))
		}
	}
	return names
}

// owner returns the table that a register's value was looked up in without success, nil when it cannot be told.
func (f faultAt) owner(register int) lua.LValue {
	if register >= firstConstant {
		return nil
	}
	at := f.setter(register, f.pc)
	if at < 0 {
		return nil
	}
	switch inst := f.fn.Proto.Code[at]; int(inst >> opcodeShift) {
	case lua.OP_GETTABLE, lua.OP_GETTABLEKS:
		return f.value(operandB(inst), at, 0)
	}
	return nil
}

// value returns what a register held before the instruction at pc, nil when it cannot be told any more.
func (f faultAt) value(register, pc, depth int) lua.LValue {
	if depth > 8 {
		return nil
	}
	if name := f.local(register, pc); name != "" {
		return f.L.Get(register + 1)
	}
	at := f.setter(register, pc)
	if at < 0 {
		return nil
	}
	p := f.fn.Proto
	inst := p.Code[at]
	switch int(inst >> opcodeShift) {
	case lua.OP_MOVE, lua.OP_MOVEN:
		return f.value(operandB(inst), at, depth+1)
	case lua.OP_LOADK:
		return p.Constants[inst&bxMask]
	case lua.OP_GETGLOBAL:
		name, _ := p.Constants[inst&bxMask].(lua.LString)
		return find(f.L, f.fn.Env, string(name))
	case lua.OP_GETUPVAL:
		if b := operandB(inst); b < len(f.fn.Upvalues) {
			return f.fn.Upvalues[b].Value()
		}
	case lua.OP_GETTABLE, lua.OP_GETTABLEKS:
		if name := constantName(p, operandC(inst)-firstConstant); name != "" {
			return find(f.L, f.value(operandB(inst), at, depth+1), name)
		}
	}
	return nil
}

// find is indexing that calls nothing.
func find(L *lua.LState, v lua.LValue, name string) lua.LValue {
	for range 8 {
		t, ok := v.(*lua.LTable)
		if !ok {
			return nil
		}
		if found := Unwrap(t).RawGetString(name); found != lua.LNil {
			return found
		}
		mt, ok := t.Metatable.(*lua.LTable)
		if !ok {
			return nil
		}
		v = mt.RawGetString("__index")
	}
	return nil
}

func didYouMean(name string, names []string) string {
	if near, ok := nearest.Name(name, names); ok {
		return "did you mean '" + near + "'?"
	}
	return ""
}
