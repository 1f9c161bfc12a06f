// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/internal/suggest"
)

// links are the requirements and dependencies of a list of entries.
type links struct {
	reqs   []*requirement
	deps   []*dependency
	byName map[string][]offer // parameters by the name of the requirement they are meant for
	guess  hints
}

// offer is a parameter of a dependency.
type offer struct {
	param parameter
	from  *dependency
}

func (o offer) position() string {
	return o.from.entry.Position(fmt.Sprintf("data.parameters.%d.value", o.param.index))
}

func newLinks(reqs []*requirement, deps []*dependency) *links {
	l := &links{reqs: reqs, deps: deps, byName: map[string][]offer{}}
	for _, d := range deps {
		for _, p := range d.params {
			name := registry.ParseID(p.name).Name
			l.byName[name] = append(l.byName[name], offer{p, d})
		}
	}
	return l
}

// of reports whether the requirement belongs to the component of the dependency.
func (r *requirement) of(d *dependency) bool {
	return d.component != "" && (r.entry.ID.Namespace == d.namespace || r.module == d.component)
}

// takes reports whether a parameter of the dependency is meant for the requirement.
func (r *requirement) takes(o offer) bool {
	if !strings.Contains(o.param.name, ":") {
		return o.param.name == r.entry.ID.Name && r.of(o.from)
	}
	id := registry.ParseID(o.param.name)
	return id == r.entry.ID || (id.Namespace == o.from.namespace && id.Name == r.entry.ID.Name && r.of(o.from))
}

// value returns what the requirement gets, or why it gets nothing, with a hint.
func (l *links) value(r *requirement) (v any, hint string, err error) {
	var own, inherited []offer
	for _, o := range l.byName[r.entry.ID.Name] {
		switch {
		case o.param.value == nil || !r.takes(o): // a parameter without a value passes nothing
		case o.from.root:
			own = append(own, o)
		default:
			inherited = append(inherited, o)
		}
	}
	offers := own
	if len(own) == 0 {
		offers = inherited
	}
	if len(offers) == 0 {
		if r.hasDefault {
			return r.fallback, "", nil
		}
		return nil, l.missing(r), notFoundf("no value available: no dependency parameter found and no default value specified")
	}
	first := offers[0]
	if slices.ContainsFunc(offers[1:], func(o offer) bool { return !registry.EqualValues(o.param.value, first.param.value) }) {
		parts, places := make([]string, len(offers)), []string{}
		for i, o := range offers {
			parts[i] = fmt.Sprintf("%s=%v (from %s)", r.entry.ID, o.param.value, o.from.entry.ID)
			if at := o.position(); at != "" {
				places = append(places, at)
			}
		}
		if len(places) > 0 {
			hint = "the values are at " + strings.Join(places, ", ")
		}
		return nil, hint, &Error{kind: "Conflict", msg: "parameter conflict: multiple dependencies define different values: " + strings.Join(parts, ", ")}
	}
	return first.param.value, "", nil
}

// missing tells where the value of a requirement would have to come from.
func (l *links) missing(r *requirement) string {
	var from []string
	for _, d := range l.deps {
		if !r.of(d) {
			continue
		}
		from = append(from, d.entry.ID.String())
		near := suggest.Nearest(r.entry.ID.Name, func(yield func(string) bool) {
			for _, p := range d.params {
				if !yield(registry.ParseID(p.name).Name) {
					return
				}
			}
		}, 1)
		if len(near) > 0 {
			return fmt.Sprintf("%s passes %q: did you mean %q?", d.entry.ID, near[0], r.entry.ID.Name)
		}
	}
	if len(from) > 0 {
		return fmt.Sprintf("add a parameter %q to %s, or a default", r.entry.ID.Name, strings.Join(from, " or "))
	}
	return "no dependency declares this component: add one with a parameter " + r.entry.ID.Name + ", or a default"
}

// unused calls warn with every parameter that nothing asked for.
func (l *links) unused(warn func(Warning)) {
	byName := map[string][]*requirement{}
	for _, r := range l.reqs {
		byName[r.entry.ID.Name] = append(byName[r.entry.ID.Name], r)
	}
	for _, d := range l.deps {
		for _, p := range d.params {
			o := offer{p, d}
			if slices.ContainsFunc(byName[registry.ParseID(p.name).Name], func(r *requirement) bool { return r.takes(o) }) {
				continue
			}
			warn(Warning{ID: d.entry.ID, Position: d.entry.Position(fmt.Sprintf("data.parameters.%d.name", p.index)),
				Message: fmt.Sprintf("parameter %q of %s matches no requirement", p.name, d.component),
				Hint: l.guess.text(registry.ParseID(p.name).Name, func(yield func(string) bool) {
					for _, r := range l.reqs {
						if r.of(d) && !yield(r.entry.ID.Name) {
							return
						}
					}
				})})
		}
	}
}
