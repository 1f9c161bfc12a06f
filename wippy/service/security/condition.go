// SPDX-License-Identifier: Apache-2.0

package security

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/wippyrun/kit/wippy/system/security"
)

// condition is one that a policy asks for.
type condition struct {
	field lookup
	value lookup // of the value to compare with
	holds operator
}

// check reports whether the condition holds; an error says that it cannot be told.
func (c condition) check(r *security.Request) (bool, error) { return c.holds(c.field(r), c.value(r)) }

// lookup finds a value in a request, nil when it is not there.
type lookup func(*security.Request) any

// field returns the look-up of a path: parts of the actor, the action or the resource, or attributes of the request.
func field(path string) lookup {
	switch path {
	case "actor.id":
		return func(r *security.Request) any { return r.Actor.ID }
	case "action":
		return func(r *security.Request) any { return r.Action }
	case "resource":
		return func(r *security.Request) any { return r.Resource }
	}
	if rest, ok := strings.CutPrefix(path, "actor.meta."); ok {
		parts := strings.Split(rest, ".")
		return func(r *security.Request) any { return nested(r.Actor.Meta, parts) }
	}
	if rest, ok := strings.CutPrefix(path, "meta."); ok {
		parts := strings.Split(rest, ".")
		return func(r *security.Request) any { return nested(r.Meta, parts) }
	}
	return func(r *security.Request) any { return r.Meta[path] }
}

// constant is the look-up of a value that the entry has.
func constant(v any) lookup { return func(*security.Request) any { return v } }

// nested follows the parts of a path through maps.
func nested(m map[string]any, parts []string) any {
	for i, part := range parts {
		v, ok := m[part]
		if !ok {
			return nil
		}
		if i == len(parts)-1 {
			return v
		}
		if m, ok = v.(map[string]any); !ok {
			return nil
		}
	}
	return nil
}

// operator compares the value of a field with another one.
type operator func(field, value any) (bool, error)

// errCompare is why a condition cannot be told.
var errCompare = errors.New("the values cannot be compared")

// operators are those an entry can name, besides exists and nexists those for fields that are there.
var operators = map[string]operator{
	"eq":        func(f, v any) (bool, error) { return same(f, v), nil },
	"ne":        func(f, v any) (bool, error) { return !same(f, v), nil },
	"lt":        ordered(func(a, b float64) bool { return a < b }),
	"gt":        ordered(func(a, b float64) bool { return a > b }),
	"lte":       ordered(func(a, b float64) bool { return a <= b }),
	"gte":       ordered(func(a, b float64) bool { return a >= b }),
	"in":        func(f, v any) (bool, error) { return member(f, v) },
	"nin":       not(member),
	"contains":  contains,
	"ncontains": not(contains),
	"matches":   matches,
	"nmatches":  not(matches),
	"exists":    exists,
	"nexists":   not(exists),
}

func not(o operator) operator {
	return func(f, v any) (bool, error) {
		ok, err := o(f, v)
		return !ok, err
	}
}

// present makes an operator false for a field that is not there.
func present(o operator) operator {
	return func(f, v any) (bool, error) {
		if f == nil {
			return false, nil
		}
		return o(f, v)
	}
}

// number reads a number, or a text that is one.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case string:
		n, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		return n, err == nil
	case float64:
		return v, true
	case int:
		return float64(v), true
	}
	switch r := reflect.ValueOf(v); {
	case !r.IsValid():
	case r.CanInt():
		return float64(r.Int()), true
	case r.CanUint():
		return float64(r.Uint()), true
	case r.CanFloat():
		return r.Float(), true
	}
	return 0, false
}

// same compares as they are, as numbers, then as texts. Nothing is like nothing only.
func same(a, b any) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if reflect.DeepEqual(a, b) {
		return true
	}
	if x, ok := number(a); ok {
		if y, ok := number(b); ok {
			return x == y
		}
	}
	return fmt.Sprint(a) == fmt.Sprint(b)
}

func ordered(less func(a, b float64) bool) operator {
	return func(f, v any) (bool, error) {
		x, ok := number(f)
		y, also := number(v)
		if !ok || !also {
			return false, errCompare
		}
		return less(x, y), nil
	}
}

// list returns the items of a list.
func list(v any) ([]any, bool) {
	switch v := v.(type) {
	case []any:
		return v, true
	case []string:
		items := make([]any, len(v))
		for i, s := range v {
			items[i] = s
		}
		return items, true
	}
	return nil, false
}

// member reports whether f is one of the list v; a text is a list of one.
func member(f, v any) (bool, error) {
	if text, ok := v.(string); ok {
		return same(f, text), nil
	}
	items, ok := list(v)
	if !ok {
		return false, errCompare
	}
	for _, item := range items {
		if same(f, item) {
			return true, nil
		}
	}
	return false, nil
}

// contains reports whether the text f has v in it, or the list f has v as a member.
func contains(f, v any) (bool, error) {
	if text, ok := f.(string); ok {
		if v == nil {
			return false, errCompare
		}
		return strings.Contains(text, fmt.Sprint(v)), nil
	}
	items, ok := list(f)
	if !ok {
		return false, errCompare
	}
	return member(v, items)
}

// matches applies a regular expression that was compiled when the entry was loaded: a pattern that comes with a
// request is not taken.
func matches(f, v any) (bool, error) {
	pattern, ok := v.(*regexp.Regexp)
	if !ok {
		return false, errCompare
	}
	if text, ok := f.(string); ok {
		return pattern.MatchString(text), nil
	}
	return pattern.MatchString(fmt.Sprint(f)), nil
}

func exists(f, v any) (bool, error) {
	want, ok := v.(bool)
	if !ok {
		return false, errCompare
	}
	return (f != nil) == want, nil
}
