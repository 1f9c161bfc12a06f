// SPDX-License-Identifier: Apache-2.0

package syntax_test

import (
	"reflect"
	"testing"

	"github.com/yuin/gopher-lua/ast"

	"github.com/wippyrun/kit/luart/syntax"
)

func TestAssignmentEvaluatesEverythingBeforeItAssigns(t *testing.T) {
	for src, want := range map[string]string{
		"local a, b = 1, 2 a, b = b, a print(a, b)":                                                             "2 1",
		"local a, b = 0, 1 for _ = 1, 7 do a, b = b, a + b end print(a)":                                        "13",
		"local a, t = 1, {} t[1], a = a, 2 print(t[1], a)":                                                      "1 2",
		"local t = {} local u = t t, t.x = {}, 5 print(t.x, u.x)":                                               "nil 5",
		"local i, t = 1, {} t[i], i = 'x', 2 print(t[1], i)":                                                    "x 2",
		"local a, f = 1 f = function() return a end local b a, b = 5, f() print(a, b)":                          "5 1",
		"local a, b = 1, 2 local c, d = a, b a, c, b, d = d, b, c, a print(a, b, c, d)":                         "2 1 2 1",
		"local a a, a = 1, 2 print(a)":                                                                          "1",
		"local a, b, c = 1, 2, 3 a, b, c = c, (function() return a, b end)() print(a, b, c)":                    "3 1 2",
		"local t = setmetatable({}, {__newindex = function(_, k) print(k) end}) local a t.x, a, t.y = 1, 2, a":  "y\nx",
		"local function f(...) local a, t = 0, {3} a, t[1] = (...), t[1] + 1 print(a, t[1]) end f(7)":           "7 4",
		"local t = {1, 2} local function f(...) local a, b a, t[1], b = (...), t[2] print(a, t[1], b) end f(7)": "7 2 nil",
		"local function f(...) local a, b, c a = ..., 5 print(a, b, c) end f(7)":                                "7 nil nil",
		"local a, b = 1, 2 a, g = not b and 3 print(a, g)":                                                      "false nil",
		"local function f() return nil end local x, y = 1, 2 x = f() and 5 print(x)":                            "nil",
		"local function f() return false end local x, y = 1, 2 x = (f() or f()) and y print(x)":                 "false",
		"local function f() return 7 end local x, y = 1, 2 x = (f() or y) and x print(x)":                       "1",
		"local function f() return nil end local x, y = 1, 2 x = x and (f() and y) print(x)":                    "nil",
		"local t, x, y = {}, 1, 2 x = t.x and y print(x)":                                                       "nil",
		"local x, y = 5, 2 x = not x and y print(x)":                                                            "false",
		"local x, y = 5, 2 x = x > y and x or y print(x) x = x < y and x print(x)":                              "5\nfalse",
		"local function f(p, q) g, q, h = 1, tostring(q), 2 print(g, q, h) end f(5, 6)":                         "1 6 2",
	} {
		wantOutput(t, src, want)
	}
}

// TestAssignmentIsLoweredOnlyWhereItMatters compares with the tree without lowering.
func TestAssignmentIsLoweredOnlyWhereItMatters(t *testing.T) {
	for src, want := range map[string]bool{
		"local a, b = 1, 2 a, b = 3, 4":                   false,
		"local a, b, t a, b = t.x, t.y":                   false,
		"local a, b a, b = f()":                           false,
		"local a, b a, b = ...":                           false,
		"local a, b a = b":                                false,
		"a, b = b, a":                                     false, // globals
		"local t t[1], t[2] = t[2], t[1]":                 false,
		"local a local function f() b, a = a, b end":      false, // a belongs to another function
		"local a, b a, b = function() return b, a end, 1": false,
		"local a, b a, b = b + 2, 1":                      false,
		"local a, b a, b = b, a":                          true,
		"local a, b a = a or b":                           false,
		"local a, b a = a and b or 1":                     false,
		"local a, b a = a == b and b":                     false,
		"local a, b a = f() and b":                        true,
		"local a, b a = a or f() and b":                   true,
		"g = f() and 1":                                   false,
		"local a, b a, b = 1, a // 2":                     true,
		"local a, b a, b = 1, f()":                        true, // f may read a
		"local a, t t[1], a = a, 1":                       true,
		"local a, t t[1], a = a":                          true, // a becomes nil
		"local a, t t[a], t = 1, 2":                       true,
		"local a, b a, b = 1, {x = {a}}":                  true,
	} {
		got, err := syntax.Parse("t", src)
		if err != nil {
			t.Fatal(src, err)
		}
		last := got.Stmts[len(got.Stmts)-1]
		if f, ok := last.(*ast.LocalAssignStmt); ok {
			body := f.Exprs[0].(*ast.FunctionExpr).Stmts
			last = body[len(body)-1]
		}
		if lowered := reflect.TypeOf(last) == reflect.TypeFor[*ast.DoBlockStmt](); lowered != want {
			t.Errorf("%s: lowered %v, want %v", src, lowered, want)
		}
	}
}
