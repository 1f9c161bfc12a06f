// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/wippyrun/kit/registry"
)

// Variables looks up an environment variable by its public name or by the ID of its
// entry. known is false for a name that is not registered; set is false for a variable
// that has no value, its own default included.
type Variables func(name string) (value string, set, known bool)

// Expand returns the entry the way its component reads it, with the placeholders in the
// strings of its data replaced. It is no stage: entries keep their placeholders, so that
// a variable can change later.
//
//	${env:NAME}          the value of a variable; it must have one
//	${env:NAME|default}  the same, with a value for a variable that has none
//	${NAME|default}      the same, when NAME consists of A-Z, 0-9 and _
//	$${                  the text ${
//
// A string that is one placeholder and nothing else takes the type of its default: with
// the default 8080 a number, with true a boolean. A field F_env that names a variable
// gives the field F its value; it is left alone when there is no such variable, and F when
// the variable has no value.
//
// The error wraps one *registry.EntryError for each string that cannot be expanded, with
// its place. The entry given is not changed; the result shares with it what is the same.
func Expand(e registry.Entry, vars Variables) (registry.Entry, error) {
	x := &expander{entry: e, vars: vars}
	e.Data = x.value(e.Data, "data")
	return e, errors.Join(x.errs...)
}

type expander struct {
	entry registry.Entry
	vars  Variables
	errs  []error
}

func (x *expander) fail(path string, err error, hint string) {
	x.errs = append(x.errs, &registry.EntryError{ID: x.entry.ID, Position: x.entry.Position(path),
		Err: &Error{kind: "Invalid", msg: path, cause: err}, Hint: hint})
}

func (x *expander) value(v any, path string) any {
	switch v := v.(type) {
	case string:
		return x.text(v, path)
	case []any:
		out := v
		for i, item := range v {
			next := x.value(item, path+"."+strconv.Itoa(i))
			if !unchanged(item, next) {
				if &out[0] == &v[0] {
					out = slices.Clone(v)
				}
				out[i] = next
			}
		}
		return out
	case map[string]any:
		return x.fields(v, path)
	}
	return v
}

// unchanged reports whether a value is still the same one. Maps and lists are copied when
// they change, so that their identity tells; of other values only strings change.
func unchanged(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && sameMap(a, b)
	case []any:
		b, ok := b.([]any)
		return ok && len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
	}
	s, isText := a.(string)
	t, _ := b.(string)
	return !isText || s == t
}

func (x *expander) fields(m map[string]any, path string) map[string]any {
	var out map[string]any
	change := func() map[string]any {
		if out == nil {
			out = maps.Clone(m)
		}
		return out
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if next := x.value(m[k], path+"."+k); !unchanged(m[k], next) {
			change()[k] = next
		}
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		field, ok := strings.CutSuffix(k, "_env")
		name, isText := m[k].(string)
		if !ok || field == "" || !isText || name == "" {
			continue
		}
		value, set, known := x.vars(name)
		if !known {
			continue
		}
		delete(change(), k)
		if set && value != "" {
			change()[field] = value
		}
	}
	if out == nil {
		return m
	}
	return out
}

// text expands one string.
func (x *expander) text(s, path string) any {
	if !strings.Contains(s, "${") {
		return s
	}
	var b strings.Builder
	rest := s
	for {
		i := strings.Index(rest, "${")
		if i < 0 {
			b.WriteString(rest)
			return b.String()
		}
		if i > 0 && rest[i-1] == '$' {
			b.WriteString(rest[:i-1] + "${")
			rest = rest[i+2:]
			continue
		}
		p, size := parsePlaceholder(rest[i:])
		if size == 0 {
			b.WriteString(rest[:i+2])
			rest = rest[i+2:]
			continue
		}
		value, ok := x.lookUp(p, path)
		if !ok {
			return s
		}
		if size == len(s) { // nothing else in the string
			return x.typed(p, value, path)
		}
		b.WriteString(rest[:i] + value)
		rest = rest[i+size:]
	}
}

// placeholder is one of the forms that name a variable.
type placeholder struct {
	name       string
	fallback   string
	hasDefault bool
}

// parsePlaceholder reads a placeholder at the beginning of a text that begins with "${".
// size is 0 when it is none.
func parsePlaceholder(s string) (p placeholder, size int) {
	end := strings.IndexByte(s, '}')
	if end < 0 {
		return p, 0
	}
	body, isEnv := strings.CutPrefix(s[len("${"):end], "env:")
	p.name, p.fallback, p.hasDefault = strings.Cut(body, "|")
	if isEnv || p.hasDefault && isShort(p.name) {
		return p, end + 1
	}
	return p, 0
}

func isShort(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '_' && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
}

func (x *expander) lookUp(p placeholder, path string) (string, bool) {
	value, set, known := "", false, false
	if p.name != "" {
		value, set, known = x.vars(p.name)
	}
	switch {
	case set:
		return value, true
	case p.hasDefault:
		return p.fallback, true
	case p.name == "":
		x.fail(path, invalidf("a placeholder names no variable"), "expected ${env:NAME}")
	case known:
		x.fail(path, notFoundf("variable %s has no value", p.name), "set it, or give a default: ${env:"+p.name+"|...}")
	default:
		x.fail(path, notFoundf("no variable %s", p.name), "declare an entry of kind env.variable, or give a default: ${env:"+p.name+"|...}")
	}
	return "", false
}

// typed gives a value the type of the default.
func (x *expander) typed(p placeholder, value, path string) any {
	if !p.hasDefault {
		return value
	}
	want := ""
	if p.fallback == "true" || p.fallback == "false" {
		if v, err := strconv.ParseBool(value); err == nil {
			return v
		}
		want = "boolean"
	} else if isNumber(p.fallback) {
		if isNumber(value) {
			f, err := strconv.ParseFloat(value, 64)
			if err == nil {
				return f
			}
		}
		want = "number"
	}
	if want == "" {
		return value
	}
	x.fail(path, invalidf("variable %s is %q, not a %s like its default %s", p.name, value, want, p.fallback), "")
	return value
}

// isNumber accepts decimal numbers only: neither "Inf" nor "0x10" nor "1_000".
func isNumber(s string) bool {
	digits := strings.TrimLeft(s, "+-")
	if digits == "" || len(s)-len(digits) > 1 || strings.ContainsFunc(digits, func(r rune) bool {
		return (r < '0' || r > '9') && !strings.ContainsRune(".eE+-", r)
	}) {
		return false
	}
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}

// sameMap reports whether two maps are one.
func sameMap(a, b map[string]any) bool {
	return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer()
}
