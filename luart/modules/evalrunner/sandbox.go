// SPDX-License-Identifier: Apache-2.0

package evalrunner

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/payload"
)

// sandbox is the engine that evaluations run on. It has the modules of the main engine, but none of them is a global
// of every program, and some of its own. The names of those begin with a zero byte, which pairs does not show; what
// they do is of no use to a program that finds them.
type sandbox struct {
	engine  *engine.Engine
	catalog catalog
	values  map[string]lua.LValue // of the modules
}

// The names of what the sandbox adds.
const (
	finishName = "\x00finish"
	pickName   = "\x00pick"
	customName = "\x00custom"
	grantName  = "\x00grant"
	chunkName  = "\x00chunk"
)

// evalID is the id of evaluated source, in the positions of errors, harnessID that of what calls it.
const (
	evalID    = "eval"
	harnessID = "eval_runner"
)

// harness calls what the source returned. finish counts the results, which the outcome of a process does not tell.
const harness = `local pick, finish, chunk = require("\0pick"), require("\0finish"), rawget(_G, "\0chunk")
rawset(_G, "\0chunk", nil)
return { main = function(...) return finish(pick(chunk)(...)) end }`

// get returns the sandbox, which is made with the first use.
func (r *Runner) get() (*sandbox, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sandbox == nil {
		s, err := newSandbox(r.main.Load(), r.config.Engine)
		if err != nil {
			return nil, err
		}
		r.sandbox = s
	}
	return r.sandbox, nil
}

func newSandbox(main *engine.Engine, options []engine.Option) (*sandbox, error) {
	s := &sandbox{engine: engine.New(options...), catalog: newCatalog(main)}
	payload.Register(s.engine)
	var err error
	if s.values, err = capture(main); err != nil {
		return nil, err
	}
	for name, v := range s.values {
		if err := s.engine.Register(value(name, v)); err != nil {
			return nil, err
		}
	}
	for name, fn := range map[string]lua.LGFunction{finishName: finish, pickName: pick, customName: custom, grantName: s.grant} {
		if err := s.engine.Register(single(name, fn)); err != nil {
			return nil, err
		}
	}
	for _, name := range guarded {
		if err := s.engine.Register(value(name, lua.LNil)); err != nil {
			return nil, err
		}
	}
	s.engine.Seal()
	return s, nil
}

// single is a module that is one function.
func single(name string, fn lua.LGFunction) engine.Module {
	return engine.Module{Name: name, Build: func(b *engine.Builder) error {
		b.Replace(b.Function("call", fn))
		return nil
	}}
}

// value is a module that is there already. When it is nil, it takes the place of a global of that name.
func value(name string, v lua.LValue) engine.Module {
	return engine.Module{Name: name, Build: func(b *engine.Builder) error {
		b.Replace(v)
		return nil
	}}
}

// captureKey is where the process of capture keeps the values.
type captureKey struct{}

// capture returns the values of all modules of the main engine. They are not built again: what a module keeps for all
// programs exists once. Only a program sees values, so one hands them to the table of this module, see take.
func capture(main *engine.Engine) (map[string]lua.LValue, error) {
	names := main.Modules()
	var source strings.Builder
	source.WriteString("local take = require(" + quote(moduleName) + ") ")
	for _, name := range names {
		fmt.Fprintf(&source, "take(%s, require(%s)) ", quote(name), quote(name))
	}
	source.WriteString("return function() end")
	program, err := main.Link(engine.ProgramSpec{ID: harnessID, Source: source.String(), Modules: names})
	if err != nil {
		return nil, err
	}
	values := make(map[string]lua.LValue, len(names))
	p := main.NewProcess(engine.ProcessOptions{Program: program})
	p.SetLocal(captureKey{}, values)
	if err := p.Init(context.Background(), "", nil); err != nil {
		return nil, err
	}
	p.Close()
	return values, nil
}

// take is what calling the table of the module does. It is for capture; for any other program the table is one that
// cannot be called.
func take(L *lua.LState) int {
	values, ok := engine.From(L).Local(captureKey{}).(map[string]lua.LValue)
	if !ok {
		L.RaiseError("attempt to call a table value")
	}
	values[L.CheckString(2)] = L.Get(3)
	return 0
}

// processKey is where a process of an evaluation keeps its state.
type processKey struct{}

// state is what an evaluation knows of itself.
type state struct {
	method string
	custom map[string]lua.LValue
	grants map[string]map[string]bool // what privileged imports may still take, by alias
	empty  bool                       // it returned no value
}

func stateOf(L *lua.LState) *state {
	st, _ := engine.From(L).Local(processKey{}).(*state)
	if st == nil {
		L.RaiseError("not in an evaluation")
	}
	return st
}

// finish notes whether there are results, and returns them.
func finish(L *lua.LState) int {
	stateOf(L).empty = L.GetTop() == 0
	return L.GetTop()
}

// pick returns what to call: the function that the source returned, or the one of the method's name in a table.
func pick(L *lua.LState) int {
	st := stateOf(L)
	switch v := L.Get(1).(type) {
	case *lua.LFunction:
		L.Push(v)
		return 1
	case *lua.LTable:
		if fn, ok := engine.Unwrap(v).RawGetString(st.method).(*lua.LFunction); ok {
			L.Push(fn)
			return 1
		}
	}
	engine.RaiseError(L, engine.NewError(engine.KindNotFound, "method "+strconv.Quote(st.method)+" not found in module"))
	return 0
}

// custom returns a custom module.
func custom(L *lua.LState) int {
	if v, ok := stateOf(L).custom[L.CheckString(1)]; ok {
		L.Push(v)
		return 1
	}
	return 0
}

// grant gives a privileged import a module. Each can be taken once: the library takes all of them before its own
// source runs, and long before the evaluated one does.
func (s *sandbox) grant(L *lua.LState) int {
	alias, name := L.CheckString(1), L.CheckString(2)
	grants := stateOf(L).grants[alias]
	if !grants[name] {
		L.RaiseError("module '%s' not found", name)
	}
	delete(grants, name)
	L.Push(s.values[name])
	return 1
}

// privileged is the source of a library that has modules of its own: they are local to it, and so is a require that
// knows them.
func privileged(alias, source string, modules []string) string {
	var b strings.Builder
	b.WriteString(`local require = (function(require, grant) local own = {} `)
	for _, name := range modules {
		fmt.Fprintf(&b, "own[%s] = grant(%s, %s) ", quote(name), quote(alias), quote(name))
	}
	b.WriteString(`return function(name) local v = own[name] if v ~= nil then return v end return require(name) end end)(require, require("\0grant")) `)
	for _, name := range modules {
		if isName(name) {
			fmt.Fprintf(&b, "local %s = require(%s) ", name, quote(name))
		}
	}
	return b.String() + source
}

// quote writes a Lua string.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, `\%03d`, c)
	}
	b.WriteByte('"')
	return b.String()
}

// isName reports whether a module can be a local variable. A name that is a keyword does not occur: it could not be
// a global either.
func isName(s string) bool {
	for i, c := range []byte(s) {
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
