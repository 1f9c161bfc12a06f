// SPDX-License-Identifier: Apache-2.0

// Package events is the Lua module events: publishing to and subscribing on the event bus.
//
// An event is a table {system, kind, path, data}. Patterns are the bus's: parts separated by dots, "*" for one
// part, "**" for any number, "(a|b)" for alternatives. A part that ends in a star, "user*", is a prefix of the
// whole text. A subscription has a channel of 64 events; what does not fit waits, in order, in the mailbox of the
// process. It ends with the process.
package events

import (
	"context"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/eventbus"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/lua/subscription"
)

// Deps is what the module works with. Allow may be nil.
type Deps struct {
	Bus   *eventbus.Bus
	Send  func(*relay.Message) error
	Allow access.Check
}

type module struct {
	Deps
	subscriptions *engine.Class
}

// Module returns the Lua module.
func Module(deps Deps) engine.Module {
	m := &module{Deps: deps}
	return engine.Module{
		Name:    "events",
		Classes: []string{"io", "nondeterministic"},
		Build: func(b *engine.Builder) error {
			m.subscriptions = b.Type("Subscription", map[string]lua.LGFunction{
				"channel": channel,
				"close":   closeSubscription,
			}, map[string]lua.LGFunction{"__tostring": func(L *lua.LState) int {
				L.Push(lua.LString("events.Subscription{}"))
				return 1
			}})
			b.Func("subscribe", m.subscribe)
			b.Func("send", m.send)
			return nil
		},
	}
}

func invalid(L *lua.LState, message string) int {
	return engine.PushError(L, engine.NewError(engine.KindInvalid, message))
}

// send implements events.send(system, kind, path, data).
func (m *module) send(L *lua.LState) int {
	system, kind, path := L.CheckString(1), L.CheckString(2), L.CheckString(3)
	switch {
	case system == "":
		return invalid(L, "system is required")
	case kind == "":
		return invalid(L, "kind is required")
	case path == "":
		return invalid(L, "path is required")
	case !m.Allow.Allowed(engine.From(L), "events.send", system):
		return invalid(L, "not allowed to send events to system: "+system)
	}
	event := eventbus.Event{System: system, Kind: kind, Path: path}
	if data := L.Get(4); data != lua.LNil {
		event.Data = plain(L, data)
	}
	m.Bus.Publish(event)
	L.Push(lua.LTrue)
	return 1
}

// subscribe implements events.subscribe(system, kind).
func (m *module) subscribe(L *lua.LState) int {
	system, kind := L.CheckString(1), L.OptString(2, "")
	if system == "" {
		return invalid(L, "system pattern is required")
	}
	p := engine.From(L)
	if !m.Allow.Allowed(p, "events.subscribe", system) {
		return invalid(L, "not allowed to subscribe to events from system: "+system)
	}

	s, err := subscription.Open(p, "events", m.Send)
	if err != nil {
		return engine.PushError(L, err)
	}
	inSystem, inKind := newFilter(system), newFilter(kind)
	source, err := m.Bus.Subscribe(context.Background(), eventbus.Pattern{System: inSystem.pattern, Kind: inKind.pattern},
		func(e eventbus.Event) {
			if inSystem.match(e.System) && inKind.match(e.Kind) {
				s.Deliver(fields(e))
			}
		})
	if err != nil {
		s.Close()
		return engine.PushError(L, err)
	}
	s.OnClose(source.Close)
	L.Push(m.subscriptions.New(s))
	return 1
}

// fields are what a program sees of an event.
func fields(e eventbus.Event) map[string]any {
	m := map[string]any{"system": e.System, "kind": e.Kind, "path": e.Path}
	if e.Data != nil {
		m["data"] = e.Data
	}
	return m
}

// filter is one half of a subscription: a pattern of the bus and, for patterns the bus does not know, a prefix.
type filter struct {
	pattern string
	prefix  string
}

// newFilter understands everything the bus does, the empty text and "*" for everything, and "text*" as a prefix.
func newFilter(pattern string) filter {
	if pattern == "" || pattern == "*" {
		return filter{}
	}
	last := pattern[strings.LastIndexByte(pattern, '.')+1:]
	if text, ok := strings.CutSuffix(pattern, "*"); ok && last != "*" && last != "**" && !strings.ContainsAny(text, "*(") {
		return filter{prefix: text}
	}
	return filter{pattern: pattern}
}

func (f filter) match(s string) bool { return strings.HasPrefix(s, f.prefix) }

func check(L *lua.LState) *subscription.Subscription {
	return engine.Check[*subscription.Subscription](L, 1, "subscription")
}

func channel(L *lua.LState) int {
	L.Push(check(L).Channel.Value())
	return 1
}

func closeSubscription(L *lua.LState) int {
	check(L).Close()
	L.Push(lua.LTrue)
	return 1
}
