// SPDX-License-Identifier: Apache-2.0

package groups

import (
	"sync"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// Registry finds scopes by the ids of their entries. The zero value is empty and ready. All methods may be called
// concurrently.
type Registry struct{ scopes sync.Map } // string → *Scope

// Add makes a scope known.
func (r *Registry) Add(id string, s *Scope) { r.scopes.Store(id, s) }

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
