// SPDX-License-Identifier: Apache-2.0

package security

import (
	"slices"
	"strings"
)

// Decision is what a policy or a scope says about a request.
type Decision uint8

// The decisions.
const (
	Undefined Decision = iota // nothing
	Allow
	Deny
)

// String returns undefined, allow or deny.
func (d Decision) String() string {
	switch d {
	case Allow:
		return "allow"
	case Deny:
		return "deny"
	}
	return "undefined"
}

// Request is a question to a policy: may the actor do this? Nobody changes it or what it refers to.
type Request struct {
	Actor            *Actor // never nil
	Action, Resource string
	Meta             map[string]any // attributes of the question; nil for none
}

// Policy is a rule about requests. It does not change, may be asked from several goroutines at a time and must not
// block.
type Policy interface {
	// ID is the id of its entry.
	ID() string
	Evaluate(Request) Decision
}

// Scope is a set of policies, at most one of each id. The zero value and nil are empty scopes. It never changes.
type Scope struct {
	policies []Policy // by id
}

// NewScope returns the scope of the policies. Of several with the same id the last one counts.
func NewScope(policies ...Policy) *Scope {
	s := &Scope{policies: make([]Policy, 0, len(policies))}
	for _, p := range policies {
		s.add(p)
	}
	return s
}

func (s *Scope) search(id string) (int, bool) {
	return slices.BinarySearchFunc(s.policies, id, func(p Policy, id string) int { return strings.Compare(p.ID(), id) })
}

func (s *Scope) add(p Policy) {
	i, found := s.search(p.ID())
	if found {
		s.policies[i] = p
	} else {
		s.policies = slices.Insert(s.policies, i, p)
	}
}

// Policies returns the policies in the order of their ids. The caller must not change the list.
func (s *Scope) Policies() []Policy {
	if s == nil {
		return nil
	}
	return s.policies
}

// Contains reports whether the scope has a policy with this id.
func (s *Scope) Contains(id string) bool {
	if s == nil {
		return false
	}
	_, found := s.search(id)
	return found
}

// With returns the scope with one more policy, in the place of one with its id.
func (s *Scope) With(p Policy) *Scope {
	more := &Scope{policies: slices.Clone(s.Policies())}
	more.add(p)
	return more
}

// Without returns the scope without the policy of this id.
func (s *Scope) Without(id string) *Scope {
	less := &Scope{policies: slices.Clone(s.Policies())}
	if i, found := less.search(id); found {
		less.policies = slices.Delete(less.policies, i, i+1)
	}
	return less
}

// Evaluate asks all policies: deny if one denies, else allow if one allows, else undefined.
func (s *Scope) Evaluate(r Request) Decision {
	d, _ := s.judge(r)
	return d
}

// judge is Evaluate; it also returns the policy that the decision comes from, nil for none.
func (s *Scope) judge(r Request) (d Decision, by Policy) {
	if r.Actor == nil {
		r.Actor = &Actor{}
	}
	for _, p := range s.Policies() {
		switch p.Evaluate(r) {
		case Deny:
			return Deny, p
		case Allow:
			d, by = Allow, p
		}
	}
	return d, by
}
