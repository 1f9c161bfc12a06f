// SPDX-License-Identifier: Apache-2.0

package engine

import (
	lua "github.com/yuin/gopher-lua"
)

// buildCoroutine fills the global coroutine.
func buildCoroutine(b *Builder) {
	b.Func("create", func(L *lua.LState) int {
		L.Push(newCoroutine(L, L.CheckFunction(1)).root())
		return 1
	})
	b.Func("wrap", func(L *lua.LState) int {
		c := newCoroutine(L, L.CheckFunction(1))
		c.wrapped = true
		L.Push(goFunction(func(L *lua.LState) int { return resume(L, c) }))
		return 1
	})
	b.Func("resume", func(L *lua.LState) int {
		c := checkThread(L)
		L.Remove(1)
		return resume(L, c)
	})
	b.Func("yield", coroutineYield)
	b.Func("status", func(L *lua.LState) int {
		L.Push(lua.LString(checkThread(L).status()))
		return 1
	})
	b.Func("running", func(L *lua.LState) int {
		c, p := running(L)
		if c == &p.main && c.sync {
			L.Push(lua.LNil)
		} else {
			L.Push(c.root())
		}
		return 1
	})
	b.Func("spawn", func(L *lua.LState) int {
		_, p := running(L)
		if p.driver.out == nil {
			L.RaiseError("attempt to spawn a coroutine while %s", p.nestReason())
		}
		L.Push(p.spawn(L.CheckFunction(1)).root())
		return 1
	})
}

func newCoroutine(L *lua.LState, fn *lua.LFunction) *coroutine {
	c := &coroutine{p: From(L)}
	c.start(fn)
	return c
}

func checkThread(L *lua.LState) *coroutine {
	th := L.CheckThread(1)
	c, ok := th.Context().(*coroutine)
	if !ok {
		L.ArgError(1, "coroutine expected")
	}
	return c
}

func (c *coroutine) status() string {
	switch c.state {
	case coRunning:
		return "running"
	case coNormal:
		return "normal"
	case coDead:
		return "dead"
	}
	return "suspended"
}

// resume runs c by hand, with the arguments on the stack.
func resume(L *lua.LState, c *coroutine) int {
	self, p := running(L)
	refusal := ""
	switch {
	case c.state == coDead:
		refusal = "cannot resume dead coroutine"
	case c.state != coSuspended || c.sched:
		refusal = "cannot resume non-suspended coroutine"
	case self.hand >= maxHand:
		refusal = "C stack overflow"
	}
	if refusal != "" {
		if c.wrapped {
			L.RaiseError("%s", refusal)
		}
		L.Push(lua.LFalse)
		L.Push(lua.LString(refusal))
		return 2
	}
	c.hand = self.hand + 1
	if _, nested := self.place(L); !nested {
		return suspend(L, self, request{kind: reqResume, target: c})
	}
	args := make([]lua.LValue, L.GetTop())
	for i := range args {
		args[i] = L.Get(i + 1)
	}
	c.give(args)
	out := p.runSync(c, "")
	switch {
	case p.failed():
		L.RaiseError("%s", p.stop.Error())
	case out.fault != nil && c.wrapped:
		L.Error(out.fault, 0)
	case out.fault != nil:
		L.Push(lua.LFalse)
		L.Push(out.fault)
		return 2
	}
	L.SetTop(0)
	if !c.wrapped {
		L.Push(lua.LTrue)
	}
	for _, v := range out.values {
		L.Push(v)
	}
	return L.GetTop()
}

// maxHand bounds how many coroutines may have resumed each other.
const maxHand = 200

func coroutineYield(L *lua.LState) int {
	c, p := running(L)
	if c == &p.main && c.sync {
		L.RaiseError("attempt to yield while %s", p.nestReason())
	}
	if c.sched && p.nest == 0 && c.resumer == nil {
		L.SetTop(0)
	}
	return suspend(L, c, request{kind: reqYield})
}
