// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wippyrun/kit/registry"
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
	name  string
	value any
}

func decodeLinks(entries []registry.Entry) (reqs []*requirement, deps []*dependency, err error) {
	var errs []error
	for _, e := range entries {
		switch e.Kind {
		case KindRequirement:
			r, err := decodeRequirement(e)
			if err != nil {
				errs = append(errs, err)
			}
			reqs = append(reqs, r)
		case KindDependency:
			d, err := decodeDependency(e)
			if err != nil {
				errs = append(errs, err)
			}
			deps = append(deps, d)
		}
	}
	return reqs, deps, errors.Join(errs...)
}

// fieldError locates a decoding error.
func fieldError(e registry.Entry, what, field string, format string, args ...any) error {
	return &registry.EntryError{ID: e.ID, Position: e.Position(field),
		Err: &Error{kind: "Invalid", msg: "failed to decode " + what + " " + e.ID.String(),
			cause: invalidf(field+": "+format, args...)}}
}

func decodeRequirement(e registry.Entry) (*requirement, error) {
	r := &requirement{entry: e, module: e.MetaString("module")}
	data, ok := e.Data.(map[string]any)
	if !ok && e.Data != nil {
		return r, fieldError(e, "requirement", "data", "must be a map, got %T", e.Data)
	}
	if v, ok := data["default"]; ok && v != nil {
		r.fallback, r.hasDefault = v, true
	}
	switch list := data["targets"].(type) {
	case nil:
	case []any:
		for i, x := range list {
			field := fmt.Sprintf("data.targets.%d", i)
			m, ok := x.(map[string]any)
			if !ok {
				return r, fieldError(e, "requirement", field, "must be a map with entry and path, got %T", x)
			}
			var t target
			if t.entry, ok = text(m["entry"]); !ok {
				return r, fieldError(e, "requirement", field+".entry", "must be a string, got %T", m["entry"])
			}
			if t.path, ok = text(m["path"]); !ok {
				return r, fieldError(e, "requirement", field+".path", "must be a string, got %T", m["path"])
			}
			r.targets = append(r.targets, t)
		}
	default:
		return r, fieldError(e, "requirement", "data.targets", "must be a list, got %T", list)
	}
	return r, nil
}

func text(v any) (string, bool) {
	if v == nil {
		return "", true
	}
	s, ok := v.(string)
	return s, ok
}

func decodeDependency(e registry.Entry) (*dependency, error) {
	d := &dependency{entry: e, root: e.MetaString("module") == ""}
	data, ok := e.Data.(map[string]any)
	if !ok && e.Data != nil {
		return d, fieldError(e, "dependency", "data", "must be a map, got %T", e.Data)
	}
	component, ok := text(data["component"])
	if !ok {
		return d, fieldError(e, "dependency", "data.component", "must be a string, got %T", data["component"])
	}
	org, module, ok := strings.Cut(component, "/")
	if !ok || org == "" || module == "" || strings.Contains(module, "/") {
		return d, &registry.EntryError{ID: e.ID, Position: e.Position("data.component"),
			Err: invalidf("invalid dependency component %s", component), Hint: "expected org/module"}
	}
	d.component, d.namespace = component, org+"."+module
	switch list := data["parameters"].(type) {
	case nil:
	case []any:
		for i, x := range list {
			field := fmt.Sprintf("data.parameters.%d", i)
			m, ok := x.(map[string]any)
			if !ok {
				return d, fieldError(e, "dependency", field, "must be a map with name and value, got %T", x)
			}
			name, ok := m["name"].(string)
			if !ok || name == "" {
				return d, fieldError(e, "dependency", field+".name", "must be a non-empty string")
			}
			d.params = append(d.params, parameter{name, m["value"]})
		}
	default:
		return d, fieldError(e, "dependency", "data.parameters", "must be a list, got %T", list)
	}
	return d, nil
}

// of reports whether the requirement belongs to the component of the dependency.
func (r *requirement) of(d *dependency) bool {
	return d.component != "" && (r.entry.ID.Namespace == d.namespace || r.module == d.component)
}

// takes reports whether a parameter of the dependency is meant for the requirement.
func (r *requirement) takes(d *dependency, p parameter) bool {
	if !strings.Contains(p.name, ":") {
		return p.name == r.entry.ID.Name && r.of(d)
	}
	id := registry.ParseID(p.name)
	return id == r.entry.ID || (id.Namespace == d.namespace && id.Name == r.entry.ID.Name && r.of(d))
}

// offer is a value a dependency passes.
type offer struct {
	value any
	from  *dependency
}

// value returns what the requirement gets.
func (r *requirement) value(deps []*dependency) (any, error) {
	var own, inherited []offer
	for _, d := range deps {
		for _, p := range d.params {
			switch {
			case p.value == nil || !r.takes(d, p): // a parameter without a value passes nothing
			case d.root:
				own = append(own, offer{p.value, d})
			default:
				inherited = append(inherited, offer{p.value, d})
			}
		}
	}
	offers := own
	if len(own) == 0 {
		offers = inherited
	}
	if len(offers) == 0 {
		if r.hasDefault {
			return r.fallback, nil
		}
		return nil, notFoundf("no value available: no dependency parameter found and no default value specified")
	}
	if slices.ContainsFunc(offers[1:], func(o offer) bool { return !registry.EqualValues(o.value, offers[0].value) }) {
		parts := make([]string, len(offers))
		for i, o := range offers {
			parts[i] = fmt.Sprintf("%s=%v (from %s)", r.entry.ID, o.value, o.from.entry.ID)
		}
		return nil, &Error{kind: "Conflict", msg: "parameter conflict: multiple dependencies define different values: " + strings.Join(parts, ", ")}
	}
	return offers[0].value, nil
}
