// SPDX-License-Identifier: Apache-2.0

package engine

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/internal/nearest"
)

// Instance is one Lua state of a program: its globals, its libraries and what its
// chunk returned. Function pools keep instances and run one call after the other
// on each; module-level locals live as long as the instance does. An instance
// runs one process at a time.
type Instance struct {
	program *Program
	env     *lua.LTable
	value   lua.LValue // what the chunk returned; nil before it ran
	user    *Process   // who runs on it
	closed  bool
}

// NewInstance makes a state of the program. The libraries and the program's chunk
// are executed when the first process starts on it.
func (e *Engine) NewInstance(prog *Program) *Instance {
	env := newTable(0, 0)
	env.Metatable = prog.env
	return &Instance{program: prog, env: env}
}

// Program returns the program the instance runs.
func (i *Instance) Program() *Program { return i.program }

// Close makes the instance unusable. A process that runs on it is not affected.
func (i *Instance) Close() { i.closed = true }

// method prepares p to run on the instance and returns what to call.
func (i *Instance) method(p *Process, name string) (lua.LValue, error) {
	switch {
	case i.closed:
		return nil, NewError(KindInvalidState, "engine: instance is closed")
	case i.user != nil:
		return nil, NewError(KindInvalidState, "engine: instance is in use")
	}
	i.user = p
	if i.value == nil {
		if err := i.load(p); err != nil {
			return nil, err
		}
	}
	if name == "" {
		name = i.program.method
	}
	value := i.value
	if p.ownInst {
		i.value = nil
	}
	switch v := value.(type) {
	case *lua.LFunction:
		return v, nil
	case *lua.LTable:
		if fn, ok := Unwrap(v).RawGetString(name).(*lua.LFunction); ok {
			return fn, nil
		}
	}
	return nil, NewError(KindNotFound, `method "`+name+`" not found in module`+similar(value, name))
}

// similar names the function of a module that was probably meant by name.
func similar(module lua.LValue, name string) string {
	t, ok := module.(*lua.LTable)
	if !ok {
		return ""
	}
	best, least := "", 3
	Unwrap(t).ForEach(func(k, v lua.LValue) {
		key, text := k.(lua.LString)
		if _, fn := v.(*lua.LFunction); !fn || !text {
			return
		}
		d := nearest.Distance(name, string(key))
		if d < least && d < len(key) || d == least && best != "" && string(key) < best {
			best, least = string(key), d
		}
	})
	if best == "" {
		return ""
	}
	return ` (did you mean "` + best + `"?)`
}

// leave ends p's use of the instance.
func (i *Instance) leave(p *Process) {
	if i.user == p {
		i.user = nil
	}
}

// load executes the libraries, deepest first, and then the program's own chunk.
func (i *Instance) load(p *Process) error {
	for _, l := range i.program.libs {
		v, err := i.execute(p, l.program)
		if err != nil {
			return p.scriptError("failed to load dependency "+l.program.id+": ", err)
		}
		if v != lua.LNil {
			setGlobal(i.env, lua.LString(l.alias), v)
		}
	}
	v, err := i.execute(p, i.program)
	if err != nil {
		return p.scriptError("failed to execute script: ", err)
	}
	i.value = v
	return nil
}

// execute runs one chunk to its end and returns its first result.
func (i *Instance) execute(p *Process, prog *Program) (lua.LValue, error) {
	code := prog.proto.fn
	if i.program.folds {
		code = prog.code
	}
	chunk := &lua.LFunction{Env: i.env, Proto: code, Upvalues: prog.upvalues}
	out := p.callSync(&p.main, "the program is loaded", chunk, nil)
	p.main.visible = false
	switch {
	case p.stop != nil:
		return nil, p.stop
	case out.fault != nil:
		return nil, p.failure(out.fault)
	case len(out.values) == 0:
		return lua.LNil, nil
	}
	return out.values[0], nil
}

// scriptError says which script failed; what stops the process passes as it is.
func (p *Process) scriptError(prefix string, err error) error {
	if p.stop != nil {
		return p.stop
	}
	e := *WrapError(err)
	e.kind, e.message, e.cause = KindInternal, prefix+e.message, err
	return &e
}
