// SPDX-License-Identifier: Apache-2.0

package syntax_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/syntax"
)

func bind(t testing.TB, src string, names ...string) *lua.FunctionProto {
	t.Helper()
	chunk, err := syntax.Parse("t", src)
	if err != nil {
		t.Fatal(err)
	}
	proto, err := syntax.Bind(chunk, "", names)
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return proto
}

func TestBindMakesUsedNamesUpvalues(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"return A", "A"},
		{"return B, A, B", "B A"},
		{"return 1", ""},
		{"local A = 1 return A", ""},
		{"local A = A return A", "A"},
		{"return function() return function() return B end end", "B"},
		{"return function(A) return A end", ""},
		{"A = 1 return A, B", "B"},
		{"function A() end return A", ""},
		{"local function f() A = 1 end return A, B", "B"},
		{"local function f() return function() A = 1 end end return A, B", "B"},
		{"local function f() local A return function() A = 1 end end return A, B", "A B"},
		{"local function f() local x local A return function() A, x = 1, A end, B end return A", "B A"},
		{"A.x = 1 return t.A", "A"},
		{"A = A B = B", ""},
	} {
		if got := strings.Join(bind(t, tt.src, "A", "B").DbgUpvalues, " "); got != tt.want {
			t.Errorf("%s: upvalues %q, want %q", tt.src, got, tt.want)
		}
	}
}

// runBound executes a chunk with numbers 1, 2, ... bound to names.
func runBound(t testing.TB, src string, names ...string) (string, string) {
	t.Helper()
	var out strings.Builder
	L := newState(t, &out)
	fn := L.NewFunctionFromProto(bind(t, src, names...))
	for i, name := range fn.Proto.DbgUpvalues {
		fn.Upvalues[i] = &lua.Upvalue{}
		fn.Upvalues[i].SetValue(lua.LNumber(slices.Index(names, name) + 1))
	}
	L.Push(fn)
	if err := L.PCall(0, 0, nil); err != nil {
		message, _, _ := strings.Cut(err.Error(), "\nstack traceback")
		return out.String(), message
	}
	return out.String(), ""
}

func TestBoundChunksRunLikeOthers(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"print(A, B, C)", "1 2 nil\n"},
		{"print(arg, A)", "nil 1\n"},
		{"print(select('#', ...), A)", "0 1\n"},
		{"local n = 0 local get = function() return n + A end\nfor i = 1, 3 do if i == 2 then goto continue end n = n + 1 ::continue:: end print(get())", "3\n"},
		{"local n, dots = 0, ... local get = function() return n + A end\nfor i = 1, 3 do if i == 2 then goto continue end n = n + 1 ::continue:: end print(get())", "3\n"},
		{"local n, dots = 0, ... local get = function() return n + A end\nfor i = 1, 3 do local f = function() return i end if i == 2 then break end n = n + f() end n = n + 1 print(get())", "3\n"},
		{"local function f(...) local n = 0 local get = function() return n + A end for i = 1, 3 do if i == 2 then goto continue end n = n + select('#', ...) ::continue:: end return get() end print(f(1), ...)", "3\n"},
	} {
		if got, err := runBound(t, tt.src, "A", "B"); got != tt.want || err != "" {
			t.Errorf("%s: %q %s, want %q", tt.src, got, err, tt.want)
		}
	}
	if _, err := runBound(t, "print(A)\n\nerror('x')", "A"); err != "t:3: x" {
		t.Errorf("line of an error: %s", err)
	}
}

func TestBindTakesAnyNumberOfNames(t *testing.T) {
	var names []string
	for i := range 1000 {
		names = append(names, fmt.Sprint("N", i))
	}
	if got, err := runBound(t, "print(N0, N149, N150, N999, (function() return N500 end)())", names...); got != "1 150 151 1000 501\n" || err != "" {
		t.Error(got, err)
	}
	chunk, err := syntax.Parse("t", "return {"+strings.Join(names[:256], ",")+"}")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := syntax.Bind(chunk, "", names); err == nil || !strings.Contains(err.Error(), "more than 255 upvalues") {
		t.Error(err)
	}
}

func TestDeclaredNamesAreSortedAndUnique(t *testing.T) {
	chunk, err := syntax.Parse("t", "type B = number type A = string type B = boolean do type C = number end")
	if err != nil {
		t.Fatal(err)
	}
	if got := chunk.Types.DeclaredNames(); !slices.Equal(got, []string{"A", "B"}) {
		t.Error(got)
	}
}

func TestLocalsEndWithTheirBlock(t *testing.T) {
	proto := bind(t, "do\nlocal a = 1\nend\nlocal b = 2\nif b then\nlocal c = 3\nend\nlocal d = A", "A")
	lines := map[string]int{"a": 2, "b": 8, "c": 6, "d": 8}
	for _, l := range proto.DbgLocals {
		end := proto.DbgSourcePositions[min(l.EndPc, len(proto.Code)-2)]
		if end > lines[l.Name] || l.EndPc < l.StartPc-1 {
			t.Errorf("%s: instructions %d to %d, line %d", l.Name, l.StartPc, l.EndPc, end)
		}
	}
}
