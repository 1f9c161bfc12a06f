// SPDX-License-Identifier: Apache-2.0

// Package pg is the Lua module pg: process groups.
//
// An instance is a scope opened by a process. What the process joins it leaves when it ends, at the latest. Groups are
// those of this node; no call waits.
package pg

import (
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/owned"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/groups"
)

// Deps is what the module works with. Known tells whether there is an entry of that id, of any kind. Allow may be nil.
type Deps struct {
	Scopes *groups.Registry
	Known  func(id string) bool
	Send   func(*relay.Message) error
	Allow  access.Check
}

type module struct {
	Deps
	instances     *engine.Class
	subscriptions *engine.Class
}

// Module returns the Lua module.
func Module(deps Deps) engine.Module {
	m := &module{Deps: deps}
	return engine.Module{
		Name:    "pg",
		Classes: []string{"process", "nondeterministic"},
		Build: func(b *engine.Builder) error {
			m.instances = b.Type("Instance", map[string]lua.LGFunction{
				"join":               m.join,
				"leave":              m.leave,
				"get_members":        m.members("pg.get_members"),
				"get_local_members":  m.members("pg.get_local_members"),
				"which_groups":       m.groups("pg.which_groups"),
				"which_local_groups": m.groups("pg.which_local_groups"),
				"broadcast":          m.broadcast("pg.broadcast"),
				"broadcast_local":    m.broadcast("pg.broadcast_local"),
				"monitor":            m.monitor,
				"events":             m.events,
				"release":            release,
			}, map[string]lua.LGFunction{"__tostring": instanceText})
			m.subscriptions = b.Type("Subscription", map[string]lua.LGFunction{
				"channel": channel,
				"close":   closeSubscription,
			}, nil)
			b.Func("open", m.open)
			return nil
		},
	}
}

// instance is the value behind Instance objects. It belongs to one process.
type instance struct {
	id       string
	scope    *groups.Scope
	released bool
}

func check(L *lua.LState) *instance { return engine.Check[*instance](L, 1, "pg instance") }

func instanceText(L *lua.LState) int {
	i := check(L)
	text := "pg.Instance{" + i.id
	if i.released {
		text += ", released"
	}
	L.Push(lua.LString(text + "}"))
	return 1
}

// open implements pg.open(id).
func (m *module) open(L *lua.LState) int {
	id := L.OptString(1, "")
	if id == "" {
		return fail(L, invalid("resource id is required"))
	}
	if !m.Allow.Allowed(engine.From(L), "pg.open", id) {
		return fail(L, access.Denied("not allowed to open pg scope: "+id))
	}
	scope, err := m.Scopes.Scope(id)
	switch {
	case err == nil:
	case m.Known(id):
		return fail(L, invalid("not a pg scope: "+id))
	default:
		return fail(L, fault.Wrap(fault.Internal, "failed to acquire pg scope", err))
	}
	i := &instance{id: id, scope: scope}
	owned.Add(engine.From(L), func() { i.released = true })
	L.Push(m.instances.New(i))
	return 1
}

func release(L *lua.LState) int {
	check(L).released = true
	L.Push(lua.LTrue)
	return 1
}

func invalid(message string) error { return engine.NewError(engine.KindInvalid, message) }

// fail returns nil and an error.
func fail(L *lua.LState, err error) int { return engine.PushError(L, err) }

// allowed asks for an action on a group or, with an empty name, on the scope.
func (m *module) allowed(L *lua.LState, i *instance, action, group string) error {
	resource, on := group, " in group: "+group
	if group == "" {
		resource, on = i.id, ": "+i.id
	}
	if m.Allow.Allowed(engine.From(L), action, resource) {
		return nil
	}
	return access.Denied("not allowed to " + strings.ReplaceAll(strings.TrimPrefix(action, "pg."), "_", " ") + on)
}

// names reads argument 2: a group or a list of groups, each of which the process must be allowed to act on.
func (m *module) names(L *lua.LState, i *instance, action string) ([]string, error) {
	if i.released {
		return nil, invalid("pg instance is released")
	}
	var list []string
	switch v := L.Get(2).(type) {
	case lua.LString:
		list = []string{string(v)}
	case *lua.LTable:
		t := engine.Unwrap(v)
		if t.Len() == 0 {
			return nil, invalid("groups table must not be empty")
		}
		for n := 1; n <= t.Len(); n++ {
			s, ok := t.RawGetInt(n).(lua.LString)
			if !ok {
				return nil, invalid("group name (string) or groups table required")
			}
			list = append(list, string(s))
		}
	default:
		return nil, invalid("group name (string) or groups table required")
	}
	for _, name := range list {
		if name == "" {
			return nil, invalid("group name is required")
		}
		if err := m.allowed(L, i, action, name); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// name reads argument 2, one group.
func (m *module) name(L *lua.LState, i *instance, action string) (string, error) {
	name := L.OptString(2, "")
	switch {
	case i.released:
		return "", invalid("pg instance is released")
	case name == "":
		return "", invalid("group name is required")
	}
	return name, m.allowed(L, i, action, name)
}

// join implements instance:join(groups).
func (m *module) join(L *lua.LState) int {
	i := check(L)
	list, err := m.names(L, i, "pg.join")
	if err == nil {
		err = i.scope.Join(engine.From(L).PID(), list...)
	}
	return done(L, err)
}

// leave implements instance:leave(groups).
func (m *module) leave(L *lua.LState) int {
	i := check(L)
	list, err := m.names(L, i, "pg.leave")
	if err == nil {
		err = i.scope.Leave(engine.From(L).PID(), list...)
	}
	return done(L, err)
}

func done(L *lua.LState, err error) int {
	if err != nil {
		return fail(L, err)
	}
	L.Push(lua.LTrue)
	return 1
}

// members implements instance:get_members(group) and :get_local_members(group).
func (m *module) members(action string) lua.LGFunction {
	return func(L *lua.LState) int {
		i := check(L)
		name, err := m.name(L, i, action)
		if err != nil {
			return fail(L, err)
		}
		L.Push(engine.ToLua(texts(i.scope.Members(name))))
		return 1
	}
}

// groups implements instance:which_groups() and :which_local_groups().
func (m *module) groups(action string) lua.LGFunction {
	return func(L *lua.LState) int {
		i := check(L)
		if i.released {
			return fail(L, invalid("pg instance is released"))
		}
		if err := m.allowed(L, i, action, ""); err != nil {
			return fail(L, err)
		}
		L.Push(engine.ToLua(i.scope.Groups()))
		return 1
	}
}

// texts gives processes the form programs know them by.
func texts(pids []relay.PID) []string {
	list := make([]string, len(pids))
	for i, pid := range pids {
		list[i] = pid.String()
	}
	return list
}

// broadcast implements instance:broadcast(group, topic, ...) and :broadcast_local(...). A process gets the message
// once, however often it joined. Members that have ended meanwhile are passed over.
func (m *module) broadcast(action string) lua.LGFunction {
	return func(L *lua.LState) int {
		i := check(L)
		name, err := m.name(L, i, action)
		if err != nil {
			return fail(L, err)
		}
		topic := L.OptString(3, "")
		switch {
		case topic == "":
			return fail(L, invalid("topic is required"))
		case strings.HasPrefix(topic, "@"):
			return fail(L, invalid("cannot send to @ topics"))
		}
		p := engine.From(L)
		dropped := 0
		for _, to := range i.scope.Processes(name) {
			msg := relay.NewMessage(p.PID(), to, topic, engine.Payloads(L, 4)...)
			if m.Send(msg) != nil {
				msg.Release()
				dropped++
			}
		}
		i.scope.Broadcasted(dropped)
		L.Push(lua.LTrue)
		return 1
	}
}
