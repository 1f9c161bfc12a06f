// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/internal/suggest"
)

// requirement is a decoded ns.requirement.
type requirement struct {
	entry      registry.Entry
	module     string // meta.module
	fallback   any
	hasDefault bool
	targets    []target
}

type target struct{ entry, path string }

// dependency is a decoded ns.dependency.
type dependency struct {
	entry     registry.Entry
	component string // org/module
	namespace string // org.module
	root      bool   // declared by the application, not by a module
	params    []parameter
}

type parameter struct {
	index int // in the list as written
	name  string
	value any
}

// decodeLinks reads the entries of the kinds Link deals with. It calls warn with fields
// that mean nothing; the error names every field that is wrong.
func decodeLinks(entries []registry.Entry, warn func(Warning)) (*links, error) {
	var reqs []*requirement
	var deps []*dependency
	var errs []error
	for _, e := range entries {
		f := &fieldReader{entry: e, warn: warn}
		switch e.Kind {
		case KindRequirement:
			reqs = append(reqs, f.requirement())
		case KindDependency:
			deps = append(deps, f.dependency())
		case KindDefinition:
			f.definition()
			for _, err := range f.errs { // nothing reads it at run time: no reason not to start
				ee := err.(*registry.EntryError)
				warn(Warning{ID: ee.ID, Position: ee.Position, Message: ee.Err.Error()})
			}
			continue
		}
		errs = append(errs, f.errs...)
	}
	return newLinks(reqs, deps), errors.Join(errs...)
}

// fieldReader reads the fields of one entry and collects what is wrong with them.
type fieldReader struct {
	entry registry.Entry
	what  string
	warn  func(Warning)
	errs  []error
}

func (f *fieldReader) fail(field, format string, args ...any) {
	f.errs = append(f.errs, &registry.EntryError{ID: f.entry.ID, Position: f.entry.Position(field),
		Err: &Error{kind: "Invalid", msg: "failed to decode " + f.what + " " + f.entry.ID.String(),
			cause: invalidf(field+": "+format, args...)}})
}

// data returns the data of the entry and warns of fields other than the known ones.
func (f *fieldReader) data(what string, known ...string) map[string]any {
	f.what = what
	data, ok := f.entry.Data.(map[string]any)
	if !ok && f.entry.Data != nil {
		f.fail("data", "must be a map, got %T", f.entry.Data)
	}
	f.known(data, "data", known)
	return data
}

func (f *fieldReader) known(m map[string]any, at string, known []string) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains(known, k) {
			f.warn(Warning{ID: f.entry.ID, Position: f.entry.Position(at + "." + k),
				Message: fmt.Sprintf("unknown field %s.%s of %s", at, k, f.what), Hint: suggest.Hint(k, slices.Values(known))})
		}
	}
}

// maps returns the maps of a list, with their places in it. A map made of nothing stands
// for an item that is none.
func (f *fieldReader) maps(data map[string]any, key string, known ...string) []map[string]any {
	list, ok := data[key].([]any)
	if !ok && data[key] != nil {
		f.fail("data."+key, "must be a list, got %T", data[key])
	}
	out := make([]map[string]any, len(list))
	for i, x := range list {
		at := fmt.Sprintf("data.%s.%d", key, i)
		m, ok := x.(map[string]any)
		if !ok {
			f.fail(at, "must be a map with %s, got %T", strings.Join(known, " and "), x)
			continue
		}
		f.known(m, at, known)
		out[i] = m
	}
	return out
}

// text returns a string, "" when it is missing.
func (f *fieldReader) text(m map[string]any, at, key string) string {
	s, ok := m[key].(string)
	if !ok && m[key] != nil {
		f.fail(at+"."+key, "must be a string, got %T", m[key])
	}
	return s
}

func (f *fieldReader) requirement() *requirement {
	r := &requirement{entry: f.entry, module: f.entry.MetaString("module")}
	data := f.data("requirement", "default", "targets")
	if v := data["default"]; v != nil {
		r.fallback, r.hasDefault = v, true
	}
	for i, m := range f.maps(data, "targets", "entry", "path") {
		at := fmt.Sprintf("data.targets.%d", i)
		r.targets = append(r.targets, target{f.text(m, at, "entry"), f.text(m, at, "path")})
	}
	return r
}

func (f *fieldReader) dependency() *dependency {
	d := &dependency{entry: f.entry, root: f.entry.MetaString("module") == ""}
	data := f.data("dependency", "component", "version", "parameters")
	component := f.text(data, "data", "component")
	org, module, ok := strings.Cut(component, "/")
	if !ok || org == "" || module == "" || strings.Contains(module, "/") {
		if len(f.errs) == 0 {
			f.errs = append(f.errs, &registry.EntryError{ID: f.entry.ID, Position: f.entry.Position("data.component"),
				Err: invalidf("invalid dependency component %s", component), Hint: "expected org/module"})
		}
	} else {
		d.component, d.namespace = component, org+"."+module
	}
	for i, m := range f.maps(data, "parameters", "name", "value") {
		if m == nil {
			continue // reported
		}
		name, ok := m["name"].(string)
		if !ok || name == "" {
			f.fail(fmt.Sprintf("data.parameters.%d.name", i), "must be a non-empty string")
			continue
		}
		d.params = append(d.params, parameter{i, name, m["value"]})
	}
	return d
}
