// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/wippyrun/kit/luart/engine"
)

// evalChunk runs a chunk that returns a function and returns the text of what that
// returns, or of its error.
func evalChunk(t *testing.T, source string) string {
	t.Helper()
	m, err := tryStart(t, newEngine(t), link(t, newEngine(t), source))
	if err != nil {
		return "error: " + err.Error()
	}
	m.run()
	if m.err != nil {
		return "error: " + m.err.Error()
	}
	return str(m.result)
}

// check makes a program of declarations and an expression list, whose text it
// returns.
func check(t *testing.T, declarations, expressions string) string {
	t.Helper()
	return evalChunk(t, declarations+`
		return function()
			local function text(...)
				local out = {}
				for i = 1, select("#", ...) do
					local v = select(i, ...)
					out[i] = type(v) == "table" and "table" or tostring(v)
				end
				return table.concat(out, " ")
			end
			return text(`+expressions+`)
		end`)
}

func TestBuiltinTypesAreGlobals(t *testing.T) {
	for _, tt := range []struct{ expressions, want string }{
		{"integer(3.0), number(1.5), boolean(false), any(nil), unknown(1), string('x')", "3 1.5 false nil 1 x"},
		{"pcall(integer, 3.5)", "false expected integer, got number"},
		{"pcall(string, 1)", "false expected string, got number"},
		{"select(2, pcall(function() return number('1') end))", "app:test:11: expected number, got string"},
		{"pcall(never, nil)", "false expected never, got nil"},
		{"number:is(1), number.is(2)", "1 2 nil"},
		{"number:is('x')", "nil expected number, got string"},
		{"string:is('x')", "x nil"},
		{"string.is('x')", "x nil"},
		{"string:is(1)", "nil expected string, got number"},
		{"string:is()", "nil expected string, got nil"},
		{"string:kind(), string.kind(), string:name(), string:elem(), string:fields()", "string string nil nil nil"},
		{"integer:kind(), integer < number, number < integer, integer <= integer, integer == integer, integer == number", "integer true false true true false"},
		{"tostring(number), type(number), type(string), type(integer)", "number type table type"},
		{"string.upper('a'), ('b'):upper(), string.nope, ('x').is, ('x').kind", "A B nil nil nil"},
		{"((function() for k in pairs(string) do if k == 'is' or k == 'kind' then return k end end end)())", "nil"},
		{"getmetatable(number)", "type"},
		{"({[number] = 'n'})[number], ({[number] = 'n'})[integer]", "n nil"},
		{"pcall(function() number.x = 1 end)", "false app:test:11: attempt to index global 'number' (a type value) with key 'x'"},
	} {
		want := strings.TrimSuffix(tt.want, " with key 'x'")
		if got := check(t, "", tt.expressions); got != want {
			t.Errorf("%s: %q, want %q", tt.expressions, got, want)
		}
	}
}

func TestProgramsMayReplaceBuiltinTypeNames(t *testing.T) {
	for _, tt := range []struct{ source, want string }{
		{"local number = 5 return function() return number end", "5"},
		{"integer = 7 return function() return integer end", "7"},
		{"function any() return 8 end return function() return any() end", "8"},
		{"return function(integer) return tostring(integer) end", "nil"},
		{"type number = string return function() return number('x') end", "x"},
	} {
		if got := evalChunk(t, tt.source); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.source, got, tt.want)
		}
	}
	if got := check(t, "", "number:is(1)"); got != "1 nil" {
		t.Errorf("another program's change is visible: %q", got)
	}
}

func TestDeclaredTypesAreValues(t *testing.T) {
	const point = "type Point = {x: number, y: number}"
	for _, tt := range []struct{ declarations, expressions, want string }{
		{point, "Point:is({x = 1, y = 2})", "table nil"},
		{point, "Point.is({x = 1, y = 2})", "table nil"},
		{point, "Point:is({x = 1})", "nil y: required field missing"},
		{point, "Point({x = 1, y = 2})", "table"},
		{point, "pcall(Point, {x = 1})", "false expected Point, got table"},
		{point, "pcall(Point)", "false type Point expects at least 1 argument"},
		{point, "pcall(Point, 1, 2)", "false type Point validation expects 1 value, got 2"},
		{point, "pcall(Point, number)", "false type Point is not generic"},
		{point, "pcall(Point, number, 1)", "false type Point does not accept mixed type/value arguments"},
		{point, "type(Point), tostring(Point), Point:name(), Point:kind()", "type Point Point record"},
		{point + " type P2 = {x: number, y: number}", "Point == P2, Point ~= P2, Point < P2, Point <= P2", "true false false true"},
		{point + " type P3 = {x: number, y: number, z: number}", "P3 < Point, Point < P3", "true false"},
		{point, "({[Point] = 'p'})[Point]", "p"},
		{point, "Point.x, Point.z, Point.x:is('s')", "number nil nil expected number, got string"},
		{point, "({Point = Point}).Point:is(1)", "nil expected Point, got number"},
		{point, "select(2, Point:is({x = 1})):kind(), select(2, Point:is({x = 1})):retryable()", "Invalid false"},
		{point, "select(2, Point:is({x = 1})):details().field, select(2, Point:is({x = 1})):details().expected", "y number"},
		{point, "select(2, Point:is({x = 1, y = 's'})):details().got", "string"},
		{"type A = {age: number @min(0)}", "select(2, A:is({age = -1})):details().constraint", "min"},
		{"type A = {age: number @min(0)}", "A:is({age = -1})", "nil age: value below minimum"},
		{"type A = {s: string @min_len(2) @pattern('^a')}", "select(2, A:is({s = 'b'})), select(2, A:is({s = 'bc'}))", "s: length below minimum s: pattern mismatch"},
		{"type M = 'fast' | 'safe'", "M:is('safe')", "safe nil"},
		{"type M = 'fast' | 'safe'", "M:is('slow')", `nil expected "fast" | "safe", got string`},
		{"type C = 3", "C:is(3), (C:is(2))", "3 nil"},
		{"type L = {number}", "select(2, L:is({1, 'x'})), (L:is({}))", "[2]: expected number, got string table"},
		{"type Box<T> = {value: T} type SB = Box<string>", "SB:is({value = 1})", "nil value: expected string, got number"},
		{"type Box<T> = {value: T}", "Box(number):is({value = 'x'})", "nil value: expected number, got string"},
		{"type Box<T> = {value: T}", "Box(string):is({value = 1}), tostring(Box(string))", "nil Box<string>"},
		{"type Box<T> = {value: T}", "Box(number) == Box(number), ({[Box(number)] = 1})[Box(number)]", "true 1"},
		{"type Box<T> = {value: T}", "pcall(Box, number, string)", "false generic Box expects 1 type arguments, got 2"},
		{"type Box<T> = {value: T}", "Box:is({value = 1})", "nil expected Box, got table"},
		{"local s: {n: string} = {n = 'a'} type S = typeof(s)", "S:is({n = 1})", "nil n: expected string, got number"},
		{"type P = (number) -> boolean", "select(2, P:is({})), P:is(print) == print", "expected function, got table true"},
		{"type O = {a?: number}", "O:is({})", "table nil"},
		{"type N = string?", "N:is(nil)", "nil nil"},
		{"type U = {a: Missing}", "U:is({a = 1})", "nil a: unresolved type Missing"},
		{"type U = nope.Thing", "U:is(1)", "nil unresolved type nope.Thing"},
		{"type T = Channel<string>", "T:is(channel.new(1)) ~= nil, (T:is(1))", "true nil"},
		{"interface Shape function area(self: Shape): number end", "Shape:is({}), (Shape:is(1))", "table nil"},
		{"type A = {b: B} type B = {n: number}", "A:is({b = {}})", "nil b.n: required field missing"},
		{"type R = {next: R?, v: number}", "R:is({v = 1, next = {v = 'x'}})", "nil next.v: expected number, got string"},
		{"local early = Late type Late = number", "early == Late, early:is(1)", "true 1 nil"},
		{"local function f() return Late:is(1) end type Late = number", "f()", "1 nil"},
		{"local f = function() return function() return Deep(1) end end type Deep = number", "f()()", "1"},
		{"type Point = number local Point = 'mine'", "Point", "mine"},
		{"local function f() type Inner = number return Inner end", "f()", "nil"},
		{"local n = 0 for i = 1, 3 do if i == 2 then goto continue end n = n + i ::continue:: end type T = number", "n, T(n)", "4 4"},
		{"local n, dots = 0, select('#', ...) local get = function() return n end do local a = 1 for i = 1, 3 do if i == 2 then goto continue end n = n + a ::continue:: end end type T = number", "get(), T(n), dots, arg", "2 2 0 nil"},
	} {
		if got := check(t, tt.declarations, tt.expressions); got != tt.want {
			t.Errorf("%s\n%s\n got %q\nwant %q", tt.declarations, tt.expressions, got, tt.want)
		}
	}
}

// A name that means something else keeps doing so: such programs worked before
// types were values.
func TestGlobalsComeBeforeDeclaredTypes(t *testing.T) {
	for _, tt := range []struct{ source, want string }{
		{"type error = {message: string} return function() error('x', 0) end", "error: x"},
		{"type test = {a: number} return function() return test.two() end", "1"},
		{"type Config = {a: number} Config = {a = 1} return function() return Config.a end", "1"},
		{"type Config = {a: number} function Config() return 2 end return function() return Config() end", "2"},
		{"type Config = {a: number} local function set() Config = 3 end return function() set() return _G.Config end", "3"},
		{"type A = number type B = string local function f() local A = 1 return function() A = A + 1 return A end end return function() return f()() .. tostring(A) .. tostring(B) end", "2AB"},
		{"type _G = number return function() return type(_G) end", "table"},
		{"type Point = number return function() return tostring(_G.Point) end", "nil"},
	} {
		if got := evalChunk(t, tt.source); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.source, got, tt.want)
		}
	}
}

func TestTypesOfLibrariesAreTheirOwn(t *testing.T) {
	e := newEngine(t)
	lib, err := e.Link(engine.ProgramSpec{ID: "app:lib", Source: `
		type Config = {host: string, port: number}
		type Hidden = {n: number}
		local M = {Config = Config}
		function M.check(v) return Config:is(v) end
		function M.hidden(v) return Hidden:is(v) end
		return M`})
	if err != nil {
		t.Fatal(err)
	}
	main := func(source string, imports ...engine.Import) string {
		t.Helper()
		prog, err := e.Link(engine.ProgramSpec{ID: "app:main", Source: source, Imports: imports})
		if err != nil {
			t.Fatal(err)
		}
		m, err := tryStart(t, e, prog)
		if err != nil {
			t.Fatal(err)
		}
		m.run()
		if m.err != nil {
			return "error: " + m.err.Error()
		}
		return str(m.result)
	}
	use := engine.Import{Alias: "lib", Program: lib}
	for _, tt := range []struct{ source, want string }{
		{"return function() return tostring(select(2, lib.Config:is({host = 'h'}))) end", "port: required field missing"},
		{"return function(x: lib.Config) return tostring(Config) .. tostring(Hidden) end", "nilnil"},
		{"type Config = string return function() return tostring(Config) .. tostring((Config:is('x'))) .. tostring((lib.check('x'))) .. tostring(select(2, lib.hidden({}))) end", "Configxniln: required field missing"},
		{"type Config = string return function() return tostring(Config == lib.Config) end", "false"},
		{"type C = lib.Config return function() return tostring(select(2, C:is({host = 1}))) .. tostring(C == lib.Config) end", "host: expected string, got numbertrue"},
		{"type H = {lib.Hidden} return function() return tostring(select(2, H:is({{n = 's'}}))) end", "[1].n: expected number, got string"},
		{"type H = lib.Nope return function() return tostring(select(2, H:is(1))) end", "unresolved type lib.Nope"},
		{"type lib = number return function() return type(lib.check) end", "function"},
	} {
		if got := main(tt.source, use); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.source, got, tt.want)
		}
	}
}

func TestTypesStayInTheirProcess(t *testing.T) {
	if got := check(t, "type T = number", "payload.new({T, n = 1, t = T}):data().n, payload.new(T):data()"); !strings.HasPrefix(got, "1 ") {
		t.Error(got)
	}
	v, err := eval(t, "return number")
	if err != nil || str(v) != "nil" {
		t.Errorf("%v %v", v, err)
	}
	m := start(t, newEngine(t), "type T = {x: number} return function() return {T = T, [T] = 1, n = 2} end").run()
	if got := engine.ToGo(m.result); len(got.(map[string]any)) != 1 {
		t.Errorf("%v", got)
	}
}

// One value serves all processes of a program, at the same time.
func TestTypeValuesAreSharedConcurrentSafe(t *testing.T) {
	e := newEngine(t)
	prog := link(t, e, `type T = {x: number, next: T?} type Box<A> = {value: A}
		return function()
			local function check(v) return T:is(v) end
			assert(Box(T):is({value = check({x = 1, next = {x = 2}})}))
			assert(not check({x = "s"}) and not integer:is(1.5))
			return tostring(T)
		end`)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				m, err := tryStart(t, e, prog)
				if err != nil {
					t.Error(err)
					return
				}
				if m.run(); m.err != nil || str(m.result) != "T" {
					t.Error(m.result, m.err)
				}
			}
		})
	}
	wg.Wait()
}
