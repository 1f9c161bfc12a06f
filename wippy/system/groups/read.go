// SPDX-License-Identifier: Apache-2.0

package groups

import (
	"slices"

	"github.com/wippyrun/kit/relay"
)

// Members returns the members of a group in the order of their first joins, each once for every time it joined.
// There are none in an unknown group.
func (s *Scope) Members(name string) []relay.PID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.groups[name].list()
}

// Processes returns the members of a group in the order of their first joins, each once.
func (s *Scope) Processes(name string) []relay.PID {
	return slices.Compact(s.Members(name)) // the joins of one process stand together
}

// Groups returns the names of the groups that have members, sorted.
func (s *Scope) Groups() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make([]string, 0, len(s.groups))
	for name, g := range s.groups {
		if g.size > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Monitor returns the members of a group and tells of every change since. tell is called with the scope locked: it
// must neither block nor call the scope.
func (s *Scope) Monitor(name string, tell func(Event)) (*Monitor, []relay.PID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := &Monitor{scope: s, group: name, tell: tell}
	g := s.group(name)
	g.monitors[m] = struct{}{}
	return m, g.list()
}

// MonitorAll is Monitor for all groups, present and future.
func (s *Scope) MonitorAll(tell func(Event)) (*Monitor, map[string][]relay.PID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := &Monitor{scope: s, tell: tell}
	s.monitors[m] = struct{}{}
	all := make(map[string][]relay.PID, len(s.groups))
	for name, g := range s.groups {
		if g.size > 0 {
			all[name] = g.list()
		}
	}
	return m, all
}

// Close ends a monitor: tell is not called any more once Close has returned. It may be called again.
func (m *Monitor) Close() {
	s := m.scope
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.monitors, m)
	if g := s.groups[m.group]; g != nil {
		delete(g.monitors, m)
		s.tidy(m.group, g)
	}
}

// list returns a copy of the members. The lock of the scope is held.
func (g *group) list() []relay.PID {
	if g == nil {
		return nil
	}
	if g.snapshot == nil {
		type at struct {
			pid   relay.PID
			joins int
			order uint64
		}
		all := make([]at, 0, len(g.members))
		for pid, m := range g.members {
			all = append(all, at{pid, m.joins, m.order})
		}
		slices.SortFunc(all, func(a, b at) int { // a.order and b.order differ
			if a.order < b.order {
				return -1
			}
			return 1
		})
		g.snapshot = make([]relay.PID, 0, g.size)
		for _, m := range all {
			for range m.joins {
				g.snapshot = append(g.snapshot, m.pid)
			}
		}
	}
	return slices.Clone(g.snapshot)
}
