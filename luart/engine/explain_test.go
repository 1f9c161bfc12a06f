// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"strings"
	"testing"
)

func TestErrorsNameTheCulprit(t *testing.T) {
	for _, tt := range []struct{ body, want string }{
		// Calls.
		{"missing()", "attempt to call global 'missing' (a nil value)"},
		{"return missing(1, 2)", "attempt to call global 'missing' (a nil value)"},
		{"local f f()", "attempt to call local 'f' (a nil value)"},
		{"local t = {} t.x()", "attempt to call field 'x' (a nil value)"},
		{"local t = {} t.x.y()", "attempt to index field 'x' (a nil value)"},
		{"local t = {} t:go()", "attempt to call method 'go' (a nil value)"},
		{"local t = {5} t[1]()", "attempt to call a number value"},
		{"local f = 'x' f()", "attempt to call local 'f' (a string value)"},
		{"local u = {} return (function() u() end)()", "attempt to call upvalue 'u' (a table value)"},
		{"(1 + 2)()", "attempt to call a number value"},
		{"string.nope('x')", "attempt to call field 'nope' (a nil value)"},
		{"local s = 'x' s:nope()", "attempt to call method 'nope' (a nil value)"},
		{"for k in nil do end", "attempt to call a nil value"},
		{"for k in missing do end", "attempt to call global 'missing' (a nil value)"},
		{"local t = {} for k in t.items do end", "attempt to call field 'items' (a nil value)"},
		{"missing(test.two())", "attempt to call global 'missing' (a nil value)"},
		// Indexing.
		{"local t return t.field", "attempt to index local 't' (a nil value)"},
		{"local t t.field = 1", "attempt to index local 't' (a nil value)"},
		{"local t return t[1]", "attempt to index local 't' (a nil value)"},
		{"local t, k = nil, 'x' t[k] = 1", "attempt to index local 't' (a nil value)"},
		{"local t t:go()", "attempt to index local 't' (a nil value)"},
		{"return missing.field", "attempt to index global 'missing' (a nil value)"},
		{"missing.a.b = 1", "attempt to index global 'missing' (a nil value)"},
		{"local t = {a = {}} return t.a.b.c", "attempt to index field 'b' (a nil value)"},
		{"local u return (function() return u.x end)()", "attempt to index upvalue 'u' (a nil value)"},
		{"local function f() end return f().x", "attempt to index a nil value with key 'x'"},
		{"local t = true return t.x", "attempt to index local 't' (a boolean value)"},
		{"return (function(p) return p.x end)()", "attempt to index local 'p' (a nil value)"},
		{"local t = setmetatable({}, {__index = 5}) return t.x", "attempt to index a number value with key 'x'"},
		{"return number.x.y", "attempt to index field 'x' (a nil value)"},
		{"local ok = false local v = ok and {} or nil return v.x", "attempt to index local 'v' (a nil value)"},
		{"local ok = false return (ok and {} or nil).x", "attempt to index a nil value with key 'x'"},
		// Arithmetic, concatenation, length, comparison.
		{"local a return a + 1", "attempt to perform arithmetic on local 'a' (a nil value)"},
		{"local a return 1 + a", "attempt to perform arithmetic on local 'a' (a nil value)"},
		{"return missing * 2", "attempt to perform arithmetic on global 'missing' (a nil value)"},
		{"local t = {} t.n = t.n + 1", "attempt to perform arithmetic on field 'n' (a nil value)"},
		{"local s = 'x' return s - 1", "attempt to perform arithmetic on local 's' (a string value)"},
		{"local a, s = {}, '5' return s % a", "attempt to perform arithmetic on local 'a' (a table value)"},
		{"local a return -a", "attempt to perform arithmetic on local 'a' (a nil value)"},
		{"local a return 'x' .. a", "attempt to concatenate local 'a' (a nil value)"},
		{"local a return a .. 'x'", "attempt to concatenate local 'a' (a nil value)"},
		{"local t = {} return 'a' .. t.name .. 'b'", "attempt to concatenate field 'name' (a nil value)"},
		{"local t = {} return 'a' .. 'b' .. t", "attempt to concatenate local 't' (a table value)"},
		{"return missing .. 'b' .. 1", "attempt to concatenate global 'missing' (a nil value)"},
		{"local a return #a", "attempt to get length of local 'a' (a nil value)"},
		{"return 1 < nil", "attempt to compare number with nil"},
		{"return {} < {}", "attempt to compare two table values"},
		{"local a return a <= a", "attempt to compare two nil values"},
		// What programs raise stays as it is.
		{"error('attempt to call a non-function object')", "attempt to call a non-function object"},
	} {
		v, err := eval(t, "local ok, err = pcall(function() "+tt.body+"\nend) return err")
		if err != nil {
			t.Errorf("%s: %v", tt.body, stackOf(err))
			continue
		}
		if want := "app:test:1: " + tt.want; str(v) != want {
			t.Errorf("%s\n got %q\nwant %q", tt.body, v, want)
		}
		// Uncaught, and with the stack continued on another thread.
		if _, err := eval(t, tt.body+"\n"); err == nil || err.Error() != "app:test:1: "+tt.want {
			t.Errorf("%s, uncaught: %v", tt.body, err)
		}
		deep := "local function down(n) if n > 0 then local v = down(n - 1) return v end " + tt.body + "\nend down(200)"
		if _, err := eval(t, deep); err == nil || !strings.HasSuffix(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "app:test:1: ") {
			t.Errorf("%s, deep: %v", tt.body, err)
		}
	}
}

func TestErrorsOfGoFunctionsHaveNoPositionInTheEngine(t *testing.T) {
	v, err := eval(t, "local _, a = pcall(string.rep) local _, b = coroutine.resume(coroutine.create(string.rep)) return a .. '|' .. b")
	if err != nil || strings.Contains(str(v), "engine") {
		t.Error(v, err)
	}
}

// Registers are used again: a name must be that of the variable in scope.
func TestErrorsNameNoVariableOutOfScope(t *testing.T) {
	for _, tt := range []struct{ body, want string }{
		{"do\nlocal a = 1\nend\nlocal b\nreturn b.x", "5: attempt to index local 'b' (a nil value)"},
		{"do\nlocal a = 1\nend\nreturn (nil)()", "4: attempt to call a nil value"},
		{"do\nlocal a = 1\nend\nreturn test.none.x", "4: attempt to index field 'none' (a nil value)"},
		{"do local a = 1 end local b return b.x", "1: attempt to index local 'b' (a nil value)"},
		{"for i = 1, 2 do\nlocal a = i\nend\nfor k, v in pairs({{}}) do\nreturn v.x.y\nend", "5: attempt to index field 'x' (a nil value)"},
		{"for k, v in pairs({{}}) do\nreturn v.x.y\nend", "2: attempt to index field 'x' (a nil value)"},
		{"for k, v in pairs({{}}) do\nlocal w\nreturn w.y\nend", "3: attempt to index local 'w' (a nil value)"},
		{"for k,\nv in none do end", "1: attempt to call global 'none' (a nil value)"},
		{"local a, b = 1\nif a then\nlocal c = 1\nelse\nlocal d\nend\nlocal e = b.x", "7: attempt to index local 'b' (a nil value)"},
		{"local a = 1\nif a then\nlocal c\nreturn c.x\nelse\nlocal d\nend", "4: attempt to index local 'c' (a nil value)"},
		{"repeat\nlocal a\nuntil a.x", "3: attempt to index local 'a' (a nil value)"},
		{"while true do\nlocal a\nlocal f = function() return a end\nreturn f().x\nend", "4: attempt to index a nil value with key 'x'"},
		{"local function f(...) local x = ... return x.y end\nreturn f()", "1: attempt to index local 'x' (a nil value)"},
	} {
		if _, err := eval(t, "do end "+tt.body); err == nil || err.Error() != "app:test:"+tt.want {
			t.Errorf("%s\n got %v\nwant %s", tt.body, err, tt.want)
		}
	}
}
