// SPDX-License-Identifier: Apache-2.0

package types_test

import (
	"fmt"
	"slices"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/syntax"
	"github.com/wippyrun/kit/luart/types"
)

func declare(t testing.TB, src string) *types.Set {
	t.Helper()
	chunk, err := syntax.Parse("t", src)
	if err != nil {
		t.Fatal(err)
	}
	return types.NewSet(chunk, nil)
}

func lookup(t testing.TB, s *types.Set, name string) *types.Type {
	t.Helper()
	found, ok := s.Lookup(name)
	if !ok {
		t.Fatalf("no type %s", name)
	}
	return found
}

func TestKindsOfTypes(t *testing.T) {
	for text, want := range map[string]types.Kind{
		"nil": types.KindNil, "boolean": types.KindBoolean, "number": types.KindNumber, "string": types.KindString,
		"integer": types.KindInteger, "any": types.KindAny, "unknown": types.KindUnknown, "never": types.KindNever,
		"number?": types.KindOptional, "number | string": types.KindUnion, "{a: number} & {b: number}": types.KindIntersection,
		"(number) -> number": types.KindFunction, "number[]": types.KindArray, "{[string]: number}": types.KindMap,
		"{a: number}": types.KindRecord, "userdata": types.KindUserdata, "thread": types.KindThread,
		"table": types.KindRecord, `"on"`: types.KindString, "1": types.KindNumber, "true": types.KindBoolean,
		"Missing": types.KindUnknown,
	} {
		if got := lookup(t, declare(t, "type T = "+text), "T").Kind(); got != want {
			t.Errorf("%s is of kind %s, want %s", text, got, want)
		}
	}
}

func TestPartsOfTypes(t *testing.T) {
	s := declare(t, `
type Point = {x: number, y?: integer}
type List = Point[]
type Index = {[string]: Point}
type Maybe = Point?
type Either = Point | string
type Sum = (a: number, ...number) -> (number, string)
type Say = (text: string) -> string
type Box<T, U: string> = {value: T, name: U}
type Filled = Box<Point, string>
`)
	point := lookup(t, s, "Point")
	if point.Name() != "Point" || point.String() != "Point" || point.LuaType() != "type" {
		t.Errorf("name %q, text %q", point.Name(), point)
	}
	fields := point.Fields()
	if len(fields) != 2 || fields[0].Name != "x" || fields[0].Optional || fields[1].Name != "y" || !fields[1].Optional || fields[1].Type.Kind() != types.KindInteger {
		t.Errorf("fields %v", fields)
	}
	if x, ok := point.Field("x"); !ok || x.Kind() != types.KindNumber {
		t.Errorf("field x: %v, %v", x, ok)
	}
	if _, ok := point.Field("z"); ok {
		t.Error("a field that is not there")
	}
	for what, got := range map[string]*types.Type{
		"elem":  lookup(t, s, "List").Elem(),
		"value": lookup(t, s, "Index").Value(),
		"inner": lookup(t, s, "Maybe").Inner(),
	} {
		if got == nil || !types.Equal(got, point) {
			t.Errorf("%s is %v", what, got)
		}
	}
	if key := lookup(t, s, "Index").Key(); key.Kind() != types.KindString {
		t.Errorf("key is %v", key)
	}
	if point.Elem() != nil || point.Value() != nil || point.Inner() != nil || point.Variants() != nil || point.Params() != nil || point.TypeParams() != nil {
		t.Error("a record has parts of other types")
	}
	if v := lookup(t, s, "Either").Variants(); len(v) != 2 || v[1].Kind() != types.KindString {
		t.Errorf("variants %v", v)
	}
	sum := lookup(t, s, "Sum")
	if p := sum.Params(); len(p) != 1 || p[0].Name != "a" || p[0].Type.Kind() != types.KindNumber || sum.Return().Kind() != types.KindTuple {
		t.Errorf("params %v, returns %v", p, sum.Return())
	}
	if r := lookup(t, s, "Say").Return(); r.Kind() != types.KindString {
		t.Errorf("returns %v", r)
	}

	box := lookup(t, s, "Box")
	if p := box.TypeParams(); box.Kind() != types.KindGeneric || len(p) != 2 || p[0].Name != "T" || p[0].Type != nil || p[1].Type.Kind() != types.KindString {
		t.Errorf("%s with parameters %v", box.Kind(), p)
	}
	str, _ := types.Builtin("string")
	made, err := box.Instantiate(point, str)
	if err != nil || made.String() != "Box<Point, string>" || !types.Equal(made, lookup(t, s, "Filled")) || types.Equal(made, point) {
		t.Errorf("instance %v, %v", made, err)
	}
	if _, err := box.Instantiate(point); err == nil || err.Error() != "generic Box expects 2 type arguments, got 1" {
		t.Errorf("too few arguments: %v", err)
	}
	if _, err := point.Instantiate(str); err == nil || err.Error() != "type Point is not generic" {
		t.Errorf("arguments for a type without parameters: %v", err)
	}
}

func TestFailureSaysWhatWasExpectedWhere(t *testing.T) {
	s := declare(t, "type User = {name: string, age: number @min(18)}")
	user := lookup(t, s, "User")
	value := &lua.LTable{Metatable: lua.LNil}
	value.RawSetString("name", lua.LNumber(1))
	value.RawSetString("age", lua.LNumber(20))
	f := user.Validate(value)
	if f == nil || f.Path != "name" || f.Expected != "string" || f.Got != "number" || f.Constraint != "" || f.Message != "expected string, got number" {
		t.Errorf("wrong type: %+v", f)
	}
	value.RawSetString("name", lua.LString("ann"))
	value.RawSetString("age", lua.LNumber(17))
	if f := user.Validate(value); f == nil || f.Path != "age" || f.Constraint != "min" || f.Expected != "" || f.Got != "" {
		t.Errorf("failed validator: %+v", f)
	}
}

func ExampleBinding_Check() {
	chunk, err := syntax.Parse("app:t", "type Port = integer @min(1) @max(65535)")
	if err != nil {
		fmt.Println(err)
		return
	}
	port, _ := types.NewSet(chunk, nil).Lookup("Port")
	b := types.NewBinding(nil)
	for _, v := range []lua.LValue{lua.LNumber(80), lua.LNumber(0), lua.LString("http")} {
		fmt.Println(b.Check(port, v))
	}
	back, ok := types.FromValue(b.Value(port))
	fmt.Println(back, ok, types.KindOf(b.Value(port)), types.KindOf(lua.LTrue))
	// Output:
	// 80 nil
	// nil value below minimum
	// nil expected integer, got string
	// Port true type boolean
}

func TestBindingHasTheMethodsOfTypes(t *testing.T) {
	b := types.NewBinding(nil)
	list := lookup(t, declare(t, "type L = number[]"), "L")
	var known []string
	for _, name := range []string{"is", "kind", "name", "elem", "key", "val", "inner", "ret", "fields", "variants", "params", "tparams", "other"} {
		if b.Method(list, name) != nil {
			known = append(known, name)
		}
	}
	if len(known) != 12 || slices.Contains(known, "other") {
		t.Errorf("methods %v", known)
	}
	L := lua.NewState()
	defer L.Close()
	if err := L.CallByParam(lua.P{Fn: b.Method(list, "kind"), NRet: 1, Protect: true}); err != nil || L.Get(-1) != lua.LString("array") {
		t.Errorf("kind: %v, %v", L.Get(-1), err)
	}
}
