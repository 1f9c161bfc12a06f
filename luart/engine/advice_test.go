// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/wippyrun/kit/luart/engine"
)

// hintOf runs body as the main function of a program that knows the module test and not the module unlisted.
func hintOf(t *testing.T, body string) string {
	t.Helper()
	lib := engine.New()
	if err := errors.Join(lib.Register(testModule), lib.Register(engine.Module{Name: "unlisted", Build: testModule.Build})); err != nil {
		t.Fatal(err)
	}
	err := start(t, lib, "return function(...) "+body+"\nend").run().err
	if err == nil {
		t.Errorf("%s does not fail", body)
		return ""
	}
	e, ok := errors.AsType[*engine.Error](err)
	if !ok {
		return ""
	}
	if hint := e.Hint(); hint != "" && !strings.Contains(e.Stack(), "\n  hint: "+hint+"\n") {
		t.Errorf("%s: the stack does not have the hint:\n%s", body, e.Stack())
	}
	return e.Hint()
}

func TestUncaughtErrorsSayWhatMayHelp(t *testing.T) {
	for _, tt := range []struct{ body, want string }{
		// Names of nothing.
		{"tostrin(5)", "did you mean 'tostring'?"},
		{"return stirng.rep('x', 2)", "did you mean 'string'?"},
		{"local compute = 1 comput()", "did you mean 'compute'?"},
		{"shared = 5 return shraed.x", "did you mean 'shared'?"},
		{"local x = zzzzz + 1", ""},
		{"local x = selct + 1", "did you mean 'select'?"},
		{"local function f()\nreturn helper()\nend\nlocal function helper() end\nf()",
			"the local 'helper' is declared below, in line 4: declare it before its first use"},
		{"do\nlocal inner = 1\nend\nreturn inner.x", "the local 'inner' of line 2 is not visible here: its block has ended"},
		{"return unlisted.call()", "add unlisted to the modules of app:test"},
		{"return require('unlisted')", "add unlisted to the modules of app:test"},
		{"return require('unlistd')", "did you mean 'unlisted'? Add it to the modules of app:test"},
		{"return require('tests')", "did you mean 'test'?"},
		{"return require('shop')", "add it to the imports of app:test, as shop: namespace:entry"},
		// Fields and methods that do not exist.
		{"string.uper('x')", "did you mean 'upper'?"},
		{"local s = string s.uper('x')", "did you mean 'upper'?"},
		{"local s = string return (function() return s.uper('x') end)()", "did you mean 'upper'?"},
		{"local s = {lib = string} return s.lib.uper('x')", "did you mean 'upper'?"},
		{"local s = 'x' return s:uper()", "did you mean 'upper'?"},
		{"return ('x'):uper()", "did you mean 'upper'?"},
		{"local c = channel.new() c:recieve()", "did you mean 'receive'?"},
		{"local e = errors.new('x') return e:mesage()", "did you mean 'message'?"},
		{"local A = {} A.__index = A function A:speak() end local a = setmetatable({}, A) a:speek()", "did you mean 'speak'?"},
		{"local B = {walk = 1} B.__index = B local A = setmetatable({}, B) A.__index = A local a = setmetatable({}, A) a:wlak()", "did you mean 'walk'?"},
		{"local cfg = {server = {port = 1}} return cfg.sever.port", "did you mean 'server'?"},
		{"local cfg = {server = {port = 1}} cfg.sever.port = 2", "did you mean 'server'?"},
		{"local t = {} t.x()", ""},
		{"local t t.x = 1", ""},
		// What waits where nothing can.
		{"return setmetatable({}, {__len = function() return test.wait(1) end}) .. 'x'", ""},
		{"return setmetatable({}, {__add = function() return test.wait(1) end}) + 1", "a metamethod cannot wait: do it before or after"},
		{"channel.select({})", "channel.select without cases waits forever: give it a case, or default = true"},
		// What programs raise is theirs.
		{"error('attempt to call global \\'tostrin\\' (a nil value)', 0)", ""},
		{"error({})", ""},
	} {
		if got := hintOf(t, tt.body); got != tt.want {
			t.Errorf("%s\n got %q\nwant %q", tt.body, got, tt.want)
		}
	}
}

func TestLibrariesThatReturnNothing(t *testing.T) {
	lib := newEngine(t)
	empty, err := lib.Link(engine.ProgramSpec{ID: "app:empty", Source: "local M = {}"})
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{"return shop.open()", "return require('shop')"} {
		prog, err := lib.Link(engine.ProgramSpec{ID: "app:test", Source: "return function() " + body + "\nend",
			Imports: []engine.Import{{Alias: "shop", Program: empty}}})
		if err != nil {
			t.Fatal(err)
		}
		m, err := tryStart(t, lib, prog)
		if err != nil {
			t.Fatal(err)
		}
		e, ok := errors.AsType[*engine.Error](m.run().err)
		if want := "the library app:empty returns nothing: end its source with return and what it offers"; !ok || e.Hint() != want {
			t.Errorf("%s: %v", body, m.err)
		}
	}
}

func TestHintsOutliveTheProcess(t *testing.T) {
	_, err := eval(t, "tostrin(5)")
	e := engine.WrapError(errors.Join(err))
	if e.Hint() == "" || e.With("a", 1).Hint() == "" {
		t.Error("the hint is lost")
	}
}
