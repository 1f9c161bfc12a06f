// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"strconv"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/service/store"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/security"
)

func (m *module) methods() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"get": m.get, "entry": m.entry, "set": m.set, "put": m.put, "has": m.has, "delete": m.remove,
		"list": m.list, "info": m.info, "release": release,
	}
}

// method is one call of a method that concerns a key.
type method struct {
	action string
	raises string // what a denial raises, followed by the key
	text   string // or what it returns as an error
}

// keyed returns the handle and the full key of a call. ok is false when the call is over:
// it has pushed n results.
func (m *module) keyed(L *lua.LState, c method) (h *handle, key string, n int, ok bool) {
	p := engine.From(L)
	h = check(L)
	if !h.usable(p) {
		return h, "", released(L), false
	}
	key = L.CheckString(2)
	if key == "" {
		return h, "", invalid(L, "key is required"), false
	}
	if !m.allowed(p, c.action, h.id, "key", key) {
		if c.raises != "" {
			L.RaiseError("%s", c.raises+key)
		}
		return h, "", engine.PushError(L, access.Denied(c.text+key)), false
	}
	return h, store.Key(key), 0, true
}

// allowed asks for an action with one attribute. Attributes are for the policies of a
// scope: where there is none, as in most programs, they are not made.
func (m *module) allowed(p *engine.Process, action, id, name, value string) bool {
	if f := access.Frame(p); f == nil || security.ActorOf(f) == nil || security.ScopeOf(f) == nil {
		return m.Allow.Allowed(p, action, id)
	}
	return m.Allow.AllowedWith(p, action, id, map[string]any{name: value})
}

func released(L *lua.LState) int { return invalid(L, "store is released") }

// do runs an operation, here when the store does not wait, and pushes its results.
func (h *handle) do(L *lua.LState, run func(ctx context.Context) (any, error), results func(p *engine.Process, data any, err error) []lua.LValue) int {
	if _, ok := h.store.(store.Immediate); !ok {
		return engine.Yield(L, &operation{run}, func(L *lua.LState, data any, err error) []lua.LValue {
			return results(engine.From(L), data, err)
		})
	}
	p := engine.From(L)
	data, err := run(p.Context())
	values := results(p, data, err)
	for _, v := range values {
		L.Push(v)
	}
	return len(values)
}

// get implements store:get(key).
func (m *module) get(L *lua.LState) int {
	h, key, n, ok := m.keyed(L, method{action: "store.key.get", raises: "not allowed to read key: "})
	if !ok {
		return n
	}
	if s, ok := h.store.(store.Immediate); ok { // without the detour: this is the call that counts
		p := engine.From(L)
		e, err := s.Get(p.Context(), key)
		if err != nil {
			return engine.PushError(L, err)
		}
		v, err := value(p, e.Value)
		if err != nil {
			return engine.PushError(L, err)
		}
		L.Push(v)
		L.Push(lua.LNil)
		return 2
	}
	return h.do(L, func(ctx context.Context) (any, error) { return h.store.Get(ctx, key) },
		func(p *engine.Process, data any, err error) []lua.LValue {
			if err != nil {
				return failure(err)
			}
			v, err := value(p, data.(store.Entry).Value)
			if err != nil {
				return failure(err)
			}
			return []lua.LValue{v, lua.LNil}
		})
}

// value makes a Lua value for the program to own.
func value(p *engine.Process, v payload.Payload) (lua.LValue, error) {
	if v.Format == payload.Lua {
		if l, ok := v.Data.(lua.LValue); ok {
			return engine.Copy(l), nil
		}
	}
	return p.Engine().FromPayload(v)
}

func failure(err error) []lua.LValue { return []lua.LValue{lua.LNil, engine.ErrorValue(err)} }

// entry implements store:entry(key).
func (m *module) entry(L *lua.LState) int {
	h, key, n, ok := m.keyed(L, method{action: "store.key.get", text: "not allowed to read key: "})
	if !ok {
		return n
	}
	return h.do(L, func(ctx context.Context) (any, error) { return h.store.Get(ctx, key) }, entryResult)
}

func entryResult(p *engine.Process, data any, err error) []lua.LValue {
	if err != nil {
		return failure(err)
	}
	t, err := entryTable(p, data.(store.Entry))
	if err != nil {
		return failure(err)
	}
	return []lua.LValue{t, lua.LNil}
}

func entryTable(p *engine.Process, e store.Entry) (*lua.LTable, error) {
	v, err := value(p, e.Value)
	if err != nil {
		return nil, err
	}
	t := engine.NewObject(3)
	t.RawSetString("key", lua.LString(e.Key))
	t.RawSetString("value", v)
	t.RawSetString("version", lua.LString(strconv.FormatUint(e.Version, 10)))
	return t, nil
}

// snapshot copies argument 3, the value to write. ok is false when it is none: the call has
// pushed n results.
func snapshot(L *lua.LState) (v payload.Payload, n int, ok bool) {
	given := L.Get(3)
	if given == lua.LNil {
		return v, invalid(L, "value is required"), false
	}
	copied := engine.Copy(given)
	if copied == lua.LNil {
		return v, invalid(L, "value must be plain data, got a "+given.Type().String()), false
	}
	return payload.Payload{Format: payload.Lua, Data: copied}, 0, true
}

// set implements store:set(key, value, ttl).
func (m *module) set(L *lua.LState) int {
	h, key, n, ok := m.keyed(L, method{action: "store.key.set", raises: "not allowed to write key: "})
	if !ok {
		return n
	}
	v, n, ok := snapshot(L)
	if !ok {
		return n
	}
	ttl := float64(L.OptNumber(4, 0))
	if ttl != ttl {
		return invalid(L, "ttl must be a non-negative number")
	}
	o := store.PutOptions{TTL: lifetime(ttl)}
	if s, ok := h.store.(store.Immediate); ok {
		if _, err := s.Put(engine.From(L).Context(), key, v, o); err != nil {
			return engine.PushError(L, err)
		}
		L.Push(lua.LTrue)
		L.Push(lua.LNil)
		return 2
	}
	return h.do(L, func(ctx context.Context) (any, error) { return h.store.Put(ctx, key, v, o) },
		func(_ *engine.Process, _ any, err error) []lua.LValue {
			if err != nil {
				return failure(err)
			}
			return []lua.LValue{lua.LTrue, lua.LNil}
		})
}

// put implements store:put(key, value, options).
func (m *module) put(L *lua.LState) int {
	h, key, n, ok := m.keyed(L, method{action: "store.key.set", text: "not allowed to write key: "})
	if !ok {
		return n
	}
	v, n, ok := snapshot(L)
	if !ok {
		return n
	}
	o, err := putOptions(L.Get(4))
	if err != nil {
		return engine.PushError(L, err)
	}
	return h.do(L, func(ctx context.Context) (any, error) {
		version, err := h.store.Put(ctx, key, v, o)
		return store.Entry{Key: key, Value: v, Version: version}, err
	}, entryResult)
}

// has implements store:has(key).
func (m *module) has(L *lua.LState) int {
	h, key, n, ok := m.keyed(L, method{action: "store.key.has", raises: "not allowed to check key existence: "})
	if !ok {
		L.Replace(-n, lua.LFalse) // instead of nil
		return n
	}
	return h.do(L, func(ctx context.Context) (any, error) { return h.store.Has(ctx, key) },
		func(_ *engine.Process, data any, err error) []lua.LValue {
			if err != nil {
				return []lua.LValue{lua.LFalse, engine.ErrorValue(err)}
			}
			return []lua.LValue{lua.LBool(data.(bool)), lua.LNil}
		})
}

// remove implements store:delete(key).
func (m *module) remove(L *lua.LState) int {
	h, key, n, ok := m.keyed(L, method{action: "store.key.delete", raises: "not allowed to delete key: "})
	if !ok {
		return n
	}
	return h.do(L, func(ctx context.Context) (any, error) { return nil, h.store.Delete(ctx, key) },
		func(_ *engine.Process, _ any, err error) []lua.LValue {
			switch {
			case err == nil:
				return []lua.LValue{lua.LTrue, lua.LNil}
			case fault.KindOf(err) == fault.NotFound:
				return []lua.LValue{lua.LFalse, lua.LNil}
			}
			return failure(err)
		})
}

// list implements store:list(options).
func (m *module) list(L *lua.LState) int {
	p, h := engine.From(L), check(L)
	if !h.usable(p) {
		return released(L)
	}
	o, err := listOptions(L.Get(2))
	if err != nil {
		return engine.PushError(L, err)
	}
	if !m.allowed(p, "store.key.list", h.id, "prefix", o.Prefix) {
		return engine.PushError(L, access.Denied("not allowed to list store: "+h.id))
	}
	return h.do(L, func(ctx context.Context) (any, error) { return h.store.List(ctx, o) }, pageResult)
}

func pageResult(p *engine.Process, data any, err error) []lua.LValue {
	if err != nil {
		return failure(err)
	}
	page := data.(store.Page)
	items := engine.NewArray(len(page.Items))
	for i, e := range page.Items {
		t, err := entryTable(p, e)
		if err != nil {
			return failure(err)
		}
		items.RawSetInt(i+1, t)
	}
	t := engine.NewObject(3)
	t.RawSetString("items", items)
	t.RawSetString("cursor", lua.LString(page.Cursor))
	t.RawSetString("has_more", lua.LBool(page.More))
	return []lua.LValue{t, lua.LNil}
}

// info implements store:info().
func (m *module) info(L *lua.LState) int {
	p, h := engine.From(L), check(L)
	if !h.usable(p) {
		return released(L)
	}
	if !m.Allow.Allowed(p, "store.info", h.id) {
		return engine.PushError(L, access.Denied("not allowed to inspect store: "+h.id))
	}
	i := h.store.Info()
	t := engine.NewObject(8)
	for name, word := range map[string]string{"id": h.id, "backend": i.Backend, "consistency": i.Consistency} {
		t.RawSetString(name, lua.LString(word))
	}
	for name, yes := range map[string]bool{"durable": i.Durable, "list": i.List, "versioned": i.Versioned, "conditional_put": i.ConditionalPut, "ttl": i.TTL} {
		t.RawSetString(name, lua.LBool(yes))
	}
	L.Push(t)
	L.Push(lua.LNil)
	return 2
}
