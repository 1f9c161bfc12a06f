// SPDX-License-Identifier: Apache-2.0

package groups

import (
	"sync"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// Registry finds scopes by the ids of their entries. The zero value is empty and ready. All methods may be called
// concurrently.
type Registry struct {
	scopes sync.Map // string → *Scope
	counts counts   // of all scopes that ever were
}

// Add makes a scope known. What happens in it from now on counts for the registry.
func (r *Registry) Add(id string, s *Scope) {
	s.mu.Lock()
	s.counts = &r.counts
	s.mu.Unlock()
	r.scopes.Store(id, s)
}

// Stats returns what has happened in all scopes, those that were removed included.
func (r *Registry) Stats() Stats { return r.counts.stats() }

// Remove forgets a scope.
func (r *Registry) Remove(id string) { r.scopes.Delete(id) }

// Scope returns the scope of that id, or a NotFound error.
func (r *Registry) Scope(id string) (*Scope, error) {
	s, ok := r.scopes.Load(id)
	if !ok {
		return nil, fault.New(fault.NotFound, "resource not found: "+id).With("id", id)
	}
	return s.(*Scope), nil
}
