// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"sync"

	lua "github.com/yuin/gopher-lua"
)

// Threads are made with a registry that fits the function they will run, because
// an idle process pays for it all its life, and kept for reuse by that size. A
// process that sleeps has a thread of its own size; what ends soon, protected calls
// and the loading of programs, takes any.
//
// registrySizes are the sizes. headroom is what a function needs beyond its own
// registers to call Go functions; a call of a Lua function may make the registry
// grow, by registryStep more than it asks for.
var registrySizes = [...]int{12, 16, 20, 24, 32, 48, 64}

const (
	headroom     = 5
	registryStep = 16
	// keptRegistry is the largest registry a thread may have grown to and be
	// used again.
	keptRegistry = 256
)

// threads is the supply of threads of an engine.
type threads struct {
	sizes [len(registrySizes)]struct {
		template *lua.LState // never runs; threads are made from it
		free     sync.Pool   // *lua.LState, finished, clean and of this size
	}
	grown sync.Pool // *lua.LState, finished and clean, of any size
}

// init makes the templates. NewState would raise a small registry to the default
// of 80 KB, so the sizes are set afterwards: the templates themselves never run.
func (t *threads) init(c config, env *lua.LTable, strings *lua.LTable) {
	first := lua.NewState(lua.Options{SkipOpenLibs: true, RegistrySize: 128, CallStackSize: 8, MinimizeStackMemory: true})
	first.SetMetatable(lua.LString(""), strings)
	first.Env = env
	first.G.Global = env
	first.Options.CallStackSize = stackFrames
	first.Options.RegistryGrowStep = registryStep
	first.Options.RegistryMaxSize = c.maxRegister
	for i, size := range registrySizes {
		first.Options.RegistrySize = size
		th, _ := first.NewThread()
		t.sizes[i].template = th
	}
}

// newThread returns a thread for c to run fn on. A lasting one fits fn.
func (p *Process) newThread(c *coroutine, fn lua.LValue, lasting bool) *lua.LState {
	t := &p.engine.threads
	var th *lua.LState
	if !lasting {
		th, _ = t.grown.Get().(*lua.LState)
	}
	if th == nil {
		size := &t.sizes[sizeClass(fn)]
		if th, _ = size.free.Get().(*lua.LState); th == nil {
			th, _ = size.template.NewThread()
		}
	}
	th.Env = p.inst.env
	th.SetContext(c)
	return th
}

func sizeClass(fn lua.LValue) int {
	need := headroom
	if f, ok := fn.(*lua.LFunction); ok && !f.IsG {
		need += int(f.Proto.NumUsedRegisters)
	}
	for i, size := range registrySizes {
		if size >= need {
			return i
		}
	}
	return len(registrySizes) - 1
}

// endThread gives a thread back. It is used again when it ended cleanly and no
// program holds it.
func (p *Process) endThread(th *lua.LState, clean bool) {
	if th == nil || th.IsClosed() {
		return
	}
	size, ok := 0, false
	if clean {
		size, ok = vm.reusable(th)
	}
	if !ok || size > keptRegistry {
		th.Close()
		return
	}
	t := &p.engine.threads
	th.SetTop(0)
	th.RemoveContext()
	th.Dead = false
	th.Env, th.G = t.sizes[0].template.Env, t.sizes[0].template.G
	for i, s := range registrySizes {
		if s == size {
			t.sizes[i].free.Put(th)
			return
		}
	}
	t.grown.Put(th)
}
