// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/wippyrun/kit/luart/engine"
)

// TestRunawayPrograms terminates programs that would never end by themselves.
func TestRunawayPrograms(t *testing.T) {
	for _, body := range []string{
		`while true do end`,
		`while true do pcall(function() while true do end end) end`,
		`while true do pcall(test.call, function() while true do end end) end`,
		`local t = setmetatable({}, {__index = function() while true do end end}) while true do pcall(function() return t.x end) end`,
		`while true do test.call(function() pcall(function() while true do end end) end) end`,
		`while true do local co = coroutine.create(function() while true do end end) coroutine.resume(co) end`,
		`local s = ("a"):rep(200) while true do pcall(string.find, s, ("a*"):rep(30) .. "b") end`,
		`local function f() return f() end f()`,
		`for i = 1, math.huge do local ok = pcall(error, "x") end`,
		`xpcall(function() while true do end end, function() while true do end end)`,
	} {
		m := start(t, newEngine(t), "return function() "+body+" end")
		stop := context.AfterFunc(m.t.(*testing.T).Context(), m.cancel)
		timer := time.AfterFunc(20*time.Millisecond, m.cancel)
		done := make(chan struct{})
		go func() { m.run(); close(done) }()
		select {
		case <-done:
		case <-time.After(time.Minute):
			t.Fatalf("cannot be stopped: %s", body)
		}
		timer.Stop()
		stop()
		if m.err != context.Canceled {
			t.Errorf("%s: ended with %v %v", body, m.result, m.err)
		}
	}
}

func TestRunawayWhileLoading(t *testing.T) {
	e := newEngine(t)
	p := e.NewProcess(engine.ProcessOptions{Program: link(t, e, "while true do end")})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := p.Init(ctx, "", nil); err != context.DeadlineExceeded {
		t.Errorf("%v", err)
	}
}

func TestRecursionWithoutEnd(t *testing.T) {
	for _, body := range []string{
		`local function f() return 1 + f() end f()`,
		`local function f() local x = {} f() return x end f()`,
		`local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k .. "x"] end return t.a`,
		`local t = setmetatable({}, {__add = function(a, b) return a + b end}) return t + 1`,
		`local function f() return test.call(f) end f()`,
		`local function f() local r = test.call(function() return 1 + f() end) return r end f()`,
		`local function f() local r = select(2, pcall(f)) error(r, 0) end f()`,
		`local function f() local r = coroutine.wrap(f)() return r end f()`,
		`local t = setmetatable({}, {__tostring = function(t) return tostring(t) end}) tostring(t)`,
		`local function f() return ("x"):gsub("x", f) .. "" end f()`,
		`local function f() table.sort({2, 1}, f) return true end f()`,
	} {
		_, err := eval(t, body)
		if err == nil || !strings.Contains(err.Error(), "overflow") {
			t.Errorf("%s: %v", body, err)
		}
		v, err := eval(t, "local ok = pcall(function() "+body+" end) return tostring(ok) .. test.wait(1)")
		if err != nil || v.String() != "false1" {
			t.Errorf("%s caught: %v %v", body, v, err)
		}
	}
}

// TestOverflowKeepsUpvalues checks that closures made before an overflow still
// see their variables.
func TestOverflowKeepsUpvalues(t *testing.T) {
	v, err := eval(t, `
local kept = {}
local function f(n)
	local x = n
	kept[#kept + 1] = function() x = x + 1 return x end
	local r = f(n + 1)
	return r
end
local ok, e = pcall(f, 1)
assert(not ok and e:find("stack overflow"), e)
assert(#kept > 10000, #kept)
for i = 1, #kept do assert(kept[i]() == i + 1, i) end
return #kept > 10000`)
	if err != nil || v.String() != "true" {
		t.Errorf("%v %v", v, err)
	}
}

func TestLimits(t *testing.T) {
	e := newEngine(t, engine.WithMaxString(1<<20))
	for _, body := range []string{
		`("x"):rep(2e6)`,
		`("x"):rep(1e3):rep(1e4)`,
		`("x"):rep(6e5):gsub("x", "xx")`,
		`("x"):rep(6e5):gsub("x", function() return "xx" end)`,
		`unpack({}, 1, 1e8)`,
		`table.insert({}, 6e7, 1)`,
		`string.pack("c2000000", "")`,
		`(function(s) while true do s = s .. s end end)("x")`,
		`(function(s) while true do s = s .. "," .. s end end)("x")`,
		`table.concat({("x"):rep(9e5), ("x"):rep(9e5)})`,
		`string.format("%s%s", ("x"):rep(9e5), ("x"):rep(9e5))`,
	} {
		m := start(t, e, "return function() return pcall(function() local x = "+body+" end) and 'passed' or 'refused' end").run()
		if str(m.result) != "refused" {
			t.Errorf("%s: %v %v", body, m.result, m.err)
		}
	}
}
