// SPDX-License-Identifier: Apache-2.0

package pg

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/lua/subscription"
	"github.com/wippyrun/kit/wippy/system/groups"
)

// event is what a program sees of a change.
func event(e groups.Event) map[string]any {
	kind := "member.left"
	if e.Joined {
		kind = "member.joined"
	}
	return map[string]any{
		"system": "pg",
		"kind":   kind,
		"path":   e.Group,
		"data":   map[string]any{"Group": e.Group, "PIDs": texts(e.PIDs)},
	}
}

// monitor implements instance:monitor(group): a subscription and the members when it began.
func (m *module) monitor(L *lua.LState) int {
	i := check(L)
	name, err := m.name(L, i, "pg.monitor")
	if err != nil {
		return failBoth(L, err)
	}
	s, err := subscription.Open(engine.From(L), "pg", m.Send)
	if err != nil {
		return failBoth(L, err)
	}
	source, members := i.scope.Monitor(name, func(e groups.Event) { s.Deliver(event(e)) })
	s.OnClose(source.Close)
	L.Push(m.subscriptions.New(s))
	L.Push(engine.ToLua(texts(members)))
	return 2
}

// events implements instance:events(): a subscription to all groups and their members when it began.
func (m *module) events(L *lua.LState) int {
	i := check(L)
	if i.released {
		return failBoth(L, invalid("pg instance is released"))
	}
	if err := m.allowed(L, i, "pg.events", ""); err != nil {
		return failBoth(L, err)
	}
	s, err := subscription.Open(engine.From(L), "pg", m.Send)
	if err != nil {
		return failBoth(L, err)
	}
	source, all := i.scope.MonitorAll(func(e groups.Event) { s.Deliver(event(e)) })
	s.OnClose(source.Close)
	L.Push(m.subscriptions.New(s))
	members := L.CreateTable(0, len(all))
	for name, pids := range all {
		members.RawSetString(name, engine.ToLua(texts(pids)))
	}
	L.Push(members)
	return 2
}

// failBoth returns nil for the subscription and the members, and an error.
func failBoth(L *lua.LState, err error) int {
	L.Push(lua.LNil)
	return 1 + fail(L, err)
}

func checkSubscription(L *lua.LState) *subscription.Subscription {
	return engine.Check[*subscription.Subscription](L, 1, "pg subscription")
}

func channel(L *lua.LState) int {
	L.Push(checkSubscription(L).Channel.Value())
	return 1
}

// closeSubscription implements subscription:close(options).
func closeSubscription(L *lua.LState) int {
	s := checkSubscription(L)
	options, _ := L.Get(2).(*lua.LTable)
	if options != nil && lua.LVAsBool(options.RawGetString("flush")) {
		s.Flush()
	} else {
		s.Close()
	}
	L.Push(lua.LTrue)
	return 1
}
