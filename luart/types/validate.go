// SPDX-License-Identifier: Apache-2.0

package types

import (
	"fmt"
	"math"
	"strconv"

	lua "github.com/yuin/gopher-lua"
)

// maxDepth is the nesting of values that validation follows. A cyclic value of a recursive type ends there.
const maxDepth = 64

// Failure says why a value is not of a type.
type Failure struct {
	Path       string // where in the value, "" for the value itself
	Expected   string // text of the expected type, "" for a failed validator
	Got        string // kind of the value found, "" for a failed validator
	Constraint string // name of the failed validator, or ""
	Message    string // the reason, without the path
}

// Error returns the message with the path in front.
func (f *Failure) Error() string {
	if f.Path == "" {
		return f.Message
	}
	return f.Path + ": " + f.Message
}

// Kind returns "Invalid".
func (f *Failure) Kind() string { return "Invalid" }

// Details returns what is known as a map of strings: field, expected, got and constraint.
func (f *Failure) Details() map[string]any {
	m := map[string]any{}
	for k, v := range map[string]string{"field": f.Path, "expected": f.Expected, "got": f.Got, "constraint": f.Constraint} {
		if v != "" {
			m[k] = v
		}
	}
	return m
}

// Validate returns nil when v is of the type, and the first failure otherwise. Tables are read without metamethods. It
// must not run while another goroutine changes v.
func (t *Type) Validate(v lua.LValue) *Failure {
	return t.validate(v, 0, nil)
}

// KindOf returns the kind of a value as failures name it: nil boolean number string table function userdata thread, and
// type for a type.
func KindOf(v lua.LValue) string {
	if u, ok := v.(*lua.LUserData); ok {
		if _, ok := u.Value.(*Type); ok {
			return "type"
		}
	}
	return v.Type().String()
}

func (t *Type) mismatch(v lua.LValue) *Failure {
	expected, got := t.expectation(), KindOf(v)
	return &Failure{Expected: expected, Got: got, Message: fmt.Sprintf("expected %s, got %s", expected, got)}
}

// expectation names a type for failures: records by their name, if any, as their text is long and says little; function
// types by the one thing that is checked; others by their structure, as an alias of string says less than string.
func (t *Type) expectation() string {
	switch u := t.target(); u.kind {
	case KindRecord, kindInterface, KindGeneric:
		return t.String()
	case KindFunction:
		return "function"
	default:
		return u.text
	}
}

func (t *Type) validate(v lua.LValue, depth int, in *chain) *Failure {
	if depth > maxDepth {
		return &Failure{Expected: t.String(), Got: "recursion limit exceeded", Message: "expected type, got recursion limit exceeded"}
	}
	u := t.target()
	if u.kind == kindUnresolved {
		return &Failure{Expected: u.text, Got: KindOf(v), Message: "unresolved type " + u.text}
	}
	if f := u.validateForm(t, v, depth, in); f != nil {
		return f
	}
	return runChecks(u.checks, v)
}

// validateForm checks everything but validators. named is the type as it was referred to, for messages.
func (t *Type) validateForm(named *Type, v lua.LValue, depth int, in *chain) *Failure {
	ok := true
	switch t.kind {
	case KindAny, KindUnknown:
	case KindNil:
		ok = v == lua.LNil
	case KindBoolean:
		ok = v.Type() == lua.LTBool
	case KindNumber:
		ok = v.Type() == lua.LTNumber
	case KindString:
		ok = v.Type() == lua.LTString
	case KindInteger:
		n, is := v.(lua.LNumber)
		ok = is && float64(n) == math.Trunc(float64(n)) && !math.IsInf(float64(n), 0)
	case KindThread:
		ok = v.Type() == lua.LTThread
	case KindFunction:
		ok = v.Type() == lua.LTFunction
	case KindUserdata:
		ok = v.Type() == lua.LTUserData
	case kindTable, kindInterface:
		ok = v.Type() == lua.LTTable
	case kindLiteral:
		ok = v == t.literal
	case KindOptional:
		if v == lua.LNil {
			return nil
		}
		return t.elem.validate(v, depth+1, in)
	case KindUnion:
		ok = false
		next := chain{t, in}
		for i := 0; i < len(t.members) && !in.holds(t); i++ {
			if t.members[i].validate(v, depth, &next) == nil {
				return nil
			}
		}
	case KindIntersection:
		ok = !in.holds(t)
		next := chain{t, in}
		for i := 0; i < len(t.members) && ok; i++ {
			if f := t.members[i].validate(v, depth, &next); f != nil {
				return f
			}
		}
	case KindArray, KindMap, KindRecord:
		table, is := v.(*lua.LTable)
		if !is {
			return named.mismatch(v)
		}
		switch t.kind {
		case KindArray:
			return t.validateArray(table, depth)
		case KindMap:
			return t.validateMap(table, depth)
		default:
			return t.validateRecord(table, depth)
		}
	default: // never, generic types that were not instantiated, tuples
		ok = false
	}
	if !ok {
		return named.mismatch(v)
	}
	return nil
}

// under puts a part of a value in front of the path of a failure in that part. Paths are made on the way back, so that
// validation of a good value builds none.
func (f *Failure) under(part string) *Failure {
	if f.Path != "" && f.Path[0] != '[' && f.Path[0] != '.' {
		part += "."
	}
	f.Path = part + f.Path
	return f
}

func (t *Type) validateArray(table *lua.LTable, depth int) *Failure {
	for i, n := 1, table.Len(); i <= n; i++ {
		v := table.RawGetInt(i)
		if v == lua.LNil {
			continue
		}
		if f := t.elem.validate(v, depth+1, nil); f != nil {
			return f.under("[" + strconv.Itoa(i) + "]")
		}
	}
	return nil
}

// validateMap checks entries in the order of next. The sequence part counts only when numbers can be keys.
func (t *Type) validateMap(table *lua.LTable, depth int) *Failure {
	length := table.Len()
	sequence := false
	switch t.key.target().kind {
	case KindNumber, KindInteger, KindAny:
		sequence = true
	}
	for k, v := table.Next(lua.LNil); k != lua.LNil; k, v = table.Next(k) {
		n, isNumber := k.(lua.LNumber)
		inSequence := isNumber && n >= 1 && n <= lua.LNumber(length) && n == lua.LNumber(math.Trunc(float64(n)))
		if inSequence && !sequence {
			continue
		}
		if !inSequence {
			if f := t.key.validate(k, depth+1, nil); f != nil {
				return f.under("[key]")
			}
		}
		if f := t.elem.validate(v, depth+1, nil); f != nil {
			if s, ok := k.(lua.LString); ok {
				return f.under("." + string(s))
			}
			return f.under("[" + k.String() + "]")
		}
	}
	return nil
}

func (t *Type) validateRecord(table *lua.LTable, depth int) *Failure {
	for i := range t.fields {
		field := &t.fields[i]
		v := table.RawGetString(field.Name)
		if v == lua.LNil {
			if field.Optional || field.Type.acceptsNil(nil) {
				continue
			}
			return &Failure{Path: field.Name, Expected: field.Type.expectation(), Got: "nil", Message: "required field missing"}
		}
		f := field.Type.validate(v, depth+1, nil)
		if f == nil {
			f = runChecks(field.checks, v)
		}
		if f != nil {
			return f.under(field.Name)
		}
	}
	return nil
}

// chain lists the unions and intersections that are being tried on one value.
type chain struct {
	t  *Type
	up *chain
}

// holds reports whether trying t would go in circles, as with type A = A | B, or the chain is implausibly long.
func (c *chain) holds(t *Type) bool {
	n := 0
	for ; c != nil; c = c.up {
		if n++; c.t == t || n > 16 {
			return true
		}
	}
	return false
}

// acceptsNil reports whether nil is of the type, without regard to validators.
func (t *Type) acceptsNil(in *chain) bool {
	u := t.target()
	switch u.kind {
	case KindAny, KindUnknown, KindNil, KindOptional:
		return true
	case KindUnion, KindIntersection:
		next := chain{u, in}
		for i := 0; i < len(u.members) && !in.holds(u); i++ {
			if u.members[i].acceptsNil(&next) == (u.kind == KindUnion) {
				return u.kind == KindUnion
			}
		}
		return u.kind == KindIntersection && !in.holds(u)
	}
	return false
}

func boolean(b bool) lua.LValue   { return lua.LBool(b) }
func str(s string) lua.LValue     { return lua.LString(s) }
func number(f float64) lua.LValue { return lua.LNumber(f) }
