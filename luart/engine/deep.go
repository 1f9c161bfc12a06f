// SPDX-License-Identifier: Apache-2.0

package engine

import (
	lua "github.com/yuin/gopher-lua"
)

// The call stack of a thread is small and its size is fixed when the thread is
// made. A recursion that fills it goes on in another thread: poll notices that the
// stack is deep and, when the next instruction is a call, puts a function of the
// engine in the place of the one to be called. That function suspends the thread
// and has the engine make the call on a fresh one. Programs do not notice; the
// limit is the engine's (WithStackDepth).
//
// deepCall is the depth from which calls are moved, deepNested the depth at which
// calls that cannot be moved, because a Go function waits for them, overflow.
// Between the two there must be room for pollMask frames. watchFor is how many
// instructions a deep function is watched before it is left alone until its depth
// has grown by deepStep: watching costs 60 ns per instruction.
const (
	deepCall   = 48
	deepStep   = 6
	deepNested = stackFrames - 4
	deepRelax  = deepNested - pollMask - 1
	watchFor   = 200
)

// pollDeep is poll on a deep stack, before an instruction.
func (c *coroutine) pollDeep(depth int) <-chan struct{} {
	switch {
	case depth >= deepNested, len(c.frames) >= c.p.maxFrames():
		return closed
	case depth < int(c.relax):
		return nil
	case c.watched >= watchFor:
		c.watched, c.relax = 0, uint16(min(depth+deepStep, deepRelax))
		return nil
	}
	c.watched++
	c.pollNext()
	inst, ok := vm.next(c.th)
	if !ok || int(inst>>opcodeShift) != lua.OP_CALL {
		return nil
	}
	c.watched, c.relax = 0, 0
	register := int(inst>>registerShift)&registerMask + 1
	fn := c.th.Get(register)
	if f, ok := fn.(*lua.LFunction); (ok && f.IsG) || vm.nested(c.th) {
		return nil
	} else if !ok && !callable(c.th, fn) {
		return nil // the error belongs to this place
	}
	c.p.driver.deep = fn
	c.th.Replace(register, continueFn)
	return nil
}

var continueFn = goFunction(continueCall)

// continueCall has the call that pollDeep diverted made on a fresh thread.
func continueCall(L *lua.LState) int {
	c, p := running(L)
	fn := p.driver.deep
	p.driver.deep = nil
	L.Insert(fn, 1)
	return suspend(L, c, request{kind: reqCall, frame: framePlain})
}
