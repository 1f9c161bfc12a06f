// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/wippyrun/kit/luart/lint"
	"github.com/wippyrun/kit/wippy/service/lua"
)

// newStates finds out which names each source may see beside its own: those of all that
// it imports, and those of everybody who has it in the same state.
func newStates(units []*unit) map[*unit][]string {
	imports := func(u *unit) []*unit { return u.imports }
	state := map[*unit]map[string]bool{} // names of a state made for the unit
	for _, u := range units {
		members := map[*unit]bool{}
		reach(u, members, imports)
		names := map[string]bool{}
		for m := range members {
			for _, name := range m.declaration.Modules {
				names[name] = true
			}
			for _, ref := range m.declaration.Imports {
				names[ref.Alias] = true
			}
		}
		state[u] = names
	}
	out := make(map[*unit][]string, len(units))
	for _, u := range units {
		users := map[*unit]bool{}
		reach(u, users, func(u *unit) []*unit { return u.importers })
		visible := map[string]bool{}
		for user := range users {
			maps.Copy(visible, state[user])
		}
		out[u] = slices.Sorted(maps.Keys(visible))
	}
	return out
}

// cycles tells of imports that lead back to the entry.
func (l *linter) cycles() {
	const (
		open = 1 + iota
		closed
	)
	seen := map[*unit]int{}
	var path []*unit
	var visit func(u *unit)
	visit = func(u *unit) {
		seen[u] = open
		path = append(path, u)
		for _, ref := range u.declaration.Imports {
			target := l.byID[ref.Target]
			switch {
			case target == nil:
			case seen[target] == 0:
				visit(target)
			case seen[target] == open:
				var ids []string
				for _, p := range path[slices.Index(path, target):] {
					ids = append(ids, p.id)
				}
				l.add(u.entry, LintCycle, lint.Error, "data.imports."+ref.Alias,
					"adding dependency would create a cycle: "+strings.Join(append(ids, target.id), " imports "), "move what both need to a library of its own")
			}
		}
		path = path[:len(path)-1]
		seen[u] = closed
	}
	for _, id := range slices.Sorted(maps.Keys(l.byID)) {
		if u := l.byID[id]; seen[u] == 0 {
			visit(u)
		}
	}
}

// imported is the entry that an alias stands for, and the one that imports it under
// that name when this is another than the one looked at.
type imported struct{ target, by string }

func (i imported) String() string {
	if i.by == "" {
		return i.target
	}
	return i.target + " (imported by " + i.by + ")"
}

// bound is what the names of a state stand for.
type bound struct {
	aliases map[string]imported
	modules map[string]bool
}

// collisions tells of names that would stand for two things in one state, at the entries
// that bring these together.
func (l *linter) collisions() {
	memo := map[*unit]*bound{}
	above := map[*unit]bool{}
	var collect func(u *unit) *bound
	collect = func(u *unit) *bound {
		if b, ok := memo[u]; ok {
			return b
		}
		b := &bound{map[string]imported{}, map[string]bool{}}
		if above[u] {
			return b // a cycle
		}
		above[u] = true
		clash := map[string]string{}
		add := func(alias string, it imported) {
			if have, ok := b.aliases[alias]; !ok {
				b.aliases[alias] = it
			} else if have.target != it.target && clash[alias] == "" {
				clash[alias] = have.String() + " and " + it.String()
			}
		}
		for _, name := range u.declaration.Modules {
			b.modules[name] = true
		}
		for _, ref := range u.declaration.Imports {
			add(ref.Alias, imported{target: ref.Target})
			if name, ok := strings.CutPrefix(ref.Target, ":"); ok {
				b.modules[name] = true
			}
		}
		for _, target := range u.imports {
			below := collect(target)
			maps.Copy(b.modules, below.modules)
			for _, alias := range slices.Sorted(maps.Keys(below.aliases)) {
				it := below.aliases[alias]
				it.by = cmp.Or(it.by, target.id)
				add(alias, it)
			}
		}
		for alias, target := range b.aliases {
			if b.modules[alias] && clash[alias] == "" {
				clash[alias] = "module " + alias + " and " + target.String()
			}
		}
		for _, alias := range slices.Sorted(maps.Keys(clash)) {
			field := ""
			if slices.ContainsFunc(u.declaration.Imports, func(i lua.Import) bool { return i.Alias == alias }) {
				field = "data.imports." + alias
			}
			l.add(u.entry, LintCollision, lint.Error, field, "alias '"+alias+"' collision: "+clash[alias], "give one of them another alias")
			delete(b.aliases, alias) // told once, not again by everybody who imports this
		}
		delete(above, u)
		memo[u] = b
		return b
	}
	for _, id := range slices.Sorted(maps.Keys(l.byID)) {
		collect(l.byID[id])
	}
}
