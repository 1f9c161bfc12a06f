// SPDX-License-Identifier: Apache-2.0

// Package fields reads the data of an entry into a kind's configuration: typed
// access by name, every problem collected, names nobody asked for reported with
// a guess at what was meant.
//
//	r := fields.New(entry.Data)
//	cfg.Process = r.Required("process")
//	cfg.Workers = r.Sub("host").Int("workers", 0)
//	err := r.Err()
package fields

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/system/suggest"
)

// Error is a problem with one field of an entry.
type Error struct {
	Path    string // from the entry's root, "data.pool.size"
	Message string
	Hint    string // what to do, "" when the message says enough
}

// Error returns the message, which names the field by itself where that is what
// the published contract words it as.
func (e *Error) Error() string { return e.Message }

// Field returns the path, for those who look for the place in the file.
func (e *Error) Field() string { return e.Path }

// Kind tells that bad fields are Invalid.
func (e *Error) Kind() string { return "Invalid" }

// Retryable tells that trying again with the same data cannot help.
func (e *Error) Retryable() (retryable, known bool) { return false, true }

// At names the field that err is about, by its path within the data; nil stays nil. Kind
// and retry flag are those of err.
func At(path string, err error) error {
	if err == nil {
		return nil
	}
	return &located{path: "data." + path, err: err}
}

type located struct {
	path string
	err  error
}

func (l *located) Error() string { return l.err.Error() }
func (l *located) Unwrap() error { return l.err }
func (l *located) Field() string { return l.path }
func (l *located) Hint() string  { return "" }

// Warning is a field no reader asked for.
type Warning struct {
	Path string
	Hint string
}

// Reader reads one map of an entry's data. It is used by one goroutine.
type Reader struct {
	path   string
	values map[string]any
	asked  map[string]bool
	shared *shared
	subs   []*Reader
}

type shared struct {
	problems []error
	warnings []Warning
}

// New starts reading data, the value of an entry's data area. Anything but a
// map is itself a problem, reported by Err; absent data is an empty map. Here and
// everywhere below, an empty list counts as an empty map and the other way round:
// both are {} for a Lua program that makes an entry. Text that is a number or a
// boolean counts as that where one is needed: it is what variables hold.
func New(data any) *Reader {
	r := &Reader{path: "data", asked: map[string]bool{}, shared: &shared{}}
	switch m := data.(type) {
	case nil:
	case map[string]any:
		r.values = m
	case []any:
		if len(m) > 0 {
			r.fail("", "configuration data must be a map, got a list")
		}
	default:
		r.fail("", fmt.Sprintf("configuration data must be a map, got %s", typeName(data)))
	}
	return r
}

// Has tells whether the field is present and not null.
func (r *Reader) Has(name string) bool {
	r.asked[name] = true
	return r.values[name] != nil
}

// Any returns the field as it is, nil when absent.
func (r *Reader) Any(name string) any {
	r.asked[name] = true
	return r.values[name]
}

// String returns a text field, or def when absent. The id of an entry may be written as a map
// of ns and name, here and in Required, Strings and StringMap.
func (r *Reader) String(name, def string) string {
	v := r.Any(name)
	if text, ok := registry.IDText(v); ok {
		return text
	}
	switch v := v.(type) {
	case nil:
		return def
	default:
		r.fail(name, fmt.Sprintf("%s must be a string, got %s", name, typeName(v)))
		return def
	}
}

// Scalar returns a field that is used as text but may be written as a number
// or a boolean, and whether it is present.
func (r *Reader) Scalar(name string) (string, bool) {
	switch v := r.Any(name).(type) {
	case nil:
		return "", false
	case string:
		return v, true
	case bool:
		return fmt.Sprint(v), true
	case int:
		return fmt.Sprint(v), true
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return fmt.Sprintf("%d", int64(v)), true
		}
		return fmt.Sprint(v), true
	default:
		r.fail(name, fmt.Sprintf("%s must be a string, got %s", name, typeName(v)))
		return "", false
	}
}

// Required returns a text field that must be there and not empty.
func (r *Reader) Required(name string) string {
	v := r.Any(name)
	if v == nil || v == "" {
		r.fail(name, name+" is required")
		return ""
	}
	return r.String(name, "")
}

// Bool returns a boolean field, or def when absent.
func (r *Reader) Bool(name string, def bool) bool {
	switch v := r.Any(name).(type) {
	case nil:
		return def
	case bool:
		return v
	case string: // of a variable
		if v == "true" || v == "false" {
			return v == "true"
		}
		r.fail(name, fmt.Sprintf("%s must be true or false, got %s", name, typeName(v)))
		return def
	default:
		r.fail(name, fmt.Sprintf("%s must be true or false, got %s", name, typeName(v)))
		return def
	}
}

// Int returns a whole number, or def when absent.
func (r *Reader) Int(name string, def int) int {
	switch v := r.Any(name).(type) {
	case nil:
		return def
	case int:
		return v
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int(v)
		}
	case string: // of a variable
		if n, err := strconv.Atoi(v); err == nil {
			return n
		}
	}
	r.fail(name, fmt.Sprintf("%s must be a whole number, got %v", name, r.values[name]))
	return def
}

// Float returns a number, or def when absent.
func (r *Reader) Float(name string, def float64) float64 {
	switch v := r.Any(name).(type) {
	case nil:
		return def
	case int:
		return float64(v)
	case float64:
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			return v
		}
	case string: // of a variable
		if f, err := strconv.ParseFloat(v, 64); err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f
		}
	}
	r.fail(name, fmt.Sprintf("%s must be a number, got %v", name, r.values[name]))
	return def
}

// Duration returns a duration written as text ("500ms", "1m30s"), or def when
// absent or zero.
func (r *Reader) Duration(name string, def time.Duration) time.Duration {
	v := r.Any(name)
	if v == nil {
		return def
	}
	text, ok := v.(string)
	if !ok {
		r.fail(name, fmt.Sprintf("%s must be a duration such as \"5s\", got %s", name, typeName(v)))
		return def
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		r.fail(name, fmt.Sprintf("%s: %q is not a duration; write for example \"500ms\", \"5s\" or \"1m30s\"", name, text))
		return def
	}
	if d == 0 {
		return def
	}
	return d
}

// Strings returns a list of texts; one text counts as a list of one.
func (r *Reader) Strings(name string) []string {
	switch v := r.Any(name).(type) {
	case nil:
		return nil
	case string:
		return []string{v}
	case []any:
		out := make([]string, 0, len(v))
		for i, item := range v {
			s, ok := registry.IDText(item)
			if !ok {
				r.fail(fmt.Sprintf("%s.%d", name, i), fmt.Sprintf("%s must hold strings, item %d is %s", name, i+1, typeName(item)))
				continue
			}
			out = append(out, s)
		}
		return out
	case map[string]any:
		if id, ok := registry.IDText(v); ok {
			return []string{id}
		}
		if len(v) > 0 {
			r.fail(name, name+" must be a list of strings, got a map")
		}
		return nil
	default:
		r.fail(name, fmt.Sprintf("%s must be a list of strings, got %s", name, typeName(v)))
		return nil
	}
}

// StringMap returns a map of texts, its keys sorted for stable messages.
func (r *Reader) StringMap(name string) (keys []string, values map[string]string) {
	values = map[string]string{}
	switch v := r.Any(name).(type) {
	case nil:
	case map[string]any:
		for k, item := range v {
			s, ok := registry.IDText(item)
			if !ok {
				r.fail(name+"."+k, fmt.Sprintf("%s.%s must be a string, got %s", name, k, typeName(item)))
				continue
			}
			keys = append(keys, k)
			values[k] = s
		}
	case []any:
		if len(v) > 0 {
			r.fail(name, name+" must be a map, got a list")
		}
	default:
		r.fail(name, fmt.Sprintf("%s must be a map, got %s", name, typeName(v)))
	}
	sort.Strings(keys)
	return keys, values
}

// List returns a list field, nil when absent.
func (r *Reader) List(name string) []any {
	switch v := r.Any(name).(type) {
	case nil:
		return nil
	case []any:
		return v
	case map[string]any:
		if len(v) > 0 {
			r.fail(name, name+" must be a list, got a map")
		}
		return nil
	default:
		r.fail(name, fmt.Sprintf("%s must be a list, got %s", name, typeName(v)))
		return nil
	}
}

// Sub reads a nested map; absent is an empty one.
func (r *Reader) Sub(name string) *Reader {
	sub := &Reader{path: r.path + "." + name, asked: map[string]bool{}, shared: r.shared}
	switch v := r.Any(name).(type) {
	case nil:
	case map[string]any:
		sub.values = v
	case []any:
		if len(v) > 0 {
			r.fail(name, name+" must be a map, got a list")
		}
	default:
		r.fail(name, fmt.Sprintf("%s must be a map, got %s", name, typeName(v)))
	}
	r.subs = append(r.subs, sub)
	return sub
}

// Maps reads a list of maps, each item with a reader of its own; absent is an empty list.
func (r *Reader) Maps(name string) []*Reader {
	items := r.List(name)
	out := make([]*Reader, 0, len(items))
	for i, item := range items {
		path := fmt.Sprintf("%s.%d", name, i)
		values, ok := item.(map[string]any)
		if !ok {
			r.fail(path, fmt.Sprintf("%s must hold maps, item %d is %s", name, i+1, typeName(item)))
			continue
		}
		sub := &Reader{path: r.path + "." + path, values: values, asked: map[string]bool{}, shared: r.shared}
		r.subs = append(r.subs, sub)
		out = append(out, sub)
	}
	return out
}

// Reject records a problem the kind itself found with a field.
func (r *Reader) Reject(name, message string) { r.fail(name, message) }

// Report adds a problem that somebody else found, with its full path.
func (r *Reader) Report(e *Error) { r.shared.problems = append(r.shared.problems, e) }

// Warn adds a field that somebody else did not know.
func (r *Reader) Warn(w Warning) { r.shared.warnings = append(r.shared.warnings, w) }

// Ignore accepts fields without reading them.
func (r *Reader) Ignore(names ...string) {
	for _, n := range names {
		r.asked[n] = true
	}
}

// Err joins the problems found so far, nil when there are none.
func (r *Reader) Err() error { return errors.Join(r.shared.problems...) }

// Unknown lists the fields nobody read, with the nearest name that is read.
func (r *Reader) Unknown() []Warning {
	out := r.unknown()
	out = append(out, r.shared.warnings...)
	slices.SortFunc(out, func(a, b Warning) int { return strings.Compare(a.Path, b.Path) })
	return out
}

func (r *Reader) unknown() []Warning {
	var out []Warning
	known := make([]string, 0, len(r.asked))
	for name := range r.asked {
		known = append(known, name)
	}
	for name := range r.values {
		if !r.asked[name] {
			out = append(out, Warning{Path: r.path + "." + name, Hint: suggest.Hint(name, known)})
		}
	}
	for _, sub := range r.subs {
		out = append(out, sub.unknown()...)
	}
	return out
}

// fail records a problem. The first one of a field is the one to tell: a field of the wrong type is not
// also missing.
func (r *Reader) fail(name, message string) {
	path := r.path
	if name != "" {
		path += "." + name
	}
	if slices.ContainsFunc(r.shared.problems, func(err error) bool {
		var known *Error
		return errors.As(err, &known) && known.Path == path
	}) {
		return
	}
	e := &Error{Path: path, Message: message}
	if name != "" && r.values[name] == nil && !strings.Contains(name, ".") { // not an item of a field
		// The field is missing: perhaps it is there under a near name.
		var there []string
		for k := range r.values {
			if !r.asked[k] {
				there = append(there, k)
			}
		}
		if c, ok := suggest.Closest(name, there); ok {
			e.Hint = fmt.Sprintf("there is a field %q, did you mean %q?", c, name)
		} else {
			e.Hint = fmt.Sprintf("add the field %q", name)
		}
	}
	r.shared.problems = append(r.shared.problems, e)
}

func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "nothing"
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case int, float64:
		return "a number"
	case []any:
		return "a list"
	case map[string]any:
		return "a map"
	}
	return fmt.Sprintf("%T", v)
}
