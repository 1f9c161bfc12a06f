// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"os"
	"path/filepath"
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// TestCorpus runs the programs in testdata. Each asserts what it is about and
// returns "done".
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("testdata/*.lua")
	if err != nil || len(files) == 0 {
		t.Fatal("no programs", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			v, err := eval(t, string(source))
			if err != nil {
				t.Fatal(stackOf(err))
			}
			if v.String() != "done" {
				t.Errorf("returned %v", v)
			}
		})
	}
}

func str(v lua.LValue) string {
	if v == nil {
		return ""
	}
	return v.String()
}

func stackOf(err error) string {
	if err == nil {
		return ""
	}
	if s, ok := err.(interface{ Stack() string }); ok {
		return s.Stack()
	}
	return err.Error()
}

// TestYieldAnywhere covers each place a call may wait in, and each way its results
// are used.
func TestYieldAnywhere(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"return test.wait(5)", "5"},
		{"local a = test.wait(5) return a", "5"},
		{"local a, b = test.wait(5) return tostring(b)", "nil"},
		{"local a, b, c = test.two() return tostring(a) .. tostring(b) .. tostring(c)", "12nil"},
		{"return select('#', test.two())", "2"},
		{"return (test.two())", "1"},
		{"local t = {test.two()} return #t", "2"},
		{"local ok, v = pcall(function() return test.wait(7) end) return v", "7"},
		{"local ok, v = pcall(function() local x = test.wait(7) return x end) return v", "7"},
		{"return select('#', pcall(test.two))", "3"},
		{"local ok, v = pcall(test.wait, 8) return v", "8"},
		{"local ok, v = pcall(pcall, test.wait, 8) return tostring(v)", "true"},
		{"local _, e = test.fail() return e:kind()", "Timeout"},
		{"local ok, e = pcall(test.refuse) return e", "refused"},
		{"local ok, e = pcall(function() local x = test.refuse() return x end) return e", "refused"},
		{"local s = 0 for i = 1, 3 do s = s + test.wait(i) end return s", "6"},
		{"local co = coroutine.create(function() return test.wait(3) end) return select(2, coroutine.resume(co))", "3"},
		{"local co = coroutine.wrap(function() coroutine.yield(test.wait(3)) return test.wait(4) end) return co() .. co()", "34"},
		{"return xpcall(function() error(test.wait('a'), 0) end, function(e) return e .. test.wait('b') end) or 'no'", "no"},
		{"return select(2, xpcall(function() error(test.wait('a'), 0) end, function(e) return e .. test.wait('b') end))", "ab"},
		{"local function f(n) if n == 0 then return test.wait(1) end return 1 + f(n - 1) end return f(5000)", "5001"},
		{"local function f(n) if n == 0 then return test.wait(1) end return f(n - 1) end return f(5000)", "1"},
		{"local t = setmetatable({}, {__call = function(self, x) return test.wait(x) end}) return t(4)", "4"},
		{"local function it() local i = 0 return function() i = i + 1 if i < 4 then return test.wait(i) end end end local s = 0 for i in it() do s = s + i end return s", "6"},
	} {
		v, err := eval(t, c.src)
		if err != nil {
			t.Errorf("%s: %v", c.src, stackOf(err))
		} else if v.String() != c.want {
			t.Errorf("%s = %s, want %s", c.src, v, c.want)
		}
	}
}
