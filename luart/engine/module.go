// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"runtime/debug"

	lua "github.com/yuin/gopher-lua"
)

// Module is a library for Lua programs, written in Go. Its value is built once
// per engine and shared, read-only, by all processes: what belongs to a process
// is kept in the process (see Process.Local), never in the module.
type Module struct {
	// Name is the name programs list under modules and find as a global.
	Name string
	// Classes says what the module does: deterministic, io, network, …
	Classes []string
	// Global makes the module present in every program, listed or not.
	Global bool
	// Build adds the module's content.
	Build func(b *Builder) error
}

// Builder collects the content of a module, or of a table within one.
type Builder struct {
	engine   *Engine
	path     string
	table    *lua.LTable
	call     *lua.LFunction
	children []*Builder
	replaced lua.LValue
	view     *lua.LTable
}

// Engine returns the engine the module is built for.
func (b *Builder) Engine() *Engine { return b.engine }

// Func adds a function. A panic in fn becomes a Lua error that keeps the Go
// stack; it does not reach the worker.
func (b *Builder) Func(name string, fn lua.LGFunction) {
	b.table.RawSetString(name, b.Function(name, fn))
}

// Function makes a function value without adding it. name is for error reports.
func (b *Builder) Function(name string, fn lua.LGFunction) *lua.LFunction {
	return goFunction(contain(b.path+"."+name, fn))
}

// Value adds a constant. A table must not change any more.
func (b *Builder) Value(name string, v lua.LValue) {
	if t, ok := v.(*lua.LTable); ok {
		v = ReadOnly(t)
	}
	b.table.RawSetString(name, v)
}

// Table adds a table and returns the builder of its content. Asking for the same
// name again returns the same builder.
func (b *Builder) Table(name string) *Builder {
	for _, c := range b.children {
		if c.path == b.path+"."+name {
			return c
		}
	}
	c := &Builder{engine: b.engine, path: b.path + "." + name, table: newTable(0, 8)}
	c.view = makeReadOnly(newTable(0, 0), c.table, nil)
	b.table.RawSetString(name, c.view)
	b.children = append(b.children, c)
	return c
}

// Call makes the table itself callable. fn gets the table as its first argument.
func (b *Builder) Call(fn lua.LGFunction) {
	b.call = b.Function("__call", fn)
}

// Replace makes v the value of the module instead of a table.
func (b *Builder) Replace(v lua.LValue) { b.replaced = v }

// Type registers a class of userdata. methods are found on the values; meta holds
// metamethods such as "__tostring". A meta function "__index" replaces the lookup
// of methods. None of them may yield when it runs as a metamethod.
func (b *Builder) Type(name string, methods, meta map[string]lua.LGFunction) *Class {
	b.engine.classes[b.path+"."+name] = true
	return newClass(b.path+"."+name, methods, meta)
}

func (b *Builder) finish() lua.LValue {
	for _, c := range b.children {
		c.finish()
	}
	if b.replaced != nil {
		return b.replaced
	}
	if b.view == nil {
		b.view = makeReadOnly(newTable(0, 0), b.table, nil)
	}
	if b.call != nil {
		b.view.Metatable.(*lua.LTable).RawSetString("__call", b.call)
	}
	return b.view
}

// Class is a type of userdata: all values of it share one metatable.
type Class struct {
	name    string
	mt      *lua.LTable
	methods *lua.LTable
}

func newClass(name string, methods, meta map[string]lua.LGFunction) *Class {
	return fillClass(newTable(0, len(meta)+2), name, methods, meta)
}

// fillClass makes a class of an existing metatable. The engine's own classes use
// it: their methods make values of the class, for which the metatable must exist
// first.
func fillClass(mt *lua.LTable, name string, methods, meta map[string]lua.LGFunction) *Class {
	c := &Class{name: name, mt: mt, methods: newTable(0, max(len(methods), 1))}
	for m, fn := range methods {
		c.methods.RawSetString(m, goFunction(contain(name+":"+m, fn)))
	}
	c.mt.RawSetString("__index", c.methods)
	for m, fn := range meta {
		c.mt.RawSetString(m, goFunction(contain(name+"."+m, fn)))
	}
	c.mt.RawSetString("__metatable", lua.LString(name))
	return c
}

// trust adds methods that need not be contained, because they can fail with Lua errors only:
// for those that programs call all the time. It saves 15 ns of 60.
func (c *Class) trust(methods map[string]lua.LGFunction) *Class {
	for m, fn := range methods {
		c.methods.RawSetString(m, goFunction(fn))
	}
	return c
}

// Name returns the name of the class with its module: "time.Duration".
func (c *Class) Name() string { return c.name }

// New makes a value of the class. It costs one allocation and holds nothing of a
// process.
func (c *Class) New(v any) *lua.LUserData {
	return &lua.LUserData{Value: v, Metatable: c.mt}
}

// Is reports whether v is a value of the class.
func (c *Class) Is(v lua.LValue) bool {
	ud, ok := v.(*lua.LUserData)
	return ok && ud.Metatable == c.mt
}

// Check returns argument n when it is a userdata that holds a T, and else raises
// "bad argument #n to f (what expected, got …)".
func Check[T any](L *lua.LState, n int, what string) T {
	if ud, ok := L.Get(n).(*lua.LUserData); ok {
		if v, ok := ud.Value.(T); ok {
			return v
		}
	}
	L.ArgError(n, what+" expected, got "+L.Get(n).Type().String())
	panic("unreachable")
}

// contain wraps a Go function so that a panic in it becomes a Lua error. Lua
// errors, which gopher-lua raises as panics too, pass.
func contain(name string, fn lua.LGFunction) lua.LGFunction {
	return func(L *lua.LState) (n int) {
		returned := false
		defer func() {
			if !returned { // recover takes longer to learn that there is nothing
				if v := recover(); v != nil {
					rethrow(L, name, v)
				}
			}
		}()
		n = fn(L)
		returned = true
		return n
	}
}

func rethrow(L *lua.LState, name string, v any) {
	if err, ok := v.(*lua.ApiError); ok {
		panic(err)
	}
	if v == overflowPanic {
		L.RaiseError(msgOverflow)
	}
	L.Error(newErrorValue(panicError(name, v)), 1)
}

// overflowPanic is what gopher-lua panics with when a call stack is full.
const (
	overflowPanic = "lua callstack overflow"
	msgOverflow   = "stack overflow"
)

func panicError(where string, v any) *Error {
	e := &Error{
		kind:      KindInternal,
		message:   fmt.Sprintf("panic in %s: %v", where, v),
		retryable: no,
		goStack:   string(debug.Stack()),
	}
	if err, ok := v.(error); ok {
		e.cause = err
	}
	return e
}
