// SPDX-License-Identifier: Apache-2.0

package supervisor

import (
	"slices"
	"strings"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// member is a registered service with what it depends on.
type member struct {
	*controller
	deps []string // references extracted from the entry; those that lead nowhere are ignored
}

// graph is the services of one moment and how they depend on each other.
type graph struct {
	members    map[string]*member
	references func(id string) []string // of an entry that is no service
}

// dependencies returns the services that id needs, sorted, and the entries id requires that lead to no
// service.
func (g *graph) dependencies(id string) (services, missing []string) {
	m := g.members[id]
	found := map[string]bool{}
	for _, required := range m.lc.Requires {
		if !g.follow(required, map[string]bool{id: true}, found) && required != id {
			missing = append(missing, required)
		}
	}
	for _, dep := range m.deps {
		g.follow(dep, map[string]bool{id: true}, found)
	}
	for service := range found {
		services = append(services, service)
	}
	slices.Sort(services)
	slices.Sort(missing)
	return services, missing
}

// follow walks from id through entries that are not services until it meets services, which it adds to
// found; it reports whether it met any.
func (g *graph) follow(id string, seen, found map[string]bool) bool {
	if seen[id] {
		return found[id]
	}
	seen[id] = true
	if _, ok := g.members[id]; ok {
		found[id] = true
		return true
	}
	any := false
	if g.references != nil {
		for _, next := range g.references(id) {
			any = g.follow(next, seen, found) || any
		}
	}
	return any
}

// plan is a set of services with the edges among them.
type plan struct {
	ids     []string            // sorted
	needs   map[string][]string // id → services it needs
	missing map[string][]string // id → requirements that lead nowhere
}

// closure returns the plan of ids and everything they need.
func (g *graph) closure(ids []string) *plan {
	p := &plan{needs: map[string][]string{}, missing: map[string][]string{}}
	todo := slices.Clone(ids)
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if _, done := p.needs[id]; done || g.members[id] == nil {
			continue
		}
		services, missing := g.dependencies(id)
		p.needs[id] = services
		if len(missing) > 0 {
			p.missing[id] = missing
		}
		p.ids = append(p.ids, id)
		todo = append(todo, services...)
	}
	slices.Sort(p.ids)
	return p
}

// dependents returns ids and everything that needs them.
func (g *graph) dependents(ids []string) []string {
	users := map[string][]string{}
	for id := range g.members {
		services, _ := g.dependencies(id)
		for _, s := range services {
			users[s] = append(users[s], id)
		}
	}
	in := map[string]bool{}
	todo := slices.Clone(ids)
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !in[id] && g.members[id] != nil {
			in[id] = true
			todo = append(todo, users[id]...)
		}
	}
	out := make([]string, 0, len(in))
	for id := range in {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

// cycle returns ids that need each other in a circle, first and last the same, or nil.
func (p *plan) cycle() []string {
	const (
		unseen = iota
		onPath
		done
	)
	mark := map[string]int{}
	var path []string
	var visit func(id string) []string
	visit = func(id string) []string {
		switch mark[id] {
		case done:
			return nil
		case onPath:
			return append(slices.Clone(path[slices.Index(path, id):]), id)
		}
		mark[id] = onPath
		path = append(path, id)
		for _, next := range p.needs[id] {
			if c := visit(next); c != nil {
				return c
			}
		}
		path = path[:len(path)-1]
		mark[id] = done
		return nil
	}
	for _, id := range p.ids {
		if c := visit(id); c != nil {
			return c
		}
	}
	return nil
}

// cycleError names the way round.
func cycleError(path []string) error {
	text := strings.Join(path, " -> ")
	return ErrCycle.Because(fault.New(fault.Invalid, "services depend on each other: "+text)).With("cycle", path).Final()
}

// missingError says what blocks id.
func missingError(id string, missing []string) error {
	return fault.New(fault.Invalid, "service startup blocked by missing dependencies: "+id+" requires "+
		strings.Join(missing, ", ")).With("service_id", id).With("missing", missing)
}

// blockedError says which dependency of id did not start, and why.
func blockedError(id, dep string, cause error) error {
	return fault.Wrap(fault.Unavailable, "service startup blocked by failed dependency: "+id+" requires "+dep, cause).
		With("service_id", id).With("dependency", dep)
}
