// SPDX-License-Identifier: Apache-2.0

package syntax_test

import (
	"strings"
	"testing"

	"github.com/wippyrun/kit/luart/syntax"
)

func TestIteratorWrittenInLuaMayYield(t *testing.T) {
	wantOutput(t, `
local function iterator(_, i)
  local got = coroutine.yield("wait " .. i)
  if i < 2 then return i + 1, got end
end
local co = coroutine.wrap(function()
  local sum = ""
  for i, got in iterator, nil, 0 do sum = sum .. i .. got .. " " end
  return "done " .. sum
end)
print(co()) print(co("a")) print(co("b")) print(co("c"))`,
		"wait 0\nwait 1\nwait 2\ndone 1a 2b")
}

func TestGenericForKeepsItsMeaning(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"pairs and ipairs", "for k, v in pairs({5}) do print(k, v) end for i, v in ipairs{7, nil, 8} do print(i, v) end", "1 5\n1 7"},
		{"false is not the end", "local n = 0 for v in function() n = n + 1 if n < 3 then return false end end do print(n, v) end", "1 false\n2 false"},
		{"state and control", "for k, v in next, {x = 1}, nil do print(k, v) end", "x 1"},
		{"callable table", "local t = setmetatable({}, {__call = function(_, s, c) if c < s then return c + 1 end end}) for i in t, 2, 0 do print(i) end", "1\n2"},
		{"more expressions than three", "for k in next, {1}, nil, print('extra') do print(k) end", "extra\n1"},
		{"assigning to the control variable", "for i in ipairs{1, 2, 3} do print(i) i = 10 end", "1\n2\n3"},
		{"the same name twice", "for _, _ in pairs{9} do print(_) end for a, b, a in function(_, c) if not c then return 1, 2, 3 end end do print(a, b) end", "9\n3 2"},
		{"a name of the surroundings", "local k = {1, 2} for k, v in pairs(k) do print(k, v) end print(#k)", "1 1\n2 2\n2"},
		{"fresh variables for closures", "local fs = {} for i, v in ipairs{5, 6} do fs[i] = function() v = v + 1 return i, v end end print(fs[1]()) print(fs[1]()) print(fs[2]())", "1 6\n1 7\n2 7"},
		{"break", "for i in ipairs{1, 2, 3} do if i == 2 then break end print(i) end print('after')", "1\nafter"},
		{"goto continue", "for i in ipairs{1, 2, 3} do if i == 2 then goto continue end print(i) ::continue:: end", "1\n3"},
		{"a local between goto and label", "for i in ipairs{1, 2} do if i == 1 then goto continue end local x = i print(x) ::continue:: end", "2"},
		{"goto out of the loop", "for i in ipairs{1, 2} do for j in ipairs{1, 2} do if j == 2 then goto done end print(i, j) end end ::done:: print('end')", "1 1\nend"},
		{"labels of nested loops", "for i in ipairs{1, 2} do for j in ipairs{1, 2} do if j == 1 then goto continue end print(i, j) ::continue:: end if i == 1 then goto continue end print('x') ::continue:: end", "1 2\n2 2\nx"},
		{"a backward goto", "for i in ipairs{1, 2} do local n = 0 ::top:: n = n + 1 if n < 3 then goto top end print(i, n) end", "1 3\n2 3"},
		{"return from inside", "print((function() for i, v in ipairs{4, 5} do if i == 2 then return v end end end)())", "5"},
		{"the iterator is evaluated once", "local n = 0 local function it() n = n + 1 return next, {1, 2} end for _ in it() do end print(n)", "1"},
		{"varargs", "local function f(...) local s = 0 for _, v in ipairs({...}) do s = s + v end return s end print(f(1, 2, 3))", "6"},
		{"empty body", "for _ in pairs{1} do end print('ok')", "ok"},
	} {
		t.Run(tt.name, func(t *testing.T) { wantOutput(t, tt.src, tt.want) })
	}
}

func TestLoopErrorsStayOnTheirLines(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"\nfor k in nil do\nend", "t:2: attempt to call a non-function object"},
		{"\n\nfor k in\n  5 do\nend", "t:3: attempt to call a non-function object"},
		{"for k in pairs{1} do\n\n  error('x')\nend", "t:3: x"},
		{"for k in pairs{1} do\nend\nerror('x')", "t:3: x"},
	} {
		if _, err := run(t, tt.src); err != tt.want {
			t.Errorf("%q: error %q, want %q", tt.src, err, tt.want)
		}
	}
}

// The programs of this test print something else with gopher-lua's own front end.
func TestJumpsKeepCapturedVariablesTogether(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"goto continue beside a captured counter", `
local n = 0
local function inc() n = n + 1 end
for i = 1, 3 do
  if i == 2 then goto continue end
  inc()
  ::continue::
end
print(n)`, "2"},
		{"the same in a function, with a capture in the loop", `
local function g()
  local n = 0
  local function inc() n = n + 1 end
  for i = 1, 3 do
    local z = function() return i end
    if z() == 2 then goto continue end
    inc()
    ::continue::
  end
  return n
end
print(g())`, "2"},
		{"break out of a block with a captured variable", `
local f
for i = 1, 3 do
  local x = i
  do local y = i + 10; f = function() return y end; break end
end
local a, b, c, d, e = 1, 2, 3, 4, 5
print(f())`, "11"},
		{"break in a while loop", `
local f
while true do
  local x = 1
  if x then local y = 7; f = function() y = y + 1 return y end; break end
end
local a, b, c, d = 1, 2, 3, 4
print(f(), f())`, "8 9"},
		{"break in a repeat loop", `
local f
repeat
  local x = 1
  if x then local y = 7; f = function() return y end; break end
until false
local a, b, c, d = 1, 2, 3, 4
print(f())`, "7"},
		{"break in a generic for", `
local f
for k, v in pairs({5}) do
  if v then local y = v; f = function() return y + k end; break end
end
local a, b, c, d, e, g, h = 1, 2, 3, 4, 5, 6, 7
print(f())`, "6"},
		{"break in nested loops", `
local fs = {}
for i = 1, 2 do
  for j = 1, 3 do
    do local y = i * 10 + j; fs[#fs + 1] = function() y = y + 1 return y end; if j == 2 then break end end
  end
  if i == 2 then local z = i; fs[#fs + 1] = function() return z end; break end
end
local a, b, c, d, e, g, h = 1, 2, 3, 4, 5, 6, 7
local s = "" for _, f in ipairs(fs) do s = s .. f() .. " " end
print(s)`, "12 13 22 23 2"},
		{"backward goto makes fresh variables", `
local fs, i = {}, 0
::top::
local x = i
fs[#fs + 1] = function() x = x + 1 return x end
i = i + 1
if i < 3 then goto top end
print(fs[1](), fs[1](), fs[2](), fs[3]())`, "1 2 2 3"},
		{"goto over a block that captures a parameter", `
local function f(a)
  local function get() return a end
  do goto skip end
  ::skip::
  a = a + 1
  return get()
end
print(f(1))`, "2"},
		{"varargs shift the registers", `
local function f(a, ...)
  local function get() return a end
  for i = 1, 2 do if i == 1 then goto continue end a = a + i ::continue:: end
  return get()
end
print(f(1, 9))`, "3"},
		{"methods have self", `
local o = {v = 1}
function o:f(a)
  local function get() return self.v + a end
  for i = 1, 2 do if i == 1 then goto continue end a = a + i ::continue:: end
  return get()
end
print(o:f(1))`, "4"},
	} {
		t.Run(tt.name, func(t *testing.T) { wantOutput(t, tt.src, tt.want) })
	}
}

func TestLongTableConstructorsKeepTheirItems(t *testing.T) {
	const n = 60_000
	wantOutput(t, "local t = {"+strings.Repeat("'x',", n)+"'last', {1, 2}} print(#t, t[25601], t[60001], t[60002][2])", "60002 x last 2")
}

func TestCompileReportsItsErrorsWithTheLine(t *testing.T) {
	var locals strings.Builder
	for range 250 {
		locals.WriteString("local x\n")
	}
	for _, tt := range []struct{ src, want string }{
		{locals.String(), "too many local variables"},
		{"f(" + strings.Repeat("a, ", 300) + "a)", "register overflow(too many local variables)"},
	} {
		chunk, err := syntax.Parse("t", tt.src)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = syntax.Compile(chunk, ""); err == nil || !strings.HasPrefix(err.Error(), "compile error near line(") || !strings.HasSuffix(err.Error(), tt.want) {
			t.Errorf("error %v, want %s", err, tt.want)
		}
	}
}

func TestCompileCanBeRepeated(t *testing.T) {
	chunk, err := syntax.Parse("t", "::a:: if x then goto a end")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		proto, err := syntax.Compile(chunk, "name")
		if err != nil {
			t.Fatal(err)
		}
		if proto.SourceName != "name" {
			t.Errorf("source name %q", proto.SourceName)
		}
		for _, line := range proto.DbgSourcePositions {
			if line < 1 {
				t.Errorf("line %d in the code", line)
			}
		}
	}
}

func TestPrototypesKeepNoSpareBuffers(t *testing.T) {
	chunk, err := syntax.Parse("t", "return function() return function() end end")
	if err != nil {
		t.Fatal(err)
	}
	proto, err := syntax.Compile(chunk, "")
	if err != nil {
		t.Fatal(err)
	}
	for ; len(proto.FunctionPrototypes) > 0; proto = proto.FunctionPrototypes[0] {
		if cap(proto.Code) > 2*len(proto.Code)+16 || cap(proto.DbgSourcePositions) > 2*len(proto.DbgSourcePositions)+16 {
			t.Errorf("capacity %d and %d for %d instructions", cap(proto.Code), cap(proto.DbgSourcePositions), len(proto.Code))
		}
	}
}
