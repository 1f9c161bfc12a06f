// SPDX-License-Identifier: Apache-2.0

package lint_test

import (
	"slices"
	"testing"

	"github.com/wippyrun/kit/luart/lint"
)

var libraries = map[string][]string{
	"json": {"decode", "encode"}, "string": {"format", "is", "upper"}, "process": {"registry", "send"}, "process.registry": {"lookup"},
	"time": {"now"}, "math": {"floor"},
}

func TestMembers(t *testing.T) {
	none := func(field, path, at, guess string) string {
		if guess != "" {
			guess = ` (did you mean "` + guess + `"?)`
		}
		return "E0004 error " + at + " field '" + field + "' does not exist on type " + path + guess + "\n"
	}
	for _, c := range []struct{ name, source, want string }{
		{"required", "local j = require('json')\nj.encode(1) j.encod(1)", none("encod", "json", "2:15", "encode")},
		{"global", "json.decode('x') json.nothing()", none("nothing", "json", "1:23", "")},
		{"always there", "string.uper('x')", none("uper", "string", "1:8", "upper")},
		{"table within", "process.registry.lokup('x')", none("lokup", "process.registry", "1:18", "lookup")},
		{"table within, kept", "local names = process.registry\nlocal function f() return names.x end", none("x", "process.registry", "2:33", "")},
		{"method", "json:encod(1)", none("encod", "json", "1:1", "encode")},
		{"every look", "f(json.a, json.a)", none("a", "json", "1:8", "") + none("a", "json", "1:16", "")},
		{"import", "local l = require('lib')\nl.area() l.arae()", none("arae", "lib", "2:12", "area")},
		{"not declared", "local t = require('math').floor t = time", ""},
		{"tested", "if json.pretty then json.pretty(1) end", ""},
		{"tested elsewhere", "local has = json.pretty ~= nil\nreturn has and json.pretty(1)", ""},
		{"alternative", "local f = json.pretty or json.encode return f", ""},
		{"kind of", "return type(json.pretty)", ""},
		{"reassigned", "local j = require('json') j = f() j.other()", ""},
		{"parameter", "local function f(json) json.other() end", ""},
		{"own local", "local json = {} json.other()", ""},
		{"own global", "json = {} json.other()", ""},
		{"own require", "local function require(x) return x end local j = require('json') j.other()", ""},
		{"cast", "local j = json :: any j.other() return (json as any).more", ""},
		{"written", "json.other = 1", ""},
		{"computed", "return json[name], json[1]", ""},
		{"type of that name", "type json = {other: any}\njson.other()", ""},
		{"types are values", "return string:is('x'), string.is('x')", ""},
		{"import without names", "local o = require('open') o.x()", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := lint.Source{Name: "app:x", Text: c.source, Modules: []string{"json"}, Imports: []string{"lib", "open"},
				Exports: map[string][]string{"lib": {"area"}, "open": nil}}
			ds := lint.Check(s, lint.Options{Types: true, Modules: modules, Members: libraries})
			ds = slices.DeleteFunc(ds, func(d lint.Diagnostic) bool { return d.Code != lint.CodeNoField })
			if got := lines(ds); got != c.want {
				t.Errorf("%s\n%swant\n%s", c.source, got, c.want)
			}
		})
	}
}

// An alias that hides a module is what it is imported as.
func TestMembersOfAnAliasAreNotThoseOfTheModule(t *testing.T) {
	s := lint.Source{Name: "app:x", Text: "local time = require('time') time.tick() time.now()", Imports: []string{"time"},
		Exports: map[string][]string{"time": {"tick"}}}
	want := "E0004 error 1:47 field 'now' does not exist on type time\n"
	if got := lines(lint.Check(s, lint.Options{Types: true, Modules: modules, Members: libraries})); got != want {
		t.Errorf("got %s", got)
	}
}

func TestExports(t *testing.T) {
	for _, c := range []struct {
		name, source string
		want         []string
	}{
		{"constructor", "return {a = 1, ['b'] = f, 3}", []string{"a", "b"}},
		{"local", "local M = {a = 1}\nM.b = 2\nfunction M.c() M.d = 1 end\nreturn M", []string{"a", "b", "c", "d"}},
		{"read by itself", "local M = {a = 1}\nfunction M.b() return M.a + M.x end\nreturn M", []string{"a", "b"}},
		{"table within", "local M = {sub = {}}\nfunction M.sub.f() end\nreturn M", []string{"sub"}},
		{"annotated", "local M: any = {a = 1}\nreturn M", []string{"a"}},
		{"empty", "local M = {} return M", nil},
		{"nothing", "print(1)", nil},
		{"function", "return function() end", nil},
		{"cast", "local M = {a = 1} return M :: any", nil},
		{"class", "local M = {a = 1} function M:b() self.c = 1 end return M", nil},
		{"metatable", "local M = {a = 1} setmetatable(M, mt) return M", nil},
		{"with metatable", "local M = {a = 1} return setmetatable(M, mt)", nil},
		{"computed key", "local M = {a = 1} M[k] = 1 return M", nil},
		{"computed key in the constructor", "return {[k] = 1}", nil},
		{"given away", "local M = {a = 1} fill(M) return M", nil},
		{"second name", "local M = {a = 1} local N = M N.b = 1 return M", nil},
		{"reassigned", "local M = {a = 1} M = f() return M", nil},
		{"two ends", "local M = {a = 1} if x then return f() end return M", nil},
		{"inner returns do not count", "local M = {a = 1} function M.b() return 1 end return M", []string{"a", "b"}},
		{"does not parse", "return {", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := lint.Exports(lint.Source{Name: "app:x", Text: c.source}); !slices.Equal(got, c.want) {
				t.Errorf("%s: got %q, want %q", c.source, got, c.want)
			}
		})
	}
}
