// SPDX-License-Identifier: Apache-2.0

package types

import (
	lua "github.com/yuin/gopher-lua"
)

// Binding makes Lua values of types. Its values have no state of a Lua state in them and may be shared by all of them.
type Binding struct {
	meta       *lua.LTable
	errorValue func(*Failure) lua.LValue
	standsFor  func(lua.LValue) (*Type, bool)
}

// NewBinding returns a binding whose T:is(v) turns failures into Lua values with errorValue; nil means their text.
func NewBinding(errorValue func(*Failure) lua.LValue) *Binding {
	if errorValue == nil {
		errorValue = func(f *Failure) lua.LValue { return lua.LString(f.Error()) }
	}
	b := &Binding{errorValue: errorValue, meta: &lua.LTable{Metatable: lua.LNil}, standsFor: FromValue}
	for name, fn := range map[string]lua.LGFunction{
		"__call": b.call, "__index": b.index, "__tostring": b.text,
		"__eq": compare(Equal),
		"__le": compare(Subtype),
		"__lt": compare(func(x, y *Type) bool { return Subtype(x, y) && !Subtype(y, x) }),
	} {
		b.meta.RawSetString(name, goFunction(fn))
	}
	b.meta.RawSetString("__metatable", lua.LString("type"))
	return b
}

// Accept makes other values than those of the binding stand for types among the arguments of a generic type, as the
// library table string does for the type string. It must be called before the binding is used.
func (b *Binding) Accept(other func(lua.LValue) (*Type, bool)) {
	b.standsFor = func(v lua.LValue) (*Type, bool) {
		if t, ok := FromValue(v); ok {
			return t, true
		}
		return other(v)
	}
}

func goFunction(fn lua.LGFunction) *lua.LFunction {
	return &lua.LFunction{IsG: true, GFunction: fn}
}

// Value returns the Lua value of a type: a userdata, always the same one for the same type and binding.
func (b *Binding) Value(t *Type) *lua.LUserData {
	if v := t.value.Load(); v != nil && v.Metatable == b.meta {
		return v
	}
	v := &lua.LUserData{Value: t, Metatable: b.meta}
	t.value.CompareAndSwap(nil, v)
	if w := t.value.Load(); w.Metatable == b.meta {
		return w
	}
	return v
}

// FromValue returns the type behind a Lua value.
func FromValue(v lua.LValue) (*Type, bool) {
	if u, ok := v.(*lua.LUserData); ok {
		t, ok := u.Value.(*Type)
		return t, ok
	}
	return nil, false
}

func self(L *lua.LState) *Type {
	t, ok := FromValue(L.Get(1))
	if !ok {
		L.ArgError(1, "type expected")
	}
	return t
}

// call implements T(v), which checks a value, and G(T, ...), which instantiates a generic type.
func (b *Binding) call(L *lua.LState) int {
	t := self(L)
	n := L.GetTop() - 1
	if n == 0 {
		L.RaiseError("type %s expects at least 1 argument", t)
	}
	var args []*Type
	standsFor := FromValue
	if t.target().kind == KindGeneric {
		standsFor = b.standsFor
	}
	for i := 2; i <= n+1; i++ {
		if a, ok := standsFor(L.Get(i)); ok {
			args = append(args, a)
		}
	}
	switch {
	case len(args) == n:
		made, err := t.Instantiate(args...)
		if err != nil {
			L.RaiseError("%s", err.Error())
		}
		L.Push(b.Value(made))
		return 1
	case len(args) > 0:
		L.RaiseError("type %s does not accept mixed type/value arguments", t)
	case n > 1:
		L.RaiseError("type %s validation expects 1 value, got %d", t, n)
	}
	v := L.Get(2)
	if t.Validate(v) != nil {
		L.RaiseError("expected %s, got %s", t, KindOf(v))
	}
	L.Push(v)
	return 1
}

// Check implements T:is(v) for host code: v and nil, or nil and the error value.
func (b *Binding) Check(t *Type, v lua.LValue) (lua.LValue, lua.LValue) {
	if f := t.Validate(v); f != nil {
		return lua.LNil, b.errorValue(f)
	}
	return v, lua.LNil
}

// Method returns the method of a type with a name, as a function for T:name(...) and T.name(...) alike, or nil.
func (b *Binding) Method(t *Type, name string) *lua.LFunction {
	one := func(u *Type) lua.LGFunction {
		return func(L *lua.LState) int {
			L.Push(b.orNil(u))
			return 1
		}
	}
	switch name {
	case "is":
		return goFunction(func(L *lua.LState) int {
			i := 1
			if u, ok := FromValue(L.Get(1)); ok && u == t {
				i = 2
			}
			v, err := b.Check(t, L.Get(i))
			L.Push(v)
			L.Push(err)
			return 2
		})
	case "kind":
		return goFunction(func(L *lua.LState) int {
			L.Push(lua.LString(t.Kind()))
			return 1
		})
	case "name":
		return goFunction(func(L *lua.LState) int {
			if t.name == "" {
				L.Push(lua.LNil)
			} else {
				L.Push(lua.LString(t.name))
			}
			return 1
		})
	case "elem":
		return goFunction(one(t.Elem()))
	case "key":
		return goFunction(one(t.Key()))
	case "val":
		return goFunction(one(t.Value()))
	case "inner":
		return goFunction(one(t.Inner()))
	case "ret":
		return goFunction(one(t.Return()))
	case "fields":
		return b.fieldIterator(t)
	case "variants":
		return b.iterator(len(t.Variants()), func(i int) []lua.LValue { return []lua.LValue{b.Value(t.Variants()[i])} })
	case "params":
		return b.iterator(len(t.Params()), func(i int) []lua.LValue { return []lua.LValue{b.orNil(t.Params()[i].Type)} })
	case "tparams":
		return b.iterator(len(t.TypeParams()), func(i int) []lua.LValue {
			p := t.TypeParams()[i]
			return []lua.LValue{lua.LString(p.Name), b.orNil(p.Type)}
		})
	}
	return nil
}

func (b *Binding) fieldIterator(t *Type) *lua.LFunction {
	return b.iterator(len(t.Fields()), func(i int) []lua.LValue {
		f := t.Fields()[i]
		return []lua.LValue{lua.LString(f.Name), b.Value(f.Type)}
	})
}

// iterator returns a method that returns an iterator over n items, or nil when there are none.
func (b *Binding) iterator(n int, item func(i int) []lua.LValue) *lua.LFunction {
	return goFunction(func(L *lua.LState) int {
		if n == 0 {
			L.Push(lua.LNil)
			return 1
		}
		i := 0
		L.Push(goFunction(func(L *lua.LState) int {
			if i == n {
				L.Push(lua.LNil)
				return 1
			}
			values := item(i)
			i++
			for _, v := range values {
				L.Push(v)
			}
			return len(values)
		}))
		return 1
	})
}

func (b *Binding) orNil(t *Type) lua.LValue {
	if t == nil {
		return lua.LNil
	}
	return b.Value(t)
}

func (b *Binding) index(L *lua.LState) int {
	t := self(L)
	name := L.Get(2).String()
	if fn := b.Method(t, name); fn != nil {
		L.Push(fn)
	} else if f, ok := t.Field(name); ok {
		L.Push(b.Value(f))
	} else {
		L.Push(lua.LNil)
	}
	return 1
}

func (b *Binding) text(L *lua.LState) int {
	L.Push(lua.LString(self(L).String()))
	return 1
}

func compare(related func(x, y *Type) bool) lua.LGFunction {
	return func(L *lua.LState) int {
		x, ok1 := FromValue(L.Get(1))
		y, ok2 := FromValue(L.Get(2))
		L.Push(lua.LBool(ok1 && ok2 && related(x, y)))
		return 1
	}
}
