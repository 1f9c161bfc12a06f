// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"net/url"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/lua/ctxvalues"
	"github.com/wippyrun/kit/wippy/lua/funcs"
	"github.com/wippyrun/kit/wippy/system/contracts"
	"github.com/wippyrun/kit/wippy/system/frames"
	"github.com/wippyrun/kit/wippy/system/functions"
)

// asyncSuffix makes the name of a method one that does not wait for the outcome.
const asyncSuffix = "_async"

// instance is the value behind Instance objects: an opened binding. It is immutable.
type instance struct {
	binding  *contracts.Binding
	values   map[string]any // over those of the caller
	options  map[string]any
	identity access.Identity
}

func checkInstance(L *lua.LState) *instance {
	return engine.Check[*instance](L, 1, "contract instance")
}

// open implements contract.open(binding[?key=value&…], scope, options). The id of a contract stands for its
// default binding.
func (m *module) open(L *lua.LState) int {
	id, values, err := parseTarget(L.CheckString(1))
	if err != nil {
		return engine.PushError(L, err)
	}
	scope := optTable(L, 2)
	i := &instance{values: values}
	if t := optTable(L, 3); t != nil {
		i.options = funcs.Options(t)
	}
	if i.binding, err = m.Catalog.Open(id); err != nil {
		return engine.PushError(L, err)
	}
	return m.push(L, i, scope)
}

// openContract implements contract:open(binding, scope).
func (m *module) openContract(L *lua.LState) int {
	c := check(L)
	i := &instance{options: c.options, identity: c.identity}
	var err error
	if target := L.OptString(2, ""); target == "" {
		i.binding, err = m.Catalog.Default(c.definition.ID)
	} else {
		var id string
		if id, i.values, err = parseTarget(target); err == nil {
			i.binding, err = m.Catalog.Binding(id)
		}
	}
	if err != nil {
		return engine.PushError(L, err)
	}
	if !i.binding.Implements(c.definition.ID) {
		return engine.PushError(L, engine.NewError(engine.KindInvalid,
			"contract binding '"+i.binding.ID+"' does not implement contract '"+c.definition.ID+"'"))
	}
	i.values = frames.Merge(i.values, c.values)
	return m.push(L, i, optTable(L, 3))
}

func optTable(L *lua.LState, n int) *lua.LTable {
	if L.Get(n) == lua.LNil {
		return nil
	}
	return L.CheckTable(n)
}

// push returns the instance, with the values of scope over its own, when the caller may open it and nothing that
// it requires is missing.
func (m *module) push(L *lua.LState, i *instance, scope *lua.LTable) int {
	p := engine.From(L)
	if !m.Allow.Allowed(p, "contract.open", i.binding.ID) {
		return engine.PushError(L, access.Denied("not allowed to open binding: "+i.binding.ID))
	}
	if scope != nil {
		i.values = frames.Merge(i.values, ctxvalues.FromTable(scope))
	}
	have, _ := frames.Values.Get(access.Frame(p))
	if missing := i.binding.Missing(frames.Merge(have, i.values)); len(missing) > 0 {
		return engine.PushError(L, engine.NewError(engine.KindInvalid,
			"missing required context keys: ["+strings.Join(missing, ", ")+"]"))
	}
	L.Push(m.instances.New(i))
	return 1
}

// parseTarget reads "id?key=value&…": values that look like booleans or numbers are such.
func parseTarget(target string) (id string, values map[string]any, err error) {
	id, query, _ := strings.Cut(target, "?")
	if err := validID(id); err != nil || query == "" {
		return id, nil, err
	}
	all, err := url.ParseQuery(query)
	if err != nil {
		return id, nil, engine.NewError(engine.KindInvalid, "invalid query parameters: "+err.Error())
	}
	values = make(map[string]any, len(all))
	for key, texts := range all {
		values[key] = parseValue(texts[len(texts)-1])
	}
	return id, values, nil
}

func parseValue(text string) any {
	switch {
	case text == "true" || text == "false":
		return text == "true"
	case text == "" || strings.Trim(text, "0123456789.eE+-") != "":
		return text // words such as "inf" and "0x1p4" are numbers to strconv only
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if n < -1<<53 || n > 1<<53 {
			return text // the number would not be the one written
		}
		return float64(n)
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && strings.ContainsAny(text, ".eE") {
		return f
	}
	return text
}

type methodKey struct {
	name  string
	async bool
}

// index finds the methods of an instance: each method of its contracts by name, and with the suffix that makes it
// asynchronous. A contract's own method of that name goes first.
func (m *module) index(L *lua.LState) int {
	i := checkInstance(L)
	name, ok := L.Get(2).(lua.LString)
	if !ok {
		L.Push(lua.LNil)
		return 1
	}
	key := methodKey{name: string(name)}
	if _, found := i.binding.Function(key.name); !found {
		key.name, key.async = strings.CutSuffix(key.name, asyncSuffix)
		if _, found := i.binding.Function(key.name); !key.async || !found {
			L.Push(lua.LNil)
			return 1
		}
	}
	fn, ok := m.methods.Load(key)
	if !ok {
		fn, _ = m.methods.LoadOrStore(key, m.function("Instance:"+string(name), func(L *lua.LState) int { return m.call(L, key) }))
	}
	L.Push(fn.(*lua.LFunction))
	return 1
}

// call runs a method of the instance that is the first argument.
func (m *module) call(L *lua.LState, method methodKey) int {
	i := checkInstance(L)
	p := engine.From(L)
	function, ok := i.binding.Function(method.name)
	if !ok { // a function taken from an instance of another contract
		return engine.PushError(L, engine.NewError(engine.KindNotFound, "method '"+method.name+"' not bound"))
	}
	if !m.Allow.Allowed(p, "contract.call", method.name) {
		return engine.PushError(L, access.Denied("not allowed to call method: "+method.name))
	}
	f, err := frame(access.Frame(p), i)
	if err != nil {
		return engine.PushError(L, err)
	}
	task := functions.Task{ID: function, Input: engine.Payloads(L, 2), Options: i.options, Frame: f, Caller: p.PID()}
	if method.async {
		return funcs.Async(L, task, m.futures)
	}
	return funcs.Call(L, task)
}
