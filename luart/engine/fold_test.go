// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"path/filepath"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/scheduler"
)

// Names of the base library and of modules mean what the program makes of them, whether
// they are constants of its code or not.
func TestGlobalNamesMeanWhatTheProgramMakesOfThem(t *testing.T) {
	for body, want := range map[string]string{
		`return tostring(1) .. type(string.format) .. math.pi`:                                            "1function3.141592653589793",
		`tostring = function() return "mine" end return tostring(1)`:                                      "mine",
		`_G.tostring = function() return "mine" end return tostring(1)`:                                   "mine",
		`_G["to" .. "string"] = function() return "mine" end return tostring(1)`:                          "mine",
		`rawset(_G, "tostring", function() return "mine" end) return tostring(1)`:                         "mine",
		`local t = {} package.seeall(t) getmetatable(t).__index.type = print return type == print`:        "true",
		`string = {format = function() return "mine" end} return string.format("x")`:                      "mine",
		`local string = {format = function() return "mine" end} return string.format("x")`:                "mine",
		`local f = function() return (nil or string).format("%d", 3) end return f()`:                      "3",
		`local t = {string = 1} return (t.string and string or math).rep("x", 2)`:                         "xx",
		`local s = "" for i = 1, 3 do local f = string.format s = s .. f("%d", i) end return s`:           "123",
		`local function f(n) if n == 0 then return string.upper("a") end return f(n - 1) end return f(3)`: "A",
		`return select("#", string.byte("abc", 1, 3))`:                                                    "3",
		`return string.nope == nil and nope == nil`:                                                       "true",
		`return test.wait(5)`:                              "5",
		`local w = test.wait return w(6)`:                  "6",
		`return (pcall(function() string.format = 1 end))`: "false",
	} {
		v, err := eval(t, body)
		if err != nil || v.String() != want {
			t.Errorf("%s: %v %v, want %s", body, v, err, want)
		}
	}
}

// Every case of the oracle does the same with constants and with globals.
func TestConstantsForGlobalsChangeNothing(t *testing.T) {
	files, err := filepath.Glob("testdata/oracle/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, file := range files {
		for _, c := range oracleFile(t, file) {
			folded := runOurs(c.source)
			if plain := runOurs("local _ = _G; " + c.source); folded != plain {
				t.Errorf("%s:%d: %s\nwith constants: %s\nwithout: %s", file, c.line, c.source, folded, plain)
			}
		}
	}
}

// A library that changes a global name changes it for who imports it.
func TestLibrariesMayReplaceGlobals(t *testing.T) {
	e := newEngine(t)
	lib := func(source string) *engine.Program {
		p, err := e.Link(engine.ProgramSpec{ID: "app:lib", Source: source})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for source, want := range map[string]string{
		`return {}`: "1",
		`tostring = function() return "lib" end return {}`:    "lib",
		`_G.tostring = function() return "lib" end return {}`: "lib",
	} {
		prog, err := e.Link(engine.ProgramSpec{ID: "app:main", Source: `return function() return tostring(1) end`,
			Imports: []engine.Import{{Alias: "lib", Program: lib(source)}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := result(t, e, prog); got != want {
			t.Errorf("%s: %s, want %s", source, got, want)
		}
	}
	// An alias hides the library of that name.
	prog, err := e.Link(engine.ProgramSpec{ID: "app:main", Source: `return function() return math.floor(1.5) end`,
		Imports: []engine.Import{{Alias: "math", Program: lib(`return {floor = function() return "alias" end}`)}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := result(t, e, prog); got != "alias" {
		t.Error(got)
	}
}

func result(t *testing.T, e *engine.Engine, prog *engine.Program) string {
	t.Helper()
	p := e.NewProcess(engine.ProcessOptions{Program: prog})
	if err := p.Init(context.Background(), "", nil); err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, p: p, cancel: func() {}}
	m.run()
	if m.err != nil || m.out.Status() != scheduler.StatusDone {
		t.Fatal(m.err)
	}
	if m.result == nil {
		return lua.LNil.String()
	}
	return m.result.String()
}

func BenchmarkGlobalFunction(b *testing.B) {
	inProcess(b, "for i = 1, n do string.len(type(i)) end")
}

func BenchmarkGlobalFunctionUnfolded(b *testing.B) {
	inProcess(b, "local g = _G for i = 1, n do string.len(type(i)) end")
}
