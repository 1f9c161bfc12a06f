// SPDX-License-Identifier: Apache-2.0

package syntax_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/wippyrun/kit/luart/syntax"
)

func parseError(t *testing.T, src string) *syntax.Error {
	t.Helper()
	_, err := syntax.Parse("app:handler", src)
	var e *syntax.Error
	if !errors.As(err, &e) {
		t.Fatalf("%q: error %v", src, err)
	}
	return e
}

func TestPrettyShowsTheLineWithACaret(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"local x = 1\nif x != 2 then end", `error: syntax error: unexpected '!'
 --> app:handler:2:6
  |
2 | if x != 2 then end
  |      ^
  = help: 'not equal' is written ~=`},
		{"\n\n\n\n\n\n\n\n\n\tlocal\tfunction = 1", `error: syntax error: unexpected '=', expected a function name
  --> app:handler:10:17
   |
10 |         local   function = 1
   |                          ^
   = help: equality is written ==`},
		{"x = 'abc", `error: unterminated string
 --> app:handler:1:5
  |
1 | x = 'abc
  |     ^~~~
  = help: close the string with ' on the same line, or use [[...]]`},
		{"function f()\n  if x then\n    y()\nend\n", `error: syntax error: unexpected end of input, expected 'end'
 --> app:handler:5:1
  |
5 | 
  | ^
  = help: 'function' on line 1 needs its 'end'`},
		{"goto nowhere", `error: no visible label 'nowhere' for <goto> at line 1
 --> app:handler:1:1
  |
1 | goto nowhere
  | ^~~~~~~~~~~~`},
	} {
		if got := parseError(t, tt.src).Pretty(); got != tt.want {
			t.Errorf("%q:\n%s\nwant:\n%s", tt.src, got, tt.want)
		}
	}
}

func TestHintsNameWhatWasMeant(t *testing.T) {
	for _, tt := range []struct{ src, hint string }{
		{"if a != b then end", "~="},
		{"if a && b then end", "and"},
		{"if a || b then end", "or"},
		{"if !a then end", "not"},
		{"x += 1", "compound"},
		{"x -= 1", "compound"},
		{"x ..= 's'", "compound"},
		{"x++", "no ++"},
		{"if x = 1 then end", "=="},
		{"// comment", "--"},
		{"continue", "goto continue"},
		{"while x do\ncontinue\nend", "goto continue"},
		{"let x = 1", "local"},
		{"elif x then", "elseif"},
		{"export type T = X", "export"},
		{"local x <close> = f()", "attributes"},
		{"local is = 1", "reserved word"},
		{"x = “a”", "strings are written"},
		{"x =\u00a01", "invisible"},
		{"if a then\nelse if b then\nend\n", "write elseif"},
		{"while a do\n  if b then\nend", "'while' on line 1"},
		{"f(\n1\n", "'(' on line 1"},
		{"t = {\n1\n", "'{' on line 1"},
		{"return 1\nx = 2", "last statement"},
		{"local function f(x?: T) end", "name: T?"},
		{"local x: {A, B}", "one element type"},
		{"local x: {a: A; b: B}", "commas"},
		{"local x: (A)", "do not group"},
		{"local f: (A, B) -> (C)", "do not group"},
		{"function f(): (A, B) -> C end", "in parentheses"},
		{"return x :: A\n:: B", "do not chain"},
		{"for i: number = 1, 2 do end", "no annotation"},
		{"x.y", "only calls and assignments"},
	} {
		if got := parseError(t, tt.src).Hint; !strings.Contains(got, tt.hint) {
			t.Errorf("%q: hint %q, want something with %q", tt.src, got, tt.hint)
		}
	}
}

func TestErrorsAreInvalidAndPositioned(t *testing.T) {
	e := parseError(t, "local a\n  local local")
	if e.Kind() != "Invalid" || e.Name != "app:handler" || e.Line != 2 || e.Col != 9 || e.EndCol != 14 || e.SourceLine != "  local local" {
		t.Errorf("%+v", e)
	}
	if e = parseError(t, "x = ("); !e.AtEOF || e.Error() != "app:handler at EOF: syntax error: unexpected end of input, expected an expression" {
		t.Errorf("%+v", e)
	}
}
