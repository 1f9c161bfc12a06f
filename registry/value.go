// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// maxValueDepth bounds the nesting of entry data; a value that refers to itself
// would otherwise never end.
const maxValueDepth = 1000

// EqualValues compares two JSON-like values.
func EqualValues(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, EqualValues)
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !EqualValues(a[i], b[i]) {
				return false
			}
		}
		return true
	case string:
		b, ok := b.(string)
		return ok && a == b
	case float64:
		b, ok := b.(float64)
		return ok && a == b
	case bool:
		b, ok := b.(bool)
		return ok && a == b
	case nil:
		return b == nil
	}
	return reflect.DeepEqual(a, b)
}

// CloneValue copies maps and slices deeply; scalars are returned as they are.
func CloneValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = CloneValue(x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = CloneValue(x)
		}
		return out
	}
	return v
}

// Lookup follows a dotted path through maps and, by index, lists. At every map the
// whole remaining path is tried as one key first.
func Lookup(v any, path string) (any, bool) {
	switch v := v.(type) {
	case map[string]any:
		if x, ok := v[path]; ok {
			return x, true
		}
		for i := 0; i < len(path); i++ {
			if path[i] != '.' {
				continue
			}
			if x, ok := v[path[:i]]; ok {
				if found, ok := Lookup(x, path[i+1:]); ok {
					return found, true
				}
			}
		}
	case []any:
		head, rest, nested := cutPath(path)
		i, err := strconv.Atoi(head)
		if err != nil || i < 0 || i >= len(v) {
			return nil, false
		}
		if !nested {
			return v[i], true
		}
		return Lookup(v[i], rest)
	}
	return nil, false
}

func cutPath(path string) (head, rest string, nested bool) { return strings.Cut(path, ".") }

// NormalizeValue returns v in the form entries hold: all numbers float64, all maps
// map[string]any, all lists []any, times as RFC 3339 text. The result shares no map
// or slice with v. A value that has no such form (a function, NaN, a channel) is an
// error naming its path.
func NormalizeValue(v any) (any, error) {
	n, err := normalize(v, 0)
	if err != nil {
		return nil, err
	}
	return n, nil
}

// valueError tells which value has no form an entry can hold. Its path grows on the way
// back up, so that a good value costs no path.
type valueError struct {
	path   string
	reason string
}

func (e *valueError) Error() string {
	if len(e.path) > 200 {
		return fmt.Sprintf("value at %q...: %s", e.path[:200], e.reason)
	}
	return fmt.Sprintf("value at %q: %s", e.path, e.reason)
}

func (e *valueError) Kind() string { return KindInvalid }

func (e *valueError) below(key string) *valueError {
	if e.path == "" {
		e.path = key
	} else if len(e.path) < 1000 {
		e.path = key + "." + e.path
	}
	return e
}

func normalize(v any, depth int) (any, *valueError) {
	if depth > maxValueDepth {
		return nil, &valueError{reason: fmt.Sprintf("nested deeper than %d levels", maxValueDepth)}
	}
	switch v := v.(type) {
	case nil, string, bool:
		return v, nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, &valueError{reason: fmt.Sprintf("%v is not representable", v)}
		}
		return v, nil
	case int:
		return float64(v), nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			n, err := normalize(x, depth+1)
			if err != nil {
				return nil, err.below(k)
			}
			out[k] = n
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			n, err := normalize(x, depth+1)
			if err != nil {
				return nil, err.below(strconv.Itoa(i))
			}
			out[i] = n
		}
		return out, nil
	case []byte:
		return string(v), nil
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			return nil, &valueError{reason: err.Error()}
		}
		return f, nil
	case time.Time:
		return v.Format(time.RFC3339Nano), nil
	case time.Duration:
		return v.String(), nil
	}
	return normalizeReflect(reflect.ValueOf(v), depth)
}

func normalizeReflect(v reflect.Value, depth int) (any, *valueError) {
	switch v.Kind() {
	case reflect.String:
		return v.String(), nil
	case reflect.Bool:
		return v.Bool(), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return float64(v.Int()), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return float64(v.Uint()), nil
	case reflect.Float32, reflect.Float64:
		return normalize(v.Float(), depth)
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil, nil
		}
		return normalize(v.Elem().Interface(), depth+1)
	case reflect.Slice, reflect.Array:
		out := make([]any, v.Len())
		for i := range out {
			n, err := normalize(v.Index(i).Interface(), depth+1)
			if err != nil {
				return nil, err.below(strconv.Itoa(i))
			}
			out[i] = n
		}
		return out, nil
	case reflect.Map:
		out := make(map[string]any, v.Len())
		for it := v.MapRange(); it.Next(); {
			k := fmt.Sprint(it.Key().Interface())
			n, err := normalize(it.Value().Interface(), depth+1)
			if err != nil {
				return nil, err.below(k)
			}
			out[k] = n
		}
		return out, nil
	}
	return nil, &valueError{reason: fmt.Sprintf("a %s cannot be stored in an entry", v.Type())}
}
