// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/wippyrun/kit/eventbus"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/lua/events"
	"github.com/wippyrun/kit/wippy/lua/luatest"
	"github.com/wippyrun/kit/wippy/lua/process"
)

func newSystem(tb testing.TB) *luatest.System {
	return luatest.New(tb, func(s *luatest.System) {
		process.Register(s.Dispatch, s.Processes)
		s.Register(events.Module(events.Deps{Bus: s.Bus, Send: s.Router.Send}), process.Module(process.Deps{
			Send: s.Router.Send, Topology: s.Topology, Manager: s.Processes, Factories: s.Factories,
		}))
	})
}

func check(t *testing.T, cases map[string]string) {
	t.Helper()
	s := newSystem(t)
	for name, body := range cases {
		t.Run(name, func(t *testing.T) { s.Check(t, body) })
	}
}

func TestEvents(t *testing.T) {
	check(t, map[string]string{
		"event": `
			local sub = events.subscribe("orders.*")
			assert(tostring(sub) == "events.Subscription{}")
			assert(events.send("orders.eu", "created", "o/1", { id = 7, list = { "a", "b" }, flag = true }) == true)
			local e, ok = sub:channel():receive()
			assert(ok and e.system == "orders.eu" and e.kind == "created" and e.path == "o/1")
			assert(e.data.id == 7 and e.data.list[2] == "b" and e.data.flag == true)`,
		"no data": `
			local sub = events.subscribe("s")
			events.send("s", "k", "p")
			assert(sub:channel():receive().data == nil)`,
		"order and many": `
			local sub = events.subscribe("s", "n")
			for i = 1, 500 do events.send("s", "n", "p", i) end
			for i = 1, 500 do assert(sub:channel():receive().data == i) end`,
		"several": `
			local a, b, c = events.subscribe("s", "x.*"), events.subscribe("s", "**"), events.subscribe("*", "x.(one|two)")
			events.send("s", "other", "p")
			events.send("s", "x.one", "p")
			assert(a:channel():receive().kind == "x.one")
			assert(b:channel():receive().kind == "other" and b:channel():receive().kind == "x.one")
			assert(c:channel():receive().kind == "x.one")`,
		"prefix": `
			local sub = events.subscribe("user*", "log*")
			events.send("users.eu", "login", "p", 1)
			events.send("users.eu", "out", "p", 2)
			events.send("admin", "login", "p", 3)
			events.send("user", "logout.late", "p", 4)
			assert(sub:channel():receive().data == 1 and sub:channel():receive().data == 4)`,
		"plain words are exact": `
			local sub = events.subscribe("user", "a")
			events.send("user.x", "a", "p", 1)
			events.send("user", "ab", "p", 2)
			events.send("user", "a", "p", 3)
			assert(sub:channel():receive().data == 3)`,
		"close": `
			local sub = events.subscribe("s")
			assert(sub:channel() == sub:channel())
			assert(sub:close() == true)
			local e, ok = sub:channel():receive()
			assert(e == nil and ok == false and sub:close() == true)
			events.send("s", "k", "p")
			-- What comes late goes nowhere, not to the inbox.
			process.send(process.pid(), "mark")
			assert(process.inbox():receive():topic() == "mark")`,
		"data is plain": `
			local sub = events.subscribe("s")
			local list = { "a", "b", x = "lost" }
			local named = { [10] = "ten", f = print, ch = channel.new(), e = errors.new("oops"), deep = { list } }
			named.itself = named
			events.send("s", "k", "p", list)
			events.send("s", "k", "p", named)
			events.send("s", "k", "p", errors.new("text"))
			local d = sub:channel():receive().data
			assert(#d == 2 and d[2] == "b" and d.x == nil)
			d = sub:channel():receive().data
			assert(d["10"] == "ten" and d.itself == nil and #d.deep[1] == 2)
			assert(d.f:find("function") and type(d.ch) == "string" and d.e == "oops")
			assert(sub:channel():receive().data == "text")`,
		"data is copied": `
			local sub = events.subscribe("s")
			local t = { n = 1 }
			events.send("s", "k", "p", t)
			t.n = 2
			assert(sub:channel():receive().data.n == 1)`,
	})
}

func TestErrors(t *testing.T) {
	s := newSystem(t)
	for call, text := range map[string]string{
		`events.subscribe("")`:      "system pattern is required",
		`events.send("", "k", "p")`: "system is required",
		`events.send("s", "", "p")`: "kind is required",
		`events.send("s", "k", "")`: "path is required",
	} {
		s.Check(t, `
			local v, err = `+call+`
			assert(v == nil and err:kind() == "Invalid" and err:message() == "`+text+`", err)`)
	}
	s.Check(t, `
		assert(not pcall(events.subscribe))
		assert(not pcall(events.send, "s", "k"))
		assert(not pcall(events.subscribe("s").close, {}))`)
}

// TestSubscriptionEndsWithItsProcess fills the bus with subscriptions of processes that end.
func TestSubscriptionEndsWithItsProcess(t *testing.T) {
	s := newSystem(t)
	s.Define("app:subscriber", `return { main = function()
		for i = 1, 10 do events.subscribe("s", tostring(i)) end
	end }`)
	s.Check(t, `for i = 1, 20 do process.exec("app:subscriber", "app:processes") end`)
	deadline := time.Now().Add(2 * time.Minute)
	for s.Bus.Stats().Subscriptions > 0 {
		if time.Now().After(deadline) {
			t.Fatalf("%d subscriptions are left", s.Bus.Stats().Subscriptions)
		}
		runtime.Gosched()
	}
}

func TestDenied(t *testing.T) {
	s := luatest.New(t, func(s *luatest.System) {
		s.Register(events.Module(events.Deps{Bus: s.Bus, Send: s.Router.Send,
			Allow: func(_ *engine.Process, action, resource string, _ map[string]any) bool { return resource != "secret" }}))
	})
	s.Check(t, `
		local v, err = events.subscribe("secret")
		assert(v == nil and err:kind() == "Invalid" and err:message() == "not allowed to subscribe to events from system: secret")
		v, err = events.send("secret", "k", "p")
		assert(v == nil and err:kind() == "Invalid" and err:message() == "not allowed to send events to system: secret")
		assert(events.send("public", "k", "p") == true)`)
}

// TestGoData receives events that Go code published.
func TestGoData(t *testing.T) {
	type state struct {
		Status  string `json:"status"`
		Retries int    `json:"retries"`
	}
	s := newSystem(t)
	subscribed := make(chan struct{})
	go func() {
		<-subscribed
		s.Bus.Publish(eventbus.Event{System: "go", Kind: "state", Path: "p", Data: state{"running", 2}})
	}()
	sub, err := s.Bus.Subscribe(context.Background(), eventbus.Pattern{System: "test", Kind: "ready"}, func(eventbus.Event) {
		close(subscribed)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	s.Check(t, `
		local sub = events.subscribe("go")
		events.send("test", "ready", "p")
		local e = sub:channel():receive()
		assert(e.data.status == "running" and e.data.retries == 2)`)
}
