package engine_test

import "testing"

func TestSmoke(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"return 1+1", "2"},
		{"return test.wait(5)", "5"},
		{"local a = test.wait(5) return a", "5"},
		{"local a,b = test.wait(5) return tostring(b)", "nil"},
		{"local a,b,c = test.two() return tostring(a)..tostring(b)..tostring(c)", "12nil"},
		{"local ok, v = pcall(function() return test.wait(7) end) return v", "7"},
		{"local ok, v = pcall(test.wait, 8) return v", "8"},
		{"local ok, v = pcall(error, 'x') return v", "x"},
		{"local ok, v = pcall(function() error('x') end) return v", "app:test:1: x"},
		{"local n, e = test.fail() return e:kind()", "Timeout"},
		{"local ok, e = pcall(test.refuse) return e", "refused"},
		{"local ok, e = pcall(function() local x = test.refuse() return x end) return e", "refused"},
		{"local co = coroutine.wrap(function(a) local b = coroutine.yield(a+1) return b*2 end) return co(1) + co(10)", "22"},
		{"local co = coroutine.create(function() return test.wait(3) end) local ok, v = coroutine.resume(co) return v", "3"},
		{"local r = {} for i in coroutine.wrap(function() for i=1,3 do test.wait(1) coroutine.yield(i) end end) do r[#r+1]=i end return #r", "3"},
		{"return select('#', pcall(function() end))", "1"},
		{"local function f(n) if n == 0 then return 0 end return 1 + f(n-1) end return f(10000)", "10000"},
		{"local function f(n) return 1 + f(n) end local ok, e = pcall(f, 1) return e", "app:test:1: stack overflow"},
		{"local t = setmetatable({}, {__index=function(t,k) return test.wait(1) end}) local ok,e = pcall(function() return t.x end) return e", "app:test:1: attempt to yield across a metamethod/Go callback boundary (wait)"},
		{"local t = setmetatable({}, {__index=function(t,k) local ok, e = pcall(error, 'in') return e end}) return t.x", "in"},
		{"return test.call(function() return pcall(test.call, function() return 1 end) and 5 end)", "5"},
		{"local co = coroutine.wrap(function() coroutine.yield(4) end) return test.call(function() return co() end)", "4"},
		{"local ch = channel.new(0) coroutine.spawn(function() ch:send(9) end) local v, ok = ch:receive() return v", "9"},
		{"local r = channel.select{ test.after(1):case_receive() } return r.value", "1"},
		{"return pcall(test.panic) and 1 or 2", "2"},
		{"x = 5 return _G.x + (_G._G == _G and 1 or 0)", "6"},
		{"return xpcall(function() error('a',0) end, function(e) return e..'b' end) and 1 or select(2, xpcall(function() error('a',0) end, function(e) return e..'b' end))", "ab"},
		{"coroutine.yield() return 3", "3"},
		{"return 7//2", "3"},
	} {
		v, err := eval(t, c.src)
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
		} else if v.String() != c.want {
			t.Errorf("%s = %s, want %s", c.src, v, c.want)
		}
	}
}
