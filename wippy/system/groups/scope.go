// SPDX-License-Identifier: Apache-2.0

// Package groups holds process groups: named sets of processes that others address without knowing them.
//
// # Basics
//
// A [Scope] is a namespace of groups. A group exists from the first join to the last leave. A process may join
// several groups, and one group several times: it is a member until it left as often, or ended.
//
// # Guarantees
//
//   - A process leaves all groups when it ends; nothing is kept for it afterwards (TestProcessEnd).
//   - A join of several groups joins all of them or, when a limit is in the way, none (TestLimits).
//   - A monitor gets the members of one moment and then every change since, in order, none twice
//     (TestMonitorsFollowTheModel).
//
// Changes of a scope are made one after the other under a lock; what is told about them never blocks. A change costs
// O(1) and one call per monitor, reading the members of a group that changed O(n log n), reading them again one copy.
package groups

import (
	"maps"
	"slices"
	"sync"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// Errors of Join and Leave.
var (
	ErrStopped       = fault.New(fault.Unavailable, "pg: scope is stopped")
	ErrNotJoined     = fault.New(fault.NotFound, "pg: process not joined in group")
	ErrTooManyGroups = fault.New(fault.RateLimited, "pg: maximum number of groups reached").Transient()
	ErrGroupFull     = fault.New(fault.RateLimited, "pg: maximum members per group reached").Transient()
)

// Limits bound a scope; zero is no bound. A process counts once for each time it joined.
type Limits struct {
	Groups  int // groups in the scope
	Members int // members of one group
}

// Event tells a monitor of a change. PIDs holds a process once for each time it joined or left.
type Event struct {
	Group  string
	PIDs   []relay.PID // shared by all monitors: it must not be changed
	Joined bool        // else left
}

// Processes tells of the end of processes; a *topology.Topology does.
type Processes interface {
	Watch(target relay.PID, f func(topology.Result)) (cancel func(), err error)
}

// Scope is a namespace of groups. All methods may be called concurrently. Make one with [NewScope].
type Scope struct {
	processes Processes

	mu       sync.Mutex // guards all below; taken before the locks of processes
	limits   Limits
	stopped  bool
	groups   map[string]*group
	members  map[relay.PID]*member
	monitors map[*Monitor]struct{} // those of all groups
	last     uint64                // number of the last first join
	counts   *counts
}

// group is one group. It goes when it has no members, unless it is monitored.
type group struct {
	members  map[relay.PID]*membership
	size     int         // joins, of all members
	snapshot []relay.PID // what Members returns; nil when it must be made anew
	monitors map[*Monitor]struct{}
}

type membership struct {
	joins int
	order uint64
}

// member is what a process has joined.
type member struct {
	groups  map[string]struct{}
	unwatch func()
}

// Monitor is told of changes until it is closed.
type Monitor struct {
	scope *Scope
	group string // "" for all groups
	tell  func(Event)
}

// NewScope returns an empty scope.
func NewScope(processes Processes, limits Limits) *Scope {
	return &Scope{processes: processes, limits: limits, groups: map[string]*group{}, members: map[relay.PID]*member{},
		monitors: map[*Monitor]struct{}{}, counts: &counts{}}
}

// Configure changes the limits. What is over them stays.
func (s *Scope) Configure(limits Limits) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits = limits
}

// Resume lets processes join again after Stop.
func (s *Scope) Resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = false
}

// Stop makes everybody leave and refuses joins with [ErrStopped]. Monitors are told and stay.
func (s *Scope) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	for pid, m := range s.members {
		m.unwatch()
		s.leaveAll(pid, m)
	}
}

// Join makes a process a member of groups, once more if it is. The error is [ErrStopped], [ErrTooManyGroups],
// [ErrGroupFull] or that the process does not live.
func (s *Scope) Join(pid relay.PID, names ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return ErrStopped
	}
	if err := s.fits(names); err != nil {
		return err
	}
	m := s.members[pid]
	if m == nil {
		m = &member{groups: map[string]struct{}{}}
		unwatch, err := s.processes.Watch(pid, func(topology.Result) { s.ended(pid) })
		if err != nil {
			return err
		}
		m.unwatch = unwatch
		s.members[pid] = m
	}
	for _, name := range names {
		g := s.group(name)
		joined := g.members[pid]
		if joined == nil {
			s.last++
			joined = &membership{order: s.last}
			g.members[pid] = joined
			m.groups[name] = struct{}{}
		}
		joined.joins++
		g.size++
		g.snapshot = nil
		s.counts.joins.Add(1)
		s.tell(g, Event{Group: name, PIDs: []relay.PID{pid}, Joined: true})
	}
	return nil
}

// fits asks the limits. mu is held.
func (s *Scope) fits(names []string) error {
	more := map[string]int{}
	for _, name := range names {
		more[name]++
	}
	if s.limits.Groups > 0 {
		n := 0
		for _, g := range s.groups {
			if g.size > 0 {
				n++
			}
		}
		for name := range more {
			if g := s.groups[name]; g == nil || g.size == 0 {
				n++
			}
		}
		if n > s.limits.Groups {
			return ErrTooManyGroups.With("max_groups", s.limits.Groups)
		}
	}
	if s.limits.Members > 0 {
		for name, joins := range more {
			have := 0
			if g := s.groups[name]; g != nil {
				have = g.size
			}
			if have+joins > s.limits.Members {
				return ErrGroupFull.With("group", name).With("max_members_per_group", s.limits.Members)
			}
		}
	}
	return nil
}

// group returns the group of that name, new when there is none. mu is held.
func (s *Scope) group(name string) *group {
	g := s.groups[name]
	if g == nil {
		g = &group{members: map[relay.PID]*membership{}, monitors: map[*Monitor]struct{}{}}
		s.groups[name] = g
	}
	return g
}

// tell passes an event on. mu is held, which keeps the order.
func (s *Scope) tell(g *group, e Event) {
	for m := range g.monitors {
		m.tell(e)
	}
	for m := range s.monitors {
		m.tell(e)
	}
}

// Leave undoes one join of each of the groups. It fails with [ErrNotJoined] only when the process is in none of
// them.
func (s *Scope) Leave(pid relay.PID, names ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return ErrStopped
	}
	m := s.members[pid]
	left := false
	for _, name := range names {
		if m == nil {
			break
		}
		if _, ok := m.groups[name]; !ok {
			continue
		}
		left = true
		g := s.groups[name]
		joined := g.members[pid]
		joined.joins--
		g.size--
		g.snapshot = nil
		s.counts.leaves.Add(1)
		if joined.joins == 0 {
			delete(g.members, pid)
			delete(m.groups, name)
		}
		s.tell(g, Event{Group: name, PIDs: []relay.PID{pid}})
		s.tidy(name, g)
	}
	if !left {
		return ErrNotJoined.With("groups", names)
	}
	if len(m.groups) == 0 {
		m.unwatch()
		delete(s.members, pid)
	}
	return nil
}

// tidy forgets a group that nobody is in or looks at. mu is held.
func (s *Scope) tidy(name string, g *group) {
	if len(g.members) == 0 && len(g.monitors) == 0 {
		delete(s.groups, name)
	}
}

// ended takes a process that is no more out of all groups.
func (s *Scope) ended(pid relay.PID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.members[pid]; m != nil {
		s.leaveAll(pid, m)
	}
}

// leaveAll takes a process out of all groups: one event for each, that names it as often as it joined. mu is held.
func (s *Scope) leaveAll(pid relay.PID, m *member) {
	delete(s.members, pid)
	for _, name := range slices.Sorted(maps.Keys(m.groups)) {
		g := s.groups[name]
		joins := g.members[pid].joins
		delete(g.members, pid)
		g.size -= joins
		g.snapshot = nil
		s.counts.leaves.Add(uint64(joins))
		s.tell(g, Event{Group: name, PIDs: slices.Repeat([]relay.PID{pid}, joins)})
		s.tidy(name, g)
	}
}
