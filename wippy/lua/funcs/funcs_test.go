// SPDX-License-Identifier: Apache-2.0

package funcs_test

import (
	"context"
	"sync"
	"testing"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/lua/funcs"
	"github.com/wippyrun/kit/wippy/lua/luatest"
	"github.com/wippyrun/kit/wippy/lua/process"
	luatime "github.com/wippyrun/kit/wippy/lua/time"
	"github.com/wippyrun/kit/wippy/system/clock"
	"github.com/wippyrun/kit/wippy/system/functions"
)

var library = map[string]string{
	"app:add":    `return { main = function(a, b) return a + b end }`,
	"app:args":   `return { main = function(...) return { n = select("#", ...), ... } end }`,
	"app:bad":    `return { main = function() return nil, "bad" end }`,
	"app:oops":   `return { main = function() error("oops") end }`,
	"app:detail": `return { main = function() return nil, errors.new { message = "m", kind = "Conflict", retryable = true, details = { a = 1 } } end }`,
	"app:stuck":  `return { main = function() channel.new():receive() end }`,
	"app:second": `return { main = function() return 1, 42 end }`,
}

func newSystem(tb testing.TB) *luatest.System {
	s := luatest.New(tb, func(s *luatest.System) {
		c := clock.New()
		c.Register(s.Dispatch)
		funcs.Register(s.Dispatch, s.Functions)
		process.Register(s.Dispatch, s.Processes)
		s.Register(funcs.Module(nil), luatime.Module(c, s.Router.Send), process.Module(process.Deps{
			Send: s.Router.Send, Topology: s.Topology, Manager: s.Processes, Factories: s.Factories,
		}))
		s.Process.OnControl = process.Control
	})
	for id, source := range library {
		s.DefineFunction(id, source)
	}
	s.Functions.Register("app:go", func(_ context.Context, task functions.Task, done functions.Done) func() {
		done(payload.New(map[string]any{"caller": task.Caller.String(), "options": task.Options}), nil)
		return func() {}
	}, map[string]any{"default": true})
	// A call of app:three ends when three are under way.
	var mu sync.Mutex
	var waiting []functions.Done
	s.Functions.Register("app:three", func(_ context.Context, _ functions.Task, done functions.Done) func() {
		mu.Lock()
		defer mu.Unlock()
		if waiting = append(waiting, done); len(waiting) == 3 {
			for _, done := range waiting {
				done(payload.New("all here"), nil)
			}
			waiting = nil
		}
		return func() {}
	}, nil)
	return s
}

const prelude = `
	local function fails(kind, text, v, err)
		assert(v == nil, "no error")
		assert(err:kind() == kind, err:kind() .. ": " .. err:message())
		assert(string.find(err:message(), text, 1, true), err:message())
	end
`

func check(t *testing.T, cases map[string]string) {
	t.Helper()
	s := newSystem(t)
	for name, body := range cases {
		t.Run(name, func(t *testing.T) { s.Check(t, prelude+body) })
	}
}

func TestCall(t *testing.T) {
	check(t, map[string]string{
		"result":    `local v, err = funcs.call("app:add", 1, 2) assert(v == 3 and err == nil)`,
		"arguments": `local got = funcs.call("app:args", nil, { "x" }, nil) assert(got.n == 3 and got[2][1] == "x")`,
		"copies":    `local t = { 1 } local got = funcs.call("app:args", t) got[1][1] = 2 assert(t[1] == 1)`,
		"second":    `local v, err = funcs.call("app:second") assert(v == 1 and err == nil)`,
		"go result": `local got = funcs.call("app:go") assert(got.caller == process.pid() and got.options.default == true)`,
		"text error": `
			local v, err = funcs.call("app:bad")
			assert(v == nil and err:kind() == "Internal" and err:message() == "bad" and err:retryable() == false)`,
		"error object": `
			local _, err = funcs.call("app:detail")
			assert(err:kind() == "Conflict" and err:message() == "m" and err:retryable() == true and err:details().a == 1)`,
		"raised": `fails("Internal", "oops", funcs.call("app:oops")) fails("Internal", "app:oops:1", funcs.call("app:oops"))`,
		"no id":  `fails("Invalid", "function ID required", funcs.call(""))`,
		"no namespace": `
			fails("Invalid", "namespace required in function ID", funcs.call("x"))
			fails("Invalid", "namespace required in function ID", funcs.call(":x"))`,
		"no name":  `fails("Invalid", "name required in function ID", funcs.call("app:"))`,
		"unknown":  `fails("NotFound", "no handler registered for target", funcs.call("app:none"))`,
		"details":  `local _, err = funcs.call("app:none") assert(err:details().target == "app:none")`,
		"not text": `assert(not pcall(funcs.call, {}))`,
		"nested":   `assert(funcs.call("app:add", funcs.call("app:add", 1, 1), 1) == 3)`,
		"in pcall": `local ok, v = pcall(funcs.call, "app:add", 1, 1) assert(ok and v == 2)`,
	})
}

func TestExecutor(t *testing.T) {
	check(t, map[string]string{
		"call":    `assert(funcs.new():call("app:add", 1, 2) == 3)`,
		"async":   `assert(funcs.new():async("app:add", 1, 2):channel():receive():data() == 3)`,
		"options": `local got = funcs.new():with_options({ a = 1 }):with_options({ b = 2 }):call("app:go") assert(got.options.a == nil and got.options.b == 2 and got.options.default)`,
		"new one": `local e = funcs.new() assert(e:with_context({}) ~= e and e:with_options({}) ~= e)`,
		"bad arguments": `
			assert(not pcall(function() funcs.new():with_context(1) end))
			assert(not pcall(function() funcs.new():with_options() end))
			assert(not pcall(funcs.new().call, {}, "app:add"))
			fails("Invalid", "function ID required", funcs.new():call(""))
			fails("Invalid", "function ID required", funcs.new():async(""))`,
	})
}

func TestAsync(t *testing.T) {
	check(t, map[string]string{
		"outcome": `
			local f, err = funcs.async("app:add", 1, 2)
			assert(err == nil and f:channel() == f:response())
			local v, e = f:result()
			assert(v == nil and e == nil and not f:is_complete())
			local p, ok = f:response():receive()
			assert(ok and p:data() == 3 and f:is_complete() and not f:is_canceled())
			p, ok = f:response():receive()
			assert(p == nil and ok == false)
			assert(f:result():data() == 3)
			local none, failed = f:error()
			assert(none == nil and failed == false)`,
		"failure": `
			local f = funcs.async("app:detail")
			local e, ok = f:channel():receive()
			assert(ok == true and e:kind() == "Conflict")
			local err, failed = f:error()
			assert(failed == true and err:kind() == "Internal" and err:message() == "m")
			local v, res = f:result()
			assert(v == nil and res:kind() == "Conflict")`,
		"unknown": `
			local e, ok = funcs.async("app:none"):channel():receive()
			assert(ok and e:kind() == "NotFound")`,
		"cancel": `
			local f = funcs.async("app:stuck")
			assert(f:cancel() == true and f:is_canceled() == true)
			fails("Canceled", "canceled", f:result())
			local v, ok = f:channel():receive()
			assert(v == nil and ok == false and f:cancel() == true)`,
		"cancel too late": `
			local f = funcs.async("app:add", 1, 1)
			f:channel():receive()
			f:cancel()
			assert(not f:is_canceled() and f:result():data() == 2)`,
		"at the same time": `
			local futures = {}
			for i = 1, 3 do futures[i] = funcs.async("app:three", i) end
			for i = 1, 3 do assert(futures[i]:channel():receive():data() == "all here") end`,
		"with a time limit": `
			local f = funcs.async("app:stuck")
			local limit = time.after("5ms")
			local got = channel.select { f:channel():case_receive(), limit:case_receive() }
			assert(got.channel == limit)`,
	})
}

// TestCalleeEndsWithItsCaller terminates a process that waits for a call.
func TestCalleeEndsWithItsCaller(t *testing.T) {
	s := newSystem(t)
	started, canceled := make(chan struct{}), make(chan struct{})
	s.Functions.Register("app:wait", func(_ context.Context, _ functions.Task, done functions.Done) func() {
		close(started)
		return func() {
			close(canceled)
			done(payload.Payload{}, engine.NewError(engine.KindCanceled, "context canceled"))
		}
	}, nil)
	s.Define("app:caller", `return { main = function() funcs.call("app:wait") end }`)
	s.Functions.Register("app:until_started", func(_ context.Context, _ functions.Task, done functions.Done) func() {
		<-started
		done(payload.New(true), nil)
		return func() {}
	}, nil)
	s.Check(t, `
		local pid = process.spawn_monitored("app:caller", "app:processes")
		funcs.call("app:until_started")
		process.terminate(pid)
		process.events():receive()`)
	<-canceled
}

func TestDenied(t *testing.T) {
	s := luatest.New(t, func(s *luatest.System) {
		funcs.Register(s.Dispatch, s.Functions)
		s.Register(funcs.Module(func(_ *engine.Process, action, resource string, _ map[string]any) bool {
			return action == "funcs.call" && resource == "app:allowed"
		}))
	})
	s.DefineFunction("app:allowed", `return { main = function() return 1 end }`)
	s.Check(t, prelude+`
		assert(funcs.call("app:allowed") == 1)
		fails("PermissionDenied", "not allowed: app:other", funcs.call("app:other"))
		fails("PermissionDenied", "not allowed: app:other", funcs.async("app:other"))
		fails("PermissionDenied", "not allowed to call functions with custom context", funcs.new():with_context({}))
		local ok, err = pcall(function() funcs.new():with_options({ network = "app:net" }) end)
		assert(not ok and string.find(err, "not allowed: network app:net", 1, true), err)`)
}

// BenchmarkCall measures what the module adds to a function that does nothing.
func BenchmarkCall(b *testing.B) {
	s := newSystem(b)
	s.Functions.Register("app:nothing", func(_ context.Context, _ functions.Task, done functions.Done) func() {
		done(payload.Payload{}, nil)
		return func() {}
	}, nil)
	b.ReportAllocs()
	if _, err := s.Run(`for i = 1, (...) do funcs.call("app:nothing", i) end`, b.N); err != nil {
		b.Fatal(err)
	}
}
