// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"testing"

	lua "github.com/yuin/gopher-lua"
	"pgregory.net/rapid"

	"github.com/wippyrun/kit/luart/engine"
)

// look is a module whose function look.at() compares both ways to learn where it is
// called from, and counts in which places that was, and from a sight.
func look(t testing.TB, fail func(format string, args ...any), nested, sighted *int) *engine.Engine {
	e := engine.New()
	at := func(L *lua.LState) int {
		if engine.Sighted(L) {
			*sighted++
		}
		wantRead, nestedRead := engine.PlaceRead(L)
		want, in := engine.Place(L)
		if want != wantRead || in != nestedRead {
			fail("place is %d, %v; reading says %d, %v", want, in, wantRead, nestedRead)
		}
		if in {
			*nested++
		}
		L.Push(lua.LTrue)
		return 1
	}
	err := e.Register(engine.Module{Name: "look", Build: func(b *engine.Builder) error { b.Func("at", at); return nil }})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Register(testModule); err != nil {
		t.Fatal(err)
	}
	e.Seal()
	return e
}

// lookouts call look.at in all ways that make a difference.
const lookouts = `
local at = look.at
local function deep(n, f) if n == 0 then f() return end deep(n - 1, f) return true end
local other = function() local a = at() return a end
local third = function() local a, b = at(), at() return a, b end
local meta = setmetatable({}, {
	__index = function(_, k) at() return k end,
	__newindex = at, __add = at, __call = function() at() end, __lt = at, __unm = at, __len = at, __concat = at,
})
local ways = {
	function() at() end,
	function() local a = at() end,
	function() local a, b, c = at() end,
	function() return at() end,
	function() return (at()) end,
	function() return deep(3, at) end,
	function() return deep(6, other) end,
	function() return deep(12, third) end,
	other, third, at,
	function() return meta.x end,
	function() meta.x = 1 end,
	function() return meta + 1 end,
	function() return -meta end,
	function() return meta .. "x" end,
	function() meta() end,
	function() return meta < setmetatable({}, getmetatable(meta)) end,
	function() return deep(4, function() return meta.y end) end,
	function() return test.call(at) end,
	function() return test.call(other) end,
	function() table.sort({ 2, 1 }, function(a, b) at() return a < b end) end,
	function() string.gsub("ab", ".", function() at() end) end,
	function() pcall(at) end,
	function() pcall(third) end,
	function() pcall(function() at() error("x") end) at() end,
	function() coroutine.wrap(function() at() coroutine.yield(at()) other() end)() end,
	function() for _ in at do break end end,
}
return function(picks)
	for _, way in ipairs(picks) do ways[way]() end
	return #ways
end`

func lookOut(t testing.TB, e *engine.Engine, picks []any) *machine {
	t.Helper()
	prog, err := e.Link(engine.ProgramSpec{ID: "app:test", Source: lookouts, Modules: []string{"test", "look"}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := tryStart(t, e, prog, picks)
	if err != nil {
		t.Fatal(err)
	}
	return m.run()
}

func TestPlacesAreSeenAsTheyAre(t *testing.T) {
	var nested, sighted int
	e := look(t, t.Errorf, &nested, &sighted)
	var all []any
	for way := range 28 {
		for range 20 { // often enough for a sight
			all = append(all, way+1)
		}
	}
	m := lookOut(t, e, all)
	if m.err != nil || m.result != lua.LNumber(28) {
		t.Fatalf("%v, %v", m.result, m.err)
	}
	if nested < 100 || sighted < 100 {
		t.Errorf("%d nested, %d from a sight", nested, sighted)
	}
}

func TestPlacesAreSeenAsTheyAreInAnyOrder(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var nested, sighted int
		e := look(t, r.Errorf, &nested, &sighted)
		var picks []any
		for _, way := range rapid.SliceOfN(rapid.IntRange(1, 28), 1, 20).Draw(r, "ways") {
			for range rapid.IntRange(1, 12).Draw(r, "times") {
				picks = append(picks, way)
			}
		}
		if m := lookOut(t, e, picks); m.err != nil {
			r.Fatal(m.err)
		}
	})
}

// BenchmarkInspect is what suspend asks, with and without a sight.
func BenchmarkInspect(b *testing.B) {
	for name, ask := range map[string]func(*lua.LState) (int, bool){"sight": engine.Place, "read": engine.PlaceRead} {
		b.Run(name, func(b *testing.B) {
			e := engine.New()
			err := e.Register(engine.Module{Name: "look", Build: func(m *engine.Builder) error {
				m.Func("at", func(L *lua.LState) int {
					for range 16 {
						engine.Place(L)
					}
					for b.Loop() {
						ask(L)
					}
					return 0
				})
				return nil
			}})
			if err != nil {
				b.Fatal(err)
			}
			e.Seal()
			prog, err := e.Link(engine.ProgramSpec{ID: "app:test", Source: "return function() look.at() end", Modules: []string{"look"}})
			if err != nil {
				b.Fatal(err)
			}
			p := e.NewProcess(engine.ProcessOptions{Program: prog, PID: pids[0]})
			if err := p.Init(b.Context(), "", nil); err != nil {
				b.Fatal(err)
			}
			var m machine
			if err := p.Step(nil, &m.out); err != nil {
				b.Fatal(err)
			}
			p.Close()
		})
	}
}
