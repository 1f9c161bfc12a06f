// SPDX-License-Identifier: Apache-2.0

package security

import (
	"maps"
	"slices"
	"sync"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// Errors of the look-ups of a Directory.
var (
	ErrPolicyNotFound = fault.New(fault.NotFound, "policy not found").Final()
	ErrGroupNotFound  = fault.New(fault.NotFound, "policy group not found").Final()
)

// Directory knows the policies there are, by id and by the groups they belong to. A group exists while it has members.
// Make one with [NewDirectory]. All methods may be called concurrently.
type Directory struct {
	mu       sync.RWMutex // guards both
	policies map[string]member
	groups   map[string]map[string]Policy // by group, by id
}

// member is a policy with the groups it belongs to.
type member struct {
	policy Policy
	groups []string
}

// NewDirectory returns a directory without policies.
func NewDirectory() *Directory {
	return &Directory{policies: map[string]member{}, groups: map[string]map[string]Policy{}}
}

// Put adds a policy that belongs to the groups, in the place of one with its id.
func (d *Directory) Put(p Policy, groups ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.remove(p.ID())
	d.policies[p.ID()] = member{p, slices.Clone(groups)}
	for _, g := range groups {
		if d.groups[g] == nil {
			d.groups[g] = map[string]Policy{}
		}
		d.groups[g][p.ID()] = p
	}
}

// Remove takes a policy out. Scopes that have it keep it.
func (d *Directory) Remove(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.remove(id)
}

func (d *Directory) remove(id string) {
	for _, g := range d.policies[id].groups {
		delete(d.groups[g], id)
		if len(d.groups[g]) == 0 {
			delete(d.groups, g)
		}
	}
	delete(d.policies, id)
}

// Policy returns the policy of an id. The error is [ErrPolicyNotFound].
func (d *Directory) Policy(id string) (Policy, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	m, ok := d.policies[id]
	if !ok {
		return nil, ErrPolicyNotFound.With("policy", id)
	}
	return m.policy, nil
}

// Group returns the scope of the policies of a group. The error is [ErrGroupNotFound].
func (d *Directory) Group(id string) (*Scope, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	members, ok := d.groups[id]
	if !ok {
		return nil, ErrGroupNotFound.With("group", id)
	}
	return NewScope(slices.Collect(maps.Values(members))...), nil
}

// Scope returns the scope of the policies and of those of the groups. What is unknown is left out; missing, unless nil,
// hears of it.
func (d *Directory) Scope(policies, groups []string, missing func(error)) *Scope {
	var all []Policy
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, id := range groups {
		members, ok := d.groups[id]
		if !ok && missing != nil {
			missing(ErrGroupNotFound.With("group", id))
		}
		for _, p := range members {
			all = append(all, p)
		}
	}
	for _, id := range policies {
		m, ok := d.policies[id]
		if ok {
			all = append(all, m.policy)
		} else if missing != nil {
			missing(ErrPolicyNotFound.With("policy", id))
		}
	}
	return NewScope(all...)
}
