// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// maxTrace bounds the frames kept of a stack: those next to the error and those
// next to the main function matter, a recursion in between does not.
const maxTrace = 24

// maxWalk bounds the frames looked at.
const maxWalk = 1000

// engineSource is the source of Lua code that belongs to the engine; its frames
// are left out of traces.
const engineSource = "=[engine]"

// noteTrace remembers the stack of an error that nobody will catch, raised in L.
func (p *Process) noteTrace(c *coroutine, L *lua.LState, fault lua.LValue) {
	r := p.more()
	if r.traced == fault && len(r.trace) > 0 {
		// Raised again on its way out of an inner coroutine.
		return
	}
	r.traced, r.trace, r.advice = fault, c.trace(), advise(L, fault)
}

// trace returns the Lua stack of c, across all its threads and those that resumed
// it.
func (c *coroutine) trace() []StackFrame {
	var frames []StackFrame
	for ; c != nil; c = c.resumer {
		frames = threadTrace(frames, c.th)
		for i := len(c.frames) - 1; i >= 0; i-- {
			frames = threadTrace(frames, c.frames[i].th)
		}
	}
	if len(frames) > maxTrace {
		kept := append([]StackFrame(nil), frames[:maxTrace/2]...)
		kept = append(kept, StackFrame{Source: "..."})
		frames = append(kept, frames[len(frames)-maxTrace/2:]...)
	}
	return frames
}

// maxPlaces bounds the frames of an error that a module returned: many are looked at by the
// program only to see that there is nothing under a key, so that they must cost little.
const maxPlaces = 6

// places returns the Lua code that c runs, innermost first, without the names of functions.
func (c *coroutine) places() []StackFrame {
	frames := make([]StackFrame, 0, maxPlaces)
	add := func(source string, line int) bool {
		if source != engineSource {
			frames = append(frames, StackFrame{Source: source, Line: line, What: "Lua"})
		}
		return len(frames) < maxPlaces
	}
	for ; c != nil && len(frames) < maxPlaces; c = c.resumer {
		if c.th != nil && !c.th.IsClosed() {
			vm.places(c.th, add)
		}
		for i := len(c.frames) - 1; i >= 0 && len(frames) < maxPlaces; i-- {
			if th := c.frames[i].th; th != nil && !th.IsClosed() {
				vm.places(th, add)
			}
		}
	}
	return frames
}

func threadTrace(frames []StackFrame, th *lua.LState) []StackFrame {
	if th == nil || th.IsClosed() {
		return frames
	}
	vm.walk(th, func(c call) bool {
		if c.source == engineSource {
			return true
		}
		f := StackFrame{Source: c.source, Line: c.line, Name: c.name, What: "Lua"}
		switch {
		case c.goes:
			f.Source, f.What = "[Go]", "Go"
		case c.defined == 0:
			f.What, f.Name = "main", ""
		case f.Name == "":
			f.Name = "<" + c.source + ":" + strconv.Itoa(c.defined) + ">"
		}
		frames = append(frames, f)
		return len(frames) < maxWalk
	})
	return frames
}

func writeTraceback(b *strings.Builder, frames []StackFrame) {
	b.WriteString("stack traceback:")
	for _, f := range frames {
		b.WriteString("\n\t")
		b.WriteString(f.Source)
		if f.Line > 0 {
			b.WriteByte(':')
			b.WriteString(strconv.Itoa(f.Line))
		}
		switch {
		case f.What == "main":
			b.WriteString(": in main chunk")
		case strings.HasPrefix(f.Name, "<"):
			b.WriteString(": in function ")
			b.WriteString(f.Name)
		case f.Name != "":
			b.WriteString(": in function '")
			b.WriteString(f.Name)
			b.WriteByte('\'')
		}
	}
}

// Where returns the position of the Lua code that called the running Go function,
// "ns:name:line", "" when there is none.
func (p *Process) Where(L *lua.LState) string {
	for c, _ := L.Context().(*coroutine); c != nil; c = c.resumer {
		if at := firstLua(L); at != "" {
			return at
		}
		for i := len(c.frames) - 1; i >= 0; i-- {
			if at := firstLua(c.frames[i].th); at != "" {
				return at
			}
		}
		if c.resumer != nil {
			L = c.resumer.th
		}
	}
	return ""
}

func firstLua(th *lua.LState) (at string) {
	vm.walk(th, func(c call) bool {
		if c.goes || c.source == engineSource {
			return true
		}
		at = c.source + ":" + strconv.Itoa(c.line)
		return false
	})
	return at
}

// position returns the place of the function at a level above the running Go
// function, 1 being its caller, "" when that is not a Lua function.
func position(L *lua.LState, level int) (at string) {
	c, _ := L.Context().(*coroutine)
	find := func(th *lua.LState) bool {
		running := th == L
		vm.walk(th, func(c call) bool {
			if running || c.source == engineSource {
				running = false
				return true
			}
			if level--; level == 0 && !c.goes {
				at = c.source + ":" + strconv.Itoa(c.line)
			}
			return level > 0
		})
		return level <= 0
	}
	if find(L) || c == nil {
		return at
	}
	for i := len(c.frames) - 1; i >= 0; i-- {
		if c.frames[i].kind != framePlain {
			// pcall itself
			if level--; level == 0 {
				return ""
			}
		}
		if find(c.frames[i].th) {
			return at
		}
	}
	return at
}

// callName returns the name the running Go function was called by.
func callName(L *lua.LState) (name string) {
	name = "?"
	vm.walk(L, func(c call) bool {
		if c.name != "" {
			name = c.name
		}
		return false
	})
	return name
}
