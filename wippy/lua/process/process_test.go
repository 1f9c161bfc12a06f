// SPDX-License-Identifier: Apache-2.0

package process_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/lua/ctx"
	"github.com/wippyrun/kit/wippy/lua/funcs"
	"github.com/wippyrun/kit/wippy/lua/luatest"
	"github.com/wippyrun/kit/wippy/lua/process"
	luatime "github.com/wippyrun/kit/wippy/lua/time"
	"github.com/wippyrun/kit/wippy/system/clock"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/security"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// programs are what the snippets spawn.
var programs = map[string]string{
	"app:seven":  `return { main = function() return 7 end }`,
	"app:args":   `return { main = function(...) return { n = select("#", ...), ... } end }`,
	"app:fail":   `return { main = function() error("went wrong") end }`,
	"app:refuse": `return { main = function() return nil, errors.new { message = "no", kind = "Conflict", details = { a = 1 } } end }`,
	"app:who":    `return { main = function() return { pid = process.pid(), id = process.id() } end }`,
	"app:nomain": `return { other = function() end }`,
	"app:broken": `error("cannot load")`,
	"app:idle": `return { main = function()
		local events = process.events()
		while true do
			local e = events:receive()
			if e.kind == process.event.CANCEL then return e end
		end
	end }`,
	"app:stubborn": `return { main = function() process.inbox():receive() end }`,
	"app:spin":     `return { main = function() while true do end end }`,
	"app:echo": `return { main = function()
		local inbox = process.inbox()
		while true do
			local m = inbox:receive()
			if m:topic() == "stop" then return end
			if m:topic() == "fail" then error("told to") end
			process.send(m:from(), m:topic(), m:payload() and m:payload():data())
		end
	end }`,
}

func newSystem(tb testing.TB) *luatest.System {
	s := luatest.New(tb, func(s *luatest.System) {
		c := clock.New()
		c.Register(s.Dispatch)
		process.Register(s.Dispatch, s.Processes)
		funcs.Register(s.Dispatch, s.Functions)
		s.Register(luatime.Module(c, s.Router.Send), funcs.Module(nil), ctx.Module(), process.Module(process.Deps{
			Send: s.Router.Send, Topology: s.Topology, Manager: s.Processes, Factories: s.Factories,
		}))
		s.Process.OnControl = process.Control
	})
	for id, source := range programs {
		s.Define(id, source)
	}
	return s
}

// prelude are helpers the snippets use.
const prelude = `
	local HOST = "app:processes"
	local function fails(kind, text, v, err)
		assert(not v, "no error")
		assert(err:kind() == kind, err:kind() .. ": " .. err:message())
		assert(string.find(err:message(), text, 1, true), err:message())
		assert(err:retryable() ~= true)
	end
`

func check(t *testing.T, cases map[string]string) {
	t.Helper()
	for name, body := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newSystem(t).Check(t, prelude+body)
		})
	}
}

func TestIdentity(t *testing.T) {
	check(t, map[string]string{
		"pid and id": `assert(string.match(process.pid(), "^{app:processes|0x%x+}$")) assert(process.id() == "app:test")`,
		"constants": `
			assert(process.event.CANCEL == "pid.cancel" and process.event.EXIT == "pid.exit")
			assert(process.event.LINK_DOWN == "pid.link.down" and process.event.OUTDATED == "pid.outdated")
			local r = process.registry
			assert(r.LOCAL == 0 and r.EVENTUAL == 1 and r.CONSISTENT == 2 and r.STRONG == 3)`,
		"read only": `assert(not pcall(function() process.pid = nil end)) assert(not pcall(function() process.event.EXIT = 1 end))`,
		"options": `
			local o = process.get_options()
			assert(o.trap_links == false and o.upgradable == false)
			assert(process.set_options({ trap_links = true }) == true)
			assert(process.get_options().trap_links == true)
			fails("Invalid", "trap_links must be a boolean", process.set_options({ trap_links = 1 }))
			fails("Invalid", "upgradable must be a boolean", process.set_options({ upgradable = "x" }))
			fails("Invalid", "option nope is not supported", process.set_options({ nope = true, upgradable = true }))
			assert(process.get_options().upgradable == true, "good keys count")
			fails("Invalid", "options parameter must be a table", process.set_options(1))`,
		"required by name": `assert(require("process") == process)`,
	})
}

func TestMessages(t *testing.T) {
	check(t, map[string]string{
		"to itself": `
			assert(process.send(process.pid(), "t", 1, "two"))
			local m, ok = process.inbox():receive()
			assert(ok and m:topic() == "t" and m:from() == process.pid())
			assert(tostring(m) == "process.Message{topic=t}")
			local p = m:payload()
			assert(p[1]:data() == 1 and p[2]:data() == "two")`,
		"no payload": `process.send(process.pid(), "t") assert(process.inbox():receive():payload() == nil)`,
		"order": `
			local echo = process.spawn("app:echo", HOST)
			local inbox = process.inbox()
			for i = 1, 100 do assert(process.send(echo, "n", i)) end
			for i = 1, 100 do
				local m = inbox:receive()
				assert(m:from() == echo and m:payload():data() == i)
			end`,
		"copies": `
			local t = { n = 1, inner = { "a" }, ch = channel.new() }
			process.send(process.pid(), "t", t)
			t.n = 2
			t.inner[1] = "b"
			local got = process.inbox():receive():payload():data()
			assert(got.n == 1 and got.inner[1] == "a" and got.ch == nil)`,
		"listen and inbox": `
			local a = process.listen("a")
			local inbox = process.inbox()
			assert(process.listen("a") == a and process.inbox() == inbox)
			local me = process.pid()
			process.send(me, "a", "raw")
			process.send(me, "b", "boxed")
			process.send(me, "a", 1, 2)
			process.send(me, "a")
			assert(a:receive() == "raw")
			assert(inbox:receive():payload():data() == "boxed")
			local list = a:receive()
			assert(list[1] == 1 and list[2] == 2)
			assert(a:receive() == nil)
			assert(process.unlisten(a) == true)
			local v, ok = a:receive()
			assert(v == nil and ok == false)
			process.send(me, "a", "later")
			assert(inbox:receive():payload():data() == "later")`,
		"listen for messages": `
			local a = process.listen("a", { message = true })
			process.send(process.pid(), "a", 5)
			assert(a:receive():payload():data() == 5)`,
		"sent before the inbox exists": `
			process.send(process.pid(), "a", 1)
			process.send(process.pid(), "b", 2)
			local inbox = process.inbox()
			assert(inbox:receive():topic() == "a" and inbox:receive():topic() == "b")`,
		"errors": `
			local me = process.pid()
			fails("Invalid", "send requires at least destination and topic arguments", process.send(me))
			fails("Invalid", "cannot send to @ topics", process.send(me, "@x", 1))
			fails("NotFound", "could not resolve 'no-such-name' as PID or registered name", process.send("no-such-name", "t"))
			fails("NotFound", "not found", process.send("{app:processes|0xfffff}", "t"))
			fails("NotFound", "host not found", process.send("{app:nohost|0x00001}", "t"))
			fails("Invalid", "topic cannot be empty", process.listen(""))
			fails("Invalid", "cannot listen to @ topics", process.listen("@x"))
			assert(not pcall(process.send, {}, "t"))
			assert(not pcall(process.unlisten, 1))
			fails("NotFound", "channel not found", process.unlisten(channel.new()))`,
		"finished process": `
			local events = process.events()
			local pid = process.spawn_monitored("app:seven", HOST)
			events:receive()
			fails("NotFound", "not found", process.send(pid, "t"))`,
	})
}

func TestSpawning(t *testing.T) {
	check(t, map[string]string{
		"arguments": `
			local got = process.exec("app:args", HOST, 1, nil, { x = "y" })
			assert(got.n == 3 and got[1] == 1 and got[2] == nil and got[3].x == "y")`,
		"own identity": `
			local events = process.events()
			local pid = process.spawn_monitored("app:who", HOST)
			local got = events:receive().result.value
			assert(got.pid == pid and got.id == "app:who" and pid ~= process.pid())`,
		"exec error": `
			local v, err = process.exec("app:refuse", HOST)
			assert(v == nil and err:kind() == "Conflict" and err:message() == "no" and err:details().a == 1)`,
		"errors": `
			fails("Invalid", "spawn requires at least id and host arguments", process.spawn("app:seven"))
			fails("Invalid", "spawn_linked_monitored requires at least id and host arguments", process.spawn_linked_monitored())
			fails("NotFound", "host not found", process.spawn("app:seven", "app:nohost"))
			fails("NotFound", "factory not found", process.spawn("app:nope", HOST))
			fails("NotFound", 'method "main" not found in module', process.spawn("app:nomain", HOST))
			fails("Internal", "failed to execute script: ", process.spawn("app:broken", HOST))
			local _, err = process.spawn("app:seven", "app:nohost")
			assert(err:details().host_id == "app:nohost")
			assert(not pcall(process.spawn, {}, HOST))`,
		"exec argument errors": `
			fails("Invalid", "exec requires id and host arguments", process.exec("app:seven"))
			fails("Invalid", "process ID required", process.exec("", HOST))
			fails("Invalid", "invalid process ID format (namespace:name required)", process.exec("seven", HOST))
			fails("Invalid", "host ID required", process.exec("app:seven", ""))
			fails("Internal", "host not found", process.exec("app:seven", "app:nohost"))
			fails("Internal", "factory not found", process.exec("app:nope", HOST))`,
		"spawner": `
			local s = process.with_context({ a = 1 })
			local t = s:with_message("hello", "x"):with_message("hello", "y", "z")
			assert(s ~= t)
			local pid = t:spawn("app:echo", HOST)
			assert(string.find(pid, "app:processes", 1, true))
			process.cancel(pid)
			assert(process.with_options({}):with_context({ a = 1 }):exec("app:seven", HOST) == 7)`,
		"spawn or signal": `
			local one = process.with_context({}):with_name("solo")
			local inbox = process.inbox()
			local first = one:spawn("app:echo", HOST)
			assert(process.registry.lookup("solo") == first)
			local second = one:with_message("stop"):spawn_monitored("app:echo", HOST)
			assert(first == second, "a second process")
			assert(process.exec("app:seven", HOST) == 7)`,
		"spawner raises": `
			local s = process.with_context({})
			local function raises(text, fn, ...)
				local ok, err = pcall(fn, ...)
				assert(not ok and string.find(tostring(err), text, 1, true), err)
			end
			raises("name cannot be empty", s.with_name, s, "")
			raises("cannot send to @ topics", s.with_message, s, "@x")
			raises("spawn requires at least id and host arguments", s.spawn, s, "app:seven")
			raises("table", process.with_context)
			fails("NotFound", "host not found", s:spawn("app:seven", "app:nohost"))`,
	})
}

func TestEvents(t *testing.T) {
	check(t, map[string]string{
		"exit with a value": `
			local events = process.events()
			local pid = process.spawn_monitored("app:seven", HOST)
			local e = events:receive()
			assert(e.kind == process.event.EXIT and e.from == pid and e.at > 1600000000)
			assert(e.result.value == 7 and e.result.error == nil and e.error == nil)`,
		"exit with an error": `
			local events = process.events()
			process.spawn_monitored("app:fail", HOST)
			local e = events:receive()
			assert(string.find(e.result.error:message(), "went wrong", 1, true) and e.error == nil)
			assert(string.find(e.result.error:message(), "app:fail:1", 1, true))`,
		"monitor later": `
			local pid = process.spawn("app:echo", HOST)
			assert(process.monitor(pid) == true)
			fails("Internal", "already monitoring pid", process.monitor(pid))
			assert(process.unmonitor(pid) == true and process.unmonitor(pid) == true)
			assert(process.monitor(pid) == true)
			local events = process.events()
			process.send(pid, "stop")
			assert(events:receive().from == pid)
			fails("Internal", "pid not registered", process.monitor(pid))`,
		"cancel": `
			local events = process.events()
			local pid = process.spawn_monitored("app:idle", HOST)
			assert(process.cancel(pid, "why") == true)
			local seen = events:receive().result.value
			assert(seen.kind == "pid.cancel" and seen.from == process.pid() and seen.reason == "why")
			local again = process.spawn_monitored("app:idle", HOST)
			process.cancel(again)
			assert(events:receive().result.value.reason == "")
			fails("Internal", "process not found", process.cancel(again))
			fails("Invalid", "cancel requires at least destination argument", process.cancel())`,
		"terminate": `
			local events = process.events()
			for _, id in ipairs({ "app:stubborn", "app:spin" }) do
				local pid = process.spawn_monitored(id, HOST)
				assert(process.terminate(pid) == true)
				local e = events:receive()
				assert(e.from == pid and string.find(e.result.error:message(), "process terminated", 1, true))
				assert(e.result.error:kind() == "Internal")
				fails("Internal", "not found", process.terminate(pid))
			end
			assert(not pcall(process.terminate))`,
		"trapped link": `
			process.set_options({ trap_links = true })
			local events = process.events()
			local pid = process.spawn_linked("app:fail", HOST)
			local e = events:receive()
			assert(e.kind == process.event.LINK_DOWN and e.from == pid, e.from)
			assert(string.find(e.result.error:message(), "went wrong", 1, true))`,
		"link later": `
			process.set_options({ trap_links = true })
			local pid = process.spawn("app:echo", HOST)
			assert(process.link(pid) == true and process.link(pid) == true)
			process.send(pid, "fail")
			assert(process.events():receive().kind == process.event.LINK_DOWN)
			fails("Internal", "pid not registered", process.link(pid))
			assert(process.unlink(pid) == true)`,
		"both": `
			process.set_options({ trap_links = true })
			local events = process.events()
			process.spawn_linked_monitored("app:fail", HOST)
			local kinds = { [events:receive().kind] = true, [events:receive().kind] = true }
			assert(kinds["pid.exit"] and kinds["pid.link.down"])`,
		"normal end is no link down": `
			local events = process.events()
			process.set_options({ trap_links = true })
			local pid = process.spawn_linked_monitored("app:seven", HOST)
			assert(events:receive().kind == process.event.EXIT)
			local got = channel.select { events:case_receive(), time.after("20ms"):case_receive() }
			assert(got.channel ~= events)`,
		"missing arguments": `
			fails("Invalid", "monitor requires a destination argument", process.monitor())
			fails("Invalid", "unmonitor requires a destination argument", process.unmonitor())
			fails("Invalid", "link requires a destination argument", process.link())
			fails("Invalid", "unlink requires a destination argument", process.unlink())
			fails("NotFound", "could not resolve", process.link("nobody"))`,
	})
}

func TestFailedLinkFails(t *testing.T) {
	_, err := newSystem(t).Run(`process.spawn_linked("app:fail", "app:processes") process.inbox():receive()`)
	if err == nil || !strings.Contains(err.Error(), "linked process failed") {
		t.Errorf("the parent ended with %v", err)
	}
	details := fault.DetailsOf(err)
	linked, _ := details["linked"].(string)
	reason, _ := details["reason"].(string)
	if !strings.HasPrefix(linked, "{app:processes|") || !strings.Contains(reason, "went wrong") {
		t.Errorf("details %v", details)
	}
	if !errors.Is(err, topology.ErrLinkedFailed) {
		t.Errorf("%v is another error", err)
	}
}

func TestDenied(t *testing.T) {
	allowed := map[string]bool{}
	s := luatest.New(t, func(s *luatest.System) {
		process.Register(s.Dispatch, s.Processes)
		s.Register(process.Module(process.Deps{
			Send: s.Router.Send, Topology: s.Topology, Manager: s.Processes, Factories: s.Factories,
			Forbidden: func(_ *engine.Process, action, resource string, _ map[string]any) bool {
				return action == "process.upgrade" && resource == "app:seven"
			},
			Allow: func(_ *engine.Process, action, _ string, _ map[string]any) bool { return allowed[action] },
		}))
	})
	s.Define("app:seven", programs["app:seven"])
	for _, c := range []struct{ allow, call, message string }{
		{"", `process.send(me, "t")`, "not allowed to send: {app:processes|"},
		{"", `process.terminate(me)`, "not allowed to terminate: {"},
		{"", `process.cancel(me)`, "not allowed to cancel: {"},
		{"", `process.monitor(me)`, "not allowed to monitor: {"},
		{"", `process.unmonitor(me)`, "not allowed to unmonitor: {"},
		{"", `process.link(me)`, "not allowed to link: {"},
		{"", `process.unlink(me)`, "not allowed to unlink: {"},
		{"", `process.spawn("app:seven", HOST)`, "not allowed to spawn process: app:seven"},
		{"process.spawn", `process.spawn_monitored("app:seven", HOST)`, "not allowed to spawn monitored process: app:seven"},
		{"process.spawn", `process.spawn_linked("app:seven", HOST)`, "not allowed to spawn linked process: app:seven"},
		{"process.spawn", `process.spawn("app:seven", HOST)`, "not allowed to spawn on host: app:processes"},
		{"", `process.exec("app:seven", HOST)`, "not allowed to exec process: app:seven"},
		{"process.exec", `process.exec("app:seven", HOST)`, "not allowed to exec on host: app:processes"},
		{"", `process.upgrade("app:seven")`, "not allowed to upgrade process: app:seven"},
		{"", `process.registry.register("n")`, "not allowed to register name: n"},
		{"", `process.registry.register("n", nil, 2)`, "not allowed to register name (consistent): n"},
		{"process.registry.register", `process.registry.register("n", "{a|b}")`, `not allowed to register foreign pid {a|b} under name "n"`},
		{"", `process.registry.unregister("n")`, "not allowed to unregister name: n"},
	} {
		clear(allowed)
		allowed[c.allow] = true
		s.Check(t, prelude+`local me = process.pid() fails("PermissionDenied", [[`+c.message+`]], `+c.call+`)`)
	}
	clear(allowed)
	s.Check(t, `
		local ok, err = pcall(process.with_context, {})
		assert(not ok and string.find(tostring(err), "not allowed to spawn processes with custom context", 1, true), err)
		ok, err = pcall(process.with_options, {})
		assert(not ok and string.find(tostring(err), "not allowed to spawn processes with custom options", 1, true), err)`)
	allowed["process.context"] = true
	s.Check(t, `
		local ok, err = pcall(function() process.with_context({}):spawn("app:seven", "app:processes") end)
		assert(not ok and err:kind() == "PermissionDenied" and err:message() == "not allowed to spawn process: app:seven", err)`)
}

func TestUpgrade(t *testing.T) {
	s := newSystem(t)
	s.Define("app:counting", `return { main = function(n)
		if n == 1 then
			process.registry.register("counting")
			process.set_options({ trap_links = true })
			process.send(process.pid(), "early", "kept")
		end
		assert(process.registry.lookup("counting") == process.pid())
		if n < 4 then
			process.upgrade(n % 2 == 0 and process.id() or nil, n + 1)
			error("upgrade returned")
		end
		local kept = process.inbox():receive()
		return { pid = process.pid(), n = n, topic = kept:topic(), trap = process.get_options().trap_links }
	end }`)
	s.Define("app:into", `return { main = function(id, ...) process.upgrade(id, ...) end }`)
	s.Check(t, prelude+`
		local events = process.events()
		local pid = process.spawn_monitored("app:counting", HOST, 1)
		local r = events:receive().result
		assert(not r.error, r.error)
		assert(r.value.pid == pid and r.value.n == 4 and r.value.topic == "early" and r.value.trap == false)

		assert(process.exec("app:into", HOST, "app:seven") == 7)
		assert(process.exec("app:into", HOST, "app:args", "x").n == 1)
		for _, id in ipairs({ "app:nope", "app:nomain", "app:broken" }) do
			local v, err = process.exec("app:into", HOST, id)
			assert(v == nil and string.find(err:message(), "upgrade: create failed: ", 1, true) == 1, err)
		end
		assert(not pcall(process.upgrade, {}))`)
}

func TestNames(t *testing.T) {
	check(t, map[string]string{
		"register": `
			local r = process.registry
			assert(r.register("n") == true and r.register("n") == true)
			assert(r.lookup("n") == process.pid() and r.lookup("n", r.LOCAL) == process.pid())
			process.send("n", "t", 1)
			assert(process.inbox():receive():payload():data() == 1)
			assert(r.unregister("n") == true and r.unregister("n") == false)
			fails("NotFound", "name not registered", r.lookup("n"))`,
		"another process": `
			local r = process.registry
			local pid = process.spawn("app:echo", HOST)
			assert(r.register("other", pid) == true and r.lookup("other") == pid)
			fails("AlreadyExists", "name already registered", r.register("other"))
			local events = process.events()
			process.monitor("other")
			process.send("other", "stop")
			events:receive()
			fails("NotFound", "name not registered", r.lookup("other"))`,
		"errors": `
			local r = process.registry
			fails("Invalid", "pid must be a string", r.register("n", 1))
			fails("Invalid", "invalid pid", r.register("n", "x"))
			fails("Invalid", "scope must be a number (process.registry.LOCAL|EVENTUAL|CONSISTENT|STRONG)", r.register("n", nil, 9))
			fails("Invalid", "scope must be process.registry.LOCAL|EVENTUAL|CONSISTENT|STRONG", r.lookup("n", "x"))
			fails("Internal", "eventual registry not available", r.register("n", nil, r.EVENTUAL))
			fails("Internal", "global registry not available", r.lookup("n", r.STRONG))
			assert(not pcall(r.register, {}))`,
	})
}

// TestPoliciesSeeThePID asks with an actor and a scope, and without.
func TestPoliciesSeeThePID(t *testing.T) {
	var seen []any
	s := luatest.New(t, func(s *luatest.System) {
		process.Register(s.Dispatch, s.Processes)
		s.Register(process.Module(process.Deps{
			Send: s.Router.Send, Topology: s.Topology, Manager: s.Processes, Factories: s.Factories,
			Allow: func(_ *engine.Process, _, _ string, meta map[string]any) bool {
				seen = append(seen, meta["pid"])
				return true
			},
		}))
	})
	s.Check(t, `process.send(process.pid(), "t")`)
	s.Frame = appctx.NewFrame()
	if err := security.Enter(s.Frame, &security.Actor{ID: "alice"}, security.NewScope()); err != nil {
		t.Fatal(err)
	}
	pid, err := s.Run(`process.send(process.pid(), "t") return process.pid()`)
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) != 2 || seen[0] != nil || seen[1] != pid {
		t.Errorf("seen %v, want the PID %v with the second", seen, pid)
	}
}
