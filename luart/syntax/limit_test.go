// SPDX-License-Identifier: Apache-2.0

package syntax_test

import (
	"strings"
	"testing"

	"github.com/wippyrun/kit/luart/syntax"
)

func TestNestingIsLimited(t *testing.T) {
	for _, tt := range []struct{ open, middle, closing string }{
		{"x = (", "1", ")"}, {"x = {", "", "}"}, {"x = - ", "1", ""}, {"x = not ", "1", ""}, {"x = 2 ^ ", "2", ""},
		{"f(", "1", ")"}, {"a[", "1", "]"}, {"do ", "", " end"}, {"while x do ", "", " end"}, {"repeat ", "", " until x"},
		{"if x then ", "", " end"}, {"for i = 1, 2 do ", "", " end"}, {"for k in x do ", "", " end"},
		{"function f() ", "", " end"}, {"x = function() return ", "1", " end"},
		{"local x: ", "", ""}, {"local x: {", "T", "}"}, {"local x: (", "A", ") -> B"}, {"local x: A<", "B", ">"}, {"local x: A[", "B", "]"},
		{"local x: () -> ", "A", ""}, {"local x: fun(): ", "A", ""}, {"local x: keyof(", "A", ")"}, {"local x: A extends B ? ", "C", " : D"},
		{"local x: A extends B ? C : ", "D", ""}, {"local x: asserts x is ", "D", ""}, {"local x: {a: ", "D", "}"},
	} {
		head := ""
		open := tt.open
		if i := strings.LastIndex(open, ": "); strings.HasPrefix(open, "local x: ") && i >= 0 {
			head, open = "local x: ", strings.TrimPrefix(open, "local x: ")
		} else if strings.HasPrefix(open, "x = ") {
			head, open = "x = ", strings.TrimPrefix(open, "x = ")
		}
		if open == "" {
			continue
		}
		closing := tt.closing
		src := head + strings.Repeat(open, 200_000) + tt.middle + strings.Repeat(closing, 200_000)
		_, err := syntax.Parse("t", src)
		if err == nil || !strings.Contains(err.Error(), "too many syntax levels") {
			if err != nil && len(err.Error()) > 200 {
				t.Errorf("%s: %.200s", tt.open, err.Error())
			} else {
				t.Errorf("%s: error %v", tt.open, err)
			}
		}
	}
}

func TestOrdinaryNestingIsAllowed(t *testing.T) {
	for _, src := range []string{
		"x = " + strings.Repeat("{", 90) + strings.Repeat("}", 90),
		"x = " + strings.Repeat("(", 90) + "1" + strings.Repeat(")", 90),
		strings.Repeat("do ", 150) + strings.Repeat(" end", 150),
		strings.Repeat("if a then elseif b then else ", 50) + strings.Repeat(" end", 50),
		"x = " + strings.Repeat("function() return ", 60) + "1" + strings.Repeat(" end", 60),
		"local x: " + strings.Repeat("{", 60) + "T" + strings.Repeat("}", 60),
	} {
		chunk, err := syntax.Parse("t", src)
		if err != nil {
			t.Errorf("%.60s: %v", src, err)
		} else if _, err = syntax.Compile(chunk, ""); err != nil {
			t.Errorf("%.60s: %v", src, err)
		}
	}
}

func TestLongChainsCompileOrFailCleanly(t *testing.T) {
	for _, unit := range []string{"x = a@ + a", "x = a@ // a", "x = a@ or a", "x = a@.b", "a@()", "a@:b()", "x = a@[1]", "x = a@ < a", "x = 1@ + 1", "x = a@ .. a"} {
		head, tail, _ := strings.Cut(unit, "@")
		for _, n := range []int{1000, syntax.MaxHeight + 10, 1_000_000} {
			src := head + strings.Repeat(tail, n)
			chunk, err := syntax.Parse("t", src)
			if n > syntax.MaxHeight {
				if err == nil || !strings.Contains(err.Error(), "too many syntax levels") {
					t.Errorf("%s %d times: error %.200v", tail, n, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s %d times: %v", tail, n, err)
				continue
			}
			if _, err = syntax.Compile(chunk, ""); err != nil && !strings.Contains(err.Error(), "register overflow") {
				t.Errorf("%s %d times: %v", tail, n, err)
			}
		}
	}
	src := "if a then " + strings.Repeat("elseif b then ", 1_000_000) + "end"
	if _, err := syntax.Parse("t", src); err == nil || !strings.Contains(err.Error(), "too many syntax levels") {
		t.Errorf("elseif: %.200v", err)
	}
	wide := "x = {" + strings.Repeat("{1},", 10_000) + "}" + strings.Repeat(" f()", 10_000)
	if chunk, err := syntax.Parse("t", wide); err != nil {
		t.Error(err)
	} else if _, err = syntax.Compile(chunk, ""); err != nil {
		t.Error(err)
	}
}
