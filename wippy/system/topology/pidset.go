// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"slices"

	"github.com/wippyrun/kit/relay"
)

// smallSet is the number of members up to which a pidSet is a list: a linear search through it is
// faster than hashing and it takes a tenth of a map's memory. Nearly every process has at most a parent.
const smallSet = 8

// pidSet is a set of process ids, small while it has few members. The zero value is empty.
type pidSet struct {
	list []relay.PID
	many map[relay.PID]struct{} // used instead of list once there were more than smallSet members
}

// add reports whether pid is new.
func (s *pidSet) add(pid relay.PID) bool {
	if s.has(pid) {
		return false
	}
	switch {
	case s.many != nil:
		s.many[pid] = struct{}{}
	case len(s.list) < smallSet:
		s.list = append(s.list, pid)
	default:
		s.many = make(map[relay.PID]struct{}, 2*smallSet)
		for _, p := range s.list {
			s.many[p] = struct{}{}
		}
		s.many[pid] = struct{}{}
		s.list = nil
	}
	return true
}

// remove reports whether pid was a member.
func (s *pidSet) remove(pid relay.PID) bool {
	if s.many != nil {
		_, had := s.many[pid]
		delete(s.many, pid)
		if len(s.many) == 0 {
			s.many = nil
		}
		return had
	}
	i := slices.Index(s.list, pid)
	if i < 0 {
		return false
	}
	s.list = slices.Delete(s.list, i, i+1)
	if len(s.list) == 0 {
		s.list = nil
	}
	return true
}

func (s *pidSet) has(pid relay.PID) bool {
	if s.many != nil {
		_, ok := s.many[pid]
		return ok
	}
	return slices.Contains(s.list, pid)
}

func (s *pidSet) len() int { return len(s.list) + len(s.many) }

// each calls f for every member. f must not change the set.
func (s *pidSet) each(f func(relay.PID)) {
	for _, pid := range s.list {
		f(pid)
	}
	for pid := range s.many {
		f(pid)
	}
}

// members returns a copy of the set as a list, nil when empty.
func (s *pidSet) members() []relay.PID {
	if s.len() == 0 {
		return nil
	}
	out := make([]relay.PID, 0, s.len())
	s.each(func(pid relay.PID) { out = append(out, pid) })
	return out
}
