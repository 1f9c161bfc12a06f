// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"time"

	lua "github.com/yuin/gopher-lua"
)

// A coroutine is a stack of gopher-lua threads that the engine owns. The top one
// runs; each thread below is suspended in a call that the engine makes on its
// behalf: a protected call, or the continuation of a call stack that was full.
// Because no Go function waits for any of them, a command yielded at any depth
// reaches the engine directly, and pcall is no barrier for it.
//
// Everything in it belongs to the process's step: no locks.
type coroutine struct {
	p       *Process
	th      *lua.LState // the top thread; nil once dead
	frames  []frame     // the threads below, bottom first
	resumer *coroutine  // who resumed it by hand; nil for a scheduled one
	next    *coroutine  // run queue
	more    []lua.LValue
	few     [2]lua.LValue // the values th is resumed with: few[:nfew], then more
	wait    waiter        // what it waits for on a channel
	pick    *selection    // … or on several
	sight   *sight        // of where it last waited
	tick    uint32        // instructions executed
	relax   uint16        // deep.go: depth up to which calls are not watched
	watched uint16        // deep.go: instructions watched
	nret    int16         // results the suspended call of th must leave
	hand    uint8         // how many coroutines resumed each other to get here
	nfew    uint8
	state   coState
	begin   bool  // th has not started: few[1] is its function
	raise   bool  // th is resumed by raising few[0]
	tail    bool  // the suspended call was the last act of th: its results are th's
	visible bool  // a program holds th as a thread value
	wrapped bool  // made by coroutine.wrap
	sched   bool  // run by the process: main or spawned
	sync    bool  // run to its next yield inside a Go call
	brief   bool  // its thread will not last
	looks   uint8 // see sightAfter
}

type coState uint8

const (
	coSuspended coState = iota // created, or yielded by hand
	coReady                    // in the run queue
	coRunning
	coNormal  // resumed another one
	coWaiting // for a command or a channel
	coDead
)

// frame is a suspended thread and what it waits for.
type frame struct {
	th      *lua.LState
	kind    frameKind
	tail    bool
	nret    int16
	handler lua.LValue
}

type frameKind uint8

const (
	framePlain     frameKind = iota // results and errors go through
	frameProtected                  // pcall
	frameHandler                    // xpcall: an error goes to the handler
	frameHandling                   // xpcall: the handler runs
)

// pollMask decides how often a running thread looks up from its work: every 32
// instructions. That is often enough to notice a call stack filling up, which
// takes at least one instruction per frame, and costs a third of a nanosecond
// per instruction, next to the fixed price of an interruptible loop
// (BenchmarkInterruptible). cancelMask is how often it looks whether the
// process was terminated.
const (
	pollMask   = 31
	cancelMask = 1023
)

// coroutine is the context.Context of its threads. gopher-lua asks Done before
// every instruction, which makes it the place to interrupt a program from, and
// Context is the cheapest way from a thread to its process.

// Deadline is part of context.Context.
func (c *coroutine) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done returns nil, except when the thread must raise an error now.
func (c *coroutine) Done() <-chan struct{} {
	c.tick++
	if c.tick&pollMask != 0 {
		return nil
	}
	return c.poll()
}

// Err returns why Done was closed.
func (c *coroutine) Err() error {
	if err := c.p.stop; err != nil {
		return err
	}
	return errOverflow
}

// Value is part of context.Context.
func (c *coroutine) Value(any) any { return nil }

var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// poll is the slow part of Done. It runs on the first instruction of a thread and
// on the first one after a resume that raises an error.
func (c *coroutine) poll() <-chan struct{} {
	p := c.p
	c.th.Panic = raised
	if c.raise {
		return closed
	}
	if epoch := p.engine.pressure.epoch.Load(); epoch != p.pressed {
		p.checkMemory(epoch)
		if p.failed() {
			return closed
		}
	}
	if c.tick&cancelMask == 0 {
		if p.stopping() {
			return closed
		}
	}
	if depth := vm.depth(c.th); depth >= deepCall {
		return c.pollDeep(depth)
	}
	return nil
}

// pollNext makes the next instruction poll.
func (c *coroutine) pollNext() { c.tick |= pollMask }

// raised is the Panic function of every thread: each Lua error comes by with its
// stack still intact.
func raised(L *lua.LState) {
	obj := L.Get(-1)
	if c, ok := L.Context().(*coroutine); ok {
		if c.raise {
			obj = c.takeFault()
		} else {
			obj = explain(L, obj)
		}
		if !c.protected() {
			c.p.noteTrace(c, L, obj)
		}
	}
	panic(&lua.ApiError{Type: lua.ApiErrorRun, Object: obj})
}

// protected reports whether somebody will catch an error raised now.
func (c *coroutine) protected() bool {
	for {
		for i := range c.frames {
			if k := c.frames[i].kind; k == frameProtected || k == frameHandler {
				return true
			}
		}
		if c.resumer == nil {
			return c.sync && c != &c.p.main
		}
		if !c.wrapped {
			return true
		}
		c = c.resumer
	}
}

// give sets the values the coroutine is resumed with. The slice is kept.
func (c *coroutine) give(values []lua.LValue) {
	c.nfew, c.more = 0, values
}

// give1 and give2 do the same without a slice.
func (c *coroutine) give1(a lua.LValue) {
	c.few[0], c.nfew, c.more = a, 1, nil
}

func (c *coroutine) give2(a, b lua.LValue) {
	c.few[0], c.few[1], c.nfew, c.more = a, b, 2, nil
}

// prepend puts a value before those set by give.
func (c *coroutine) prepend(v lua.LValue, values []lua.LValue) {
	c.few[0], c.nfew, c.more = v, 1, values
}

// take moves the values out.
func (c *coroutine) take(into []lua.LValue) []lua.LValue {
	into = append(into, c.few[:c.nfew]...)
	into = append(into, c.more...)
	c.few[0], c.nfew, c.more = nil, 0, nil
	if !c.begin {
		c.few[1] = nil
	}
	return into
}

// raiseIn makes the coroutine go on by raising an error.
func (c *coroutine) raiseIn(fault lua.LValue) {
	c.raise, c.few, c.nfew, c.more = true, [2]lua.LValue{fault}, 0, nil
}

func (c *coroutine) takeFault() lua.LValue {
	fault := c.few[0]
	c.raise, c.few[0] = false, nil
	return fault
}

// start makes fn what a fresh thread of the coroutine will run.
func (c *coroutine) start(fn lua.LValue) {
	c.th = c.p.newThread(c, fn, len(c.frames) == 0 && !c.brief)
	c.begin, c.few[1] = true, fn
	c.tail = false
}

// root returns the thread that stands for the coroutine in Lua.
func (c *coroutine) root() *lua.LState {
	c.visible = true
	if len(c.frames) > 0 {
		return c.frames[0].th
	}
	return c.th
}

// drop gives up the threads of a coroutine that will not run again.
func (c *coroutine) drop() {
	if c.th != nil {
		c.p.endThread(c.th, false)
	}
	for _, f := range c.frames {
		c.p.endThread(f.th, false)
	}
	c.frames, c.th, c.more = nil, nil, nil
	c.few = [2]lua.LValue{}
	c.state = coDead
}

// coroutineOf returns the coroutine a thread belongs to.
func coroutineOf(L *lua.LState) *coroutine {
	c, ok := L.Context().(*coroutine)
	if !ok {
		L.RaiseError("engine: this function runs only inside a process")
	}
	return c
}

// running returns the coroutine that runs L, for functions that may suspend it.
func running(L *lua.LState) (*coroutine, *Process) {
	c := coroutineOf(L)
	return c, c.p
}
