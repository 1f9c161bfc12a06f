// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"reflect"

	lua "github.com/yuin/gopher-lua"
)

// The engine must know three things about a running thread that gopher-lua keeps
// to itself: how deep its call stack is, how many results the current call is
// expected to give, and whether the current call was entered through a nested
// VM loop (a metamethod or a Go function calling back), in which a yield would
// corrupt the stack. All of them are read, never written, by reflection on the
// version of gopher-lua that go.mod pins. The field indexes are looked up once;
// a version with another layout fails at start, loudly, and not in the middle of
// a program.
//
// Reading costs about 8 ns for the depth and 15 ns plus 15 ns per frame for a
// call (BenchmarkInspect), and never allocates.
type layout struct {
	currentFrame, uvcache, reg        int // lua.LState
	array                             int // registry
	idx, fn, pc, parent, nret, tailed int // callFrame
	isG, proto                        int // lua.LFunction
	code, source, defined, lines      int // lua.FunctionProto
	calls                             int // lua.FunctionProto: names of called functions
	hash                              int // lua.LTable: the key index
}

var vm = readLayout()

func readLayout() layout {
	field := func(t reflect.Type, name string) int {
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		f, ok := t.FieldByName(name)
		if !ok {
			panic("engine: gopher-lua has no field " + t.String() + "." + name)
		}
		return f.Index[0]
	}
	state := reflect.TypeFor[lua.LState]()
	function := reflect.TypeFor[lua.LFunction]()
	var l layout
	l.currentFrame = field(state, "currentFrame")
	l.uvcache = field(state, "uvcache")
	l.reg = field(state, "reg")
	l.array = field(state.Field(l.reg).Type, "array")
	frame := state.Field(l.currentFrame).Type
	l.idx = field(frame, "Idx")
	l.fn = field(frame, "Fn")
	l.pc = field(frame, "Pc")
	l.parent = field(frame, "Parent")
	l.nret = field(frame, "NRet")
	l.tailed = field(frame, "TailCall")
	l.isG = field(function, "IsG")
	l.proto = field(function, "Proto")
	proto := reflect.TypeFor[lua.FunctionProto]()
	l.code = field(proto, "Code")
	l.source = field(proto, "SourceName")
	l.defined = field(proto, "LineDefined")
	l.lines = field(proto, "DbgSourcePositions")
	l.calls = field(proto, "DbgCalls")
	l.hash = field(reflect.TypeFor[lua.LTable](), "keys")
	return l
}

// frame returns the current call frame, invalid when there is none.
func (l *layout) frame(L *lua.LState) reflect.Value {
	return reflect.ValueOf(L).Elem().Field(l.currentFrame).Elem()
}

// depth returns the number of frames on the call stack of L.
func (l *layout) depth(L *lua.LState) int {
	f := l.frame(L)
	if !f.IsValid() {
		return 0
	}
	return int(f.Field(l.idx).Int()) + 1
}

// wanted returns the number of results the current call must leave, or
// lua.MultRet.
func (l *layout) wanted(L *lua.LState) int {
	return int(l.frame(L).Field(l.nret).Int())
}

// nested reports whether a frame between the current Go function and the
// bottom of the stack was entered by a VM loop of its own. That is the case when
// a Go function stands below another frame (it called back), or when a Lua
// function below was not at a call instruction (it ran a metamethod).
func (l *layout) nested(L *lua.LState) bool {
	for f := l.frame(L).Field(l.parent); !f.IsNil(); f = f.Elem().Field(l.parent) {
		if op := l.instruction(f.Elem()); op != lua.OP_CALL && op != lua.OP_TAILCALL {
			return true
		}
	}
	return false
}

// instruction returns the opcode that a frame executes, -1 for a Go function.
func (l *layout) instruction(frame reflect.Value) int {
	fn := frame.Field(l.fn).Elem()
	if fn.Field(l.isG).Bool() {
		return -1
	}
	pc := int(frame.Field(l.pc).Int())
	return int(fn.Field(l.proto).Elem().Field(l.code).Index(pc-1).Uint() >> opcodeShift)
}

// call describes one frame of a stack.
type call struct {
	goes    bool   // a Go function
	source  string // of a Lua function
	line    int    // being executed
	defined int    // where the function begins, 0 for a chunk
	name    string // it was called by, "" when unknown
}

// walk visits the frames of a thread, the running one first, until visit returns
// false. GetStack would do, but counts tail calls as frames of their own.
func (l *layout) walk(L *lua.LState, visit func(call) bool) {
	frame := l.frame(L)
	for frame.IsValid() {
		parent := frame.Field(l.parent).Elem()
		c := call{}
		fn := frame.Field(l.fn).Elem()
		c.goes = fn.Field(l.isG).Bool()
		if !c.goes {
			proto := fn.Field(l.proto).Elem()
			c.source = proto.Field(l.source).String()
			c.defined = int(proto.Field(l.defined).Int())
			c.line = lineAt(proto.Field(l.lines), int(frame.Field(l.pc).Int())-1)
		}
		if parent.IsValid() && frame.Field(l.tailed).Int() == 0 {
			c.name = l.calledName(parent)
		}
		if !visit(c) {
			return
		}
		frame = parent
	}
}

// places visits the Lua frames of a thread, the running one first, until visit returns false. It
// does not look for the names that functions are called by, which takes longer than all the rest.
func (l *layout) places(L *lua.LState, visit func(source string, line int) bool) {
	for frame := l.frame(L); frame.IsValid(); frame = frame.Field(l.parent).Elem() {
		fn := frame.Field(l.fn).Elem()
		if fn.Field(l.isG).Bool() {
			continue
		}
		proto := fn.Field(l.proto).Elem()
		if !visit(proto.Field(l.source).String(), lineAt(proto.Field(l.lines), int(frame.Field(l.pc).Int())-1)) {
			return
		}
	}
}

func lineAt(lines reflect.Value, pc int) int {
	if pc < 0 {
		pc = 0
	}
	if pc >= lines.Len() {
		return 0
	}
	return int(lines.Index(pc).Int())
}

// calledName returns the name a frame calls a function by.
func (l *layout) calledName(frame reflect.Value) string {
	fn := frame.Field(l.fn).Elem()
	if fn.Field(l.isG).Bool() {
		return ""
	}
	calls := fn.Field(l.proto).Elem().Field(l.calls)
	pc := frame.Field(l.pc).Int() - 1
	for i := range calls.Len() {
		if c := calls.Index(i); c.Field(1).Int() == pc {
			if name := c.Field(0).String(); name != "?" {
				return name
			}
			return ""
		}
	}
	return ""
}

// next returns the instruction the current Lua function is about to execute,
// false when the current function is not a Lua function.
func (l *layout) next(L *lua.LState) (uint32, bool) {
	frame := l.frame(L)
	fn := frame.Field(l.fn).Elem()
	if fn.Field(l.isG).Bool() {
		return 0, false
	}
	pc := int(frame.Field(l.pc).Int())
	return uint32(fn.Field(l.proto).Elem().Field(l.code).Index(pc - 1).Uint()), true
}

// running returns the current function and the place of the instruction it
// executes, nil when it is a Go function.
func (l *layout) running(L *lua.LState) (*lua.LFunction, int) {
	frame := l.frame(L)
	if !frame.IsValid() || frame.Field(l.fn).Elem().Field(l.isG).Bool() {
		return nil, 0
	}
	top, ok := L.GetStack(0)
	if !ok {
		return nil, 0
	}
	fn, err := L.GetInfo("f", top, lua.LNil)
	if err != nil {
		return nil, 0
	}
	f, _ := fn.(*lua.LFunction)
	return f, int(frame.Field(l.pc).Int()) - 1
}

// opcodeShift and registerShift are where an instruction keeps its opcode and
// its first operand.
const (
	opcodeShift   = 26
	registerShift = 18
	registerMask  = 0xff
)

// reusable reports whether a finished thread has nothing left in it that a new
// function could see, no frame and no open upvalue, and the size of its registry.
func (l *layout) reusable(L *lua.LState) (size int, ok bool) {
	s := reflect.ValueOf(L).Elem()
	if !s.Field(l.currentFrame).IsNil() || !s.Field(l.uvcache).IsNil() {
		return 0, false
	}
	return s.Field(l.reg).Elem().Field(l.array).Len(), true
}

// hashed reports whether a table has, or once had, keys outside its array part.
// This is what tells an empty object from an empty array.
func (l *layout) hashed(t *lua.LTable) bool {
	return !reflect.ValueOf(t).Elem().Field(l.hash).IsNil()
}

// keys counts the keys that a table has, or once had, outside its array part.
func (l *layout) keys(t *lua.LTable) int {
	return reflect.ValueOf(t).Elem().Field(l.hash).Len()
}
