// SPDX-License-Identifier: Apache-2.0

package types_test

import (
	"strings"
	"sync"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/syntax"
	"github.com/wippyrun/kit/luart/types"
)

// run executes a chunk with its declared types as globals and returns what it printed, or the error it raised.
func run(t testing.TB, src string, resolver types.Resolver) string {
	t.Helper()
	chunk, err := syntax.Parse("t", src)
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	proto, err := syntax.Compile(chunk, "")
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	L := lua.NewState()
	defer L.Close()
	for name, fn := range syntax.Intrinsics() {
		L.SetGlobal(name, L.NewFunction(fn))
	}
	var out strings.Builder
	L.SetGlobal("print", L.NewFunction(func(L *lua.LState) int {
		for i := 1; i <= L.GetTop(); i++ {
			if i > 1 {
				out.WriteByte(' ')
			}
			v := L.Get(i)
			if _, ok := v.(*lua.LTable); ok {
				out.WriteString("table")
			} else {
				out.WriteString(L.ToStringMeta(v).String())
			}
		}
		out.WriteByte('\n')
		return 0
	}))
	set := types.NewSet(chunk, resolver)
	binding := types.NewBinding(nil)
	for _, name := range set.Names() {
		d, _ := set.Lookup(name)
		L.SetGlobal(name, binding.Value(d))
	}
	for _, name := range []string{"number", "integer", "boolean", "any"} {
		b, _ := types.Builtin(name)
		L.SetGlobal(name, binding.Value(b))
	}
	L.Push(L.NewFunctionFromProto(proto))
	if err := L.PCall(0, 0, nil); err != nil {
		message, _, _ := strings.Cut(err.Error(), "\nstack traceback")
		return strings.TrimSpace(out.String() + message)
	}
	return strings.TrimSpace(out.String())
}

func TestValidation(t *testing.T) {
	for _, tt := range []struct{ decl, value, want string }{
		{"any", "nil", "nil nil"},
		{"unknown", "1", "1 nil"},
		{"never", "1", "nil expected never, got number"},
		{"nil", "nil", "nil nil"},
		{"nil", "1", "nil expected nil, got number"},
		{"boolean", "false", "false nil"},
		{"bool", "1", "nil expected boolean, got number"},
		{"string", "'x'", "x nil"},
		{"string", "1", "nil expected string, got number"},
		{"number", "1.5", "1.5 nil"},
		{"integer", "3.0", "3 nil"},
		{"integer", "3.5", "nil expected integer, got number"},
		{"integer", "1/0", "nil expected integer, got number"},
		{"table", "{}", "table nil"},
		{"function", "function() end", "^function"},
		{"thread", "1", "nil expected thread, got number"},
		{"userdata", "T", "^userdata"},
		{"3", "3", "3 nil"},
		{"3", "2", "nil expected 3, got number"},
		{"true", "true", "true nil"},
		{"false", "true", "nil expected false, got boolean"},
		{`"fast" | "safe"`, "'safe'", "safe nil"},
		{`"fast" | "safe"`, "'slow'", `nil expected "fast" | "safe", got string`},
		{"string?", "nil", "nil nil"},
		{"string?", "1", "nil expected string, got number"},
		{"string | number", "{}", "nil expected string | number, got table"},
		{"{a: string} & {b: number}", "{a = 'x', b = 1}", "table nil"},
		{"{a: string} & {b: number}", "{a = 'x'}", "nil b: required field missing"},
		{"{number}", "{}", "table nil"},
		{"{number}", "{1, 2, x = 'ignored'}", "table nil"},
		{"{number}", "{1, 'x'}", "nil [2]: expected number, got string"},
		{"number[]", "'x'", "nil expected number[], got string"},
		{"{{a: number[]}}", "{{a = {1}}, {a = {1, true}}}", "nil [2].a[2]: expected number, got boolean"},
		{"{[string]: number}", "{a = 1, 'ignored'}", "table nil"},
		{"{[string]: number}", "{a = 'x'}", "nil .a: expected number, got string"},
		{"{[string]: number}", "{[true] = 1}", "nil [key]: expected string, got boolean"},
		{"{[number]: string}", "{'x', 2}", "nil [2]: expected string, got number"},
		{"{[any]: string}", "{[10] = 2}", "nil [10]: expected string, got number"},
		{"{x: number, y: number}", "{x = 1, y = 2, z = 3}", "table nil"},
		{"{x: number, y: number}", "{x = 1}", "nil y: required field missing"},
		{"{x: number, y?: number, z: string?}", "{x = 1}", "table nil"},
		{"{x: any}", "{}", "table nil"},
		{"{x: {y: number}}", "{x = {y = 'a'}}", "nil x.y: expected number, got string"},
		{"{x: {y: number}}", "setmetatable({}, {__index = {x = {y = 1}}})", "nil x: required field missing"},
		{"readonly {number}", "{'x'}", "nil [1]: expected number, got string"},
		{"interface {a: number}", "{}", "nil a: required field missing"},
		{"(number) -> boolean", "{}", "nil expected function, got table"},
		{"(number) -> boolean", "print", "^function"},
		{"fun(a: number)", "1", "nil expected function, got number"},
		{"Missing", "1", "nil unresolved type Missing"},
		{"{a: Missing}", "{a = 1}", "nil a: unresolved type Missing"},
		{"keyof({a: number, b: string})", "'b'", "b nil"},
		{"keyof({a: number, b: string})", "'c'", `nil expected "a" | "b", got string`},
		{`{a: number, b: string}["b"]`, "1", "nil expected string, got number"},
		{"{string}[number]", "'x'", "x nil"},
		{"integer extends number ? string : boolean", "'x'", "x nil"},
		{"string extends number ? string : boolean", "'x'", "nil expected boolean, got string"},
		{"typeof('x')", "1", "nil expected string, got number"},
		{"typeof({n = 1, m = 'x'})", "{n = 1, m = 2}", "nil m: expected string, got number"},
		{"asserts x is number", "1", "1 nil"},
	} {
		got := run(t, "type T = "+tt.decl+"\nprint(T:is("+tt.value+"))", nil)
		if prefix, ok := strings.CutPrefix(tt.want, "^"); ok {
			if !strings.HasPrefix(got, prefix) && !strings.HasPrefix(got, "T nil") {
				t.Errorf("%s of %s: %q", tt.decl, tt.value, got)
			}
		} else if got != tt.want {
			t.Errorf("%s of %s: %q, want %q", tt.decl, tt.value, got, tt.want)
		}
	}
}

func TestValidators(t *testing.T) {
	for _, tt := range []struct{ decl, value, want string }{
		{"number @min(0)", "-1", "nil value below minimum"},
		{"number @min(0) @max(0x10)", "17", "nil value above maximum"},
		{"number @min(-2.5)", "-2", "-2 nil"},
		{"number @min(0)", "'x'", "nil expected number, got string"},
		{"string @min_len(2)", "'x'", "nil length below minimum"},
		{"string @max_len(2)", "'xyz'", "nil length above maximum"},
		{"string @min_len(-1)", "''", "nil"},
		{"{number} @min_len(1)", "{}", "nil length below minimum"},
		{"any @max_len(1)", "12", "nil length above maximum"},
		{`string @pattern("^.+@.+$")`, "'a@b'", "a@b nil"},
		{`string @pattern("^.+@.+$")`, "'ab'", "nil pattern mismatch"},
		{`string @pattern("(")`, "'ab'", "nil invalid regex"},
		{`string @pattern(1)`, "'ab'", "nil invalid pattern argument"},
		{`string @pattern`, "'ab'", "nil invalid pattern argument"},
		{"string @unknown(1)", "'ab'", "ab nil"},
		{"number @min(x) @max", "1", "1 nil"},
		{"{age: number @min(0)}", "{age = -1}", "nil age: value below minimum"},
		{"{s: string? @min_len(1)}", "{s = ''}", "nil s: length below minimum"},
		{"{s: string? @min_len(1)}", "{}", "table nil"},
		{"string | number @min(1)", "0", "nil expected string | number, got number"},
		{"{a: number} @min_len(5)", "{a = 1}", "table nil"},
	} {
		if got := run(t, "type T = "+tt.decl+"\nprint(T:is("+tt.value+"))", nil); got != tt.want {
			t.Errorf("%s of %s: %q, want %q", tt.decl, tt.value, got, tt.want)
		}
	}
}

func TestTypesAsValues(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"type Point = {x: number, y: number} print(Point({x = 1, y = 2}))", "table"},
		{"type Point = {x: number, y: number} Point({x = 1})", "t:1: expected Point, got table"},
		{"type T = number T()", "t:1: type T expects at least 1 argument"},
		{"type T = number T(1, 2)", "t:1: type T validation expects 1 value, got 2"},
		{"type T = number T(number)", "t:1: type T is not generic"},
		{"type T = number T(number, 1)", "t:1: type T does not accept mixed type/value arguments"},
		{"type B<T> = {value: T} print(B(number):is({value = 'x'}))", "nil value: expected number, got string"},
		{"type B<T> = {value: T} B(number, number)", "t:1: generic B expects 1 type arguments, got 2"},
		{"type B<T> = {value: T} print(B:is({value = 1}))", "nil expected B, got table"},
		{"type B<T> = {value: T} type S = B<string> print(S:is({value = 1}))", "nil value: expected string, got number"},
		{"type P<A, B> = {a: A, b: {B}} type S = {P<string, P<number, any>>} print(S:is({{a = 'x', b = {{a = 1}, {a = 'x'}}}}))",
			"nil [1].b[1].b: required field missing"},
		{"type T = number print(T.is(1), T:is('x'))", "1 nil expected number, got string"},
		{"print(integer(3.0), boolean(false)) integer(3.5)", "3 false\nt:1: expected integer, got number"},
		{"type T = {a: number} type U = {a: number} print(T == U, T ~= U, T <= U, T < U)", "true false true false"},
		{"type T = {a: number, b: string} type U = {a: number} print(T == U, T < U, U < T)", "false true false"},
		{"type T = {a: number} print(T.a, T.b, T.a:is('x'))", "number nil nil expected number, got string"},
		{"type T = {a: number} local set = {[T] = 'yes'} print(set[T], tostring(T), T:name())", "yes T T"},
		{"type T = {a: number}? print(T:inner():kind(), T:inner():name(), T:elem())", "record nil nil"},
		{"type T = {a: number, b?: string} for n, f in T:fields() do print(n, f, f:kind()) end", "a number number\nb string string"},
		{"type T = 'a' | 3 | nil for v in T:variants() do print(v, v:kind()) end", "\"a\" string\n3 number\nnil nil"},
		{"type T = (a: number, string) -> (A, B) for p in T:params() do print(p) end print(T:ret(), T:ret():kind())", "number\nstring\n(A, B) tuple"},
		{"type T<A, B: number> = A for n, b in T:tparams() do print(n, b) end print(T:kind())", "A nil\nB number\ngeneric"},
		{"type T = {number} type M = {[string]: boolean} print(T:elem(), M:key(), M:val(), T:kind(), M:kind(), T:fields(), T:ret())", "number string boolean array map nil nil"},
		{"interface I function f() end print(I:is({}), I:kind()) print(I:is(1))", "table record\nnil expected I, got number"},
		{"local s: {n: string} = {n = 'a'} type S = typeof(s) print(S:is({n = 1}))", "nil n: expected string, got number"},
		{"local n = 5 local t = {n = n, f = function() end} type S = typeof(t.n) type U = typeof(t) print(S:is('x')) print(U:is({n = 1}))", "nil expected integer, got string\nnil f: required field missing"},
		{"type S = typeof(1.5) type U = typeof(x as {a: string}) print(S:is(2)) print(U:is({}))", "2 nil\nnil a: required field missing"},
		{"type A = {b: B} type B = {c: number} print(A:is({b = {}}))", "nil b.c: required field missing"},
		{"print(pcall(function() type Inner = number return Inner end))", "true nil"},
	} {
		if got := run(t, tt.src, nil); got != tt.want {
			t.Errorf("%s\nprinted %q, want %q", tt.src, got, tt.want)
		}
	}
}

func TestRecursiveTypes(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"type L = {v: number, next: L?} print(L:is({v = 1, next = {v = 2}})) print(L:is({v = 1, next = {v = 'x'}}))", "table nil\nnil next.v: expected number, got string"},
		{"type L<T> = {v: T, next: L<T>?} type N = L<number> print(N:is({v = 1, next = {v = 'x'}}))", "nil next.v: expected number, got string"},
		{"type N<T> = {n: N<{T}>?} type M = N<number> print(M:is({n = {n = {}}}))", "table nil"},
		{"type A = B type B = A print(A:is(1), A:kind())", "nil unknown"},
		{"type A = A? print((A:is(nil)), A == A)", "nil true"},
		{"type A = A @min(1) print(A:is(1))", "nil unresolved"},
		{"type A = keyof(A) print((A:is(1)))", "nil"},
		{"type A = A['x'] print((A:is(1)))", "1"},
		{"type A = A<number> print((A:is(1)))", "nil"},
		{"type A = A extends A ? A : number print((A:is(1)))", ""},
		{"type A = {a: A} extends {a: A['a']} ? number : A print((A:is(1)))", ""},
		{"local x: typeof(x) type A = typeof(x) print((A:is(1)))", "nil"},
		{"local x = x type A = typeof(x) print((A:is(1)))", "1"},
		{"type A<T> = A<T> type B = A<number> print((B:is(1)))", "nil"},
		{"type A<T> = A<{T}> type B = A<number> print((B:is(1)))", "nil"},
		{"type A = A? print((A:is(1)))", "nil"},
		{"type A = A | A | A print((A:is(1)))", "nil"},
		{"type A = A & A print((A:is(1)))", "nil"},
		{"type A = A | A type B = {a: A} print((B:is({})))", "nil"},
		{"type A<T> = A<{T}> | A<{T}> type B = A<number> type C = A<string> print((B:is(1)))", "nil"},
		{"type A<T> = {a: A<{T}>, b: A<{T}>} type B = A<number> type C = A<string> print(B == C)", ""},
		{"type A = A | number print((A:is(1)))", "1"},
		{"type A = {a: A?} type B = {a: B?} print(A == B, A <= B)", "true true"},
		{"type A = {a: A?} local v = {} v.a = v print(select(2, A:is(v)):match('recursion limit exceeded'))", "recursion limit exceeded"},
		{"type A = {A} local v = {} v[1] = v print(select(2, A:is(v)):match('expected type, got recursion'))", "expected type, got recursion"},
	} {
		if got := run(t, tt.src, nil); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s\nprinted %q, want %q", tt.src, got, tt.want)
		}
	}
}

func TestResolverFindsTypesOfOtherModules(t *testing.T) {
	chunk, err := syntax.Parse("lib", "type Config = {host: string, port: number}")
	if err != nil {
		t.Fatal(err)
	}
	lib := types.NewSet(chunk, nil)
	resolver := func(module, name string) (*types.Type, bool) {
		switch {
		case module == "lib":
			return lib.Lookup(name)
		case module == "time" || module == "" && name == "Channel":
			return types.Object(strings.TrimPrefix(module+"."+name, ".")), true
		}
		return nil, false
	}
	for _, tt := range []struct{ src, want string }{
		{"type T = lib.Config print(T:is({host = 'h'}))", "nil port: required field missing"},
		{"type T = lib.Missing print(T:is(1))", "nil unresolved type lib.Missing"},
		{"type T = time.Time print(T:is(1))", "nil expected time.Time, got number"},
		{"type T = Channel<string> print(T:is(1))", "nil expected Channel, got number"},
		{"type T = lib.Config<string> print(T:is(1))", "nil unresolved type lib.Config<string>"},
	} {
		if got := run(t, tt.src, resolver); got != tt.want {
			t.Errorf("%s\nprinted %q, want %q", tt.src, got, tt.want)
		}
	}
}

func TestSubtypes(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"number", "any", true}, {"any", "number", false}, {"never", "string", true}, {"integer", "number", true}, {"number", "integer", false},
		{"1", "integer", true}, {"1.5", "integer", false}, {"1", "number", true}, {`"a"`, "string", true}, {`"a"`, `"b"`, false}, {"true", "boolean", true},
		{"nil", "string?", true}, {"string", "string?", true}, {"string?", "string", false}, {"string | nil", "string?", true},
		{"string | number", "number | string | nil", true}, {"{string}", "{string | number}", true},
		{"{string}", "{[number]: string}", true}, {"{string}", "{[string]: string}", false}, {"{a: string}", "{[string]: string}", true}, {"{}", "{string}", true},
		{"{a: number, b: string}", "{a: number}", true}, {"{a: number}", "{a: number, b?: string}", true}, {"{a: number}", "{a: number, b: string}", false},
		{"{a?: number}", "{a: number}", false}, {"{a: string}", "{a?: number}", false}, {"{a: number}", "table", true}, {"table", "{a: number}", true}, {"number", "table", false},
		{"{a: number} & {b: string}", "{a: number}", true}, {"{a: number, b: string}", "{a: number} & {b: string}", true},
		{"(number) -> string", "(integer) -> string", true}, {"(integer) -> string", "(number) -> string", false},
		{"() -> string", "(number) -> string", true}, {"(number) -> string", "() -> string", false}, {"(number?) -> string", "() -> string", true},
		{"() -> (string, number)", "() -> string", true}, {"() -> string", "() -> (string, number)", false}, {"fun()", "() -> number", true},
		{"{[string]: integer}", "{[string]: number}", true}, {"{[integer]: number}", "{[number]: number}", false},
	} {
		chunk, err := syntax.Parse("t", "type A = "+tt.a+" type B = "+tt.b)
		if err != nil {
			t.Fatal(err)
		}
		set := types.NewSet(chunk, nil)
		a, _ := set.Lookup("A")
		b, _ := set.Lookup("B")
		if got := types.Subtype(a, b); got != tt.want {
			t.Errorf("%s <: %s is %t", tt.a, tt.b, got)
		}
	}
}

func TestFailureCarriesDetails(t *testing.T) {
	chunk, err := syntax.Parse("t", "type T = {age: number @min(0)}")
	if err != nil {
		t.Fatal(err)
	}
	d, _ := types.NewSet(chunk, nil).Lookup("T")
	L := lua.NewState()
	defer L.Close()
	v := L.NewTable()
	v.RawSetString("age", lua.LString("x"))
	f := d.Validate(v)
	if f == nil || f.Kind() != "Invalid" || f.Error() != "age: expected number, got string" {
		t.Fatalf("%v", f)
	}
	if got := f.Details(); len(got) != 3 || got["field"] != "age" || got["expected"] != "number" || got["got"] != "string" {
		t.Errorf("%v", got)
	}
	v.RawSetString("age", lua.LNumber(-1))
	if got := d.Validate(v).Details(); len(got) != 2 || got["constraint"] != "min" {
		t.Errorf("%v", got)
	}
	v.RawSetString("age", lua.LNumber(1))
	if f := d.Validate(v); f != nil {
		t.Error(f)
	}
}

func TestTypesAreSafeForConcurrentUse(t *testing.T) {
	chunk, err := syntax.Parse("t", "type L<T> = {v: T @min(1), next: L<T>?} type N = L<number>")
	if err != nil {
		t.Fatal(err)
	}
	set := types.NewSet(chunk, nil)
	n, _ := set.Lookup("N")
	binding := types.NewBinding(nil)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			v := &lua.LTable{Metatable: lua.LNil}
			v.RawSetString("v", lua.LNumber(1))
			for range 100 {
				if f := n.Validate(v); f != nil {
					t.Error(f)
				}
				if first, second := binding.Value(n), binding.Value(n); first != second {
					t.Error("two values of one type")
				}
			}
		})
	}
	wg.Wait()
}

func TestValidationOfAGoodValueAllocatesNothing(t *testing.T) {
	d, list := points(t)
	if n := testing.AllocsPerRun(100, func() {
		if f := d.Validate(list); f != nil {
			t.Fatal(f)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// points returns a type of lists of points and a list of 100.
func points(t testing.TB) (*types.Type, lua.LValue) {
	chunk, err := syntax.Parse("t", "type P = {x: number, y: number, label?: string} type T = {P}")
	if err != nil {
		t.Fatal(err)
	}
	d, _ := types.NewSet(chunk, nil).Lookup("T")
	list := &lua.LTable{Metatable: lua.LNil}
	for range 100 {
		p := &lua.LTable{Metatable: lua.LNil}
		p.RawSetString("x", lua.LNumber(1))
		p.RawSetString("y", lua.LNumber(2))
		list.Append(p)
	}
	return d, list
}

func BenchmarkValidate(b *testing.B) {
	d, list := points(b)
	b.ReportAllocs()
	for b.Loop() {
		if f := d.Validate(list); f != nil {
			b.Fatal(f)
		}
	}
}
