// SPDX-License-Identifier: Apache-2.0

package env

import (
	"maps"
	"slices"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// router asks several storages in turn.
type router struct {
	service *Service
	ids     []string // entry ids of the storages, at least one
}

// storages are those that exist now.
func (r *router) storages() []Storage {
	r.service.mu.RLock()
	defer r.service.mu.RUnlock()
	var out []Storage
	for _, id := range r.ids {
		if s, ok := r.service.storages[id]; ok {
			out = append(out, s)
		}
	}
	return out
}

// Get returns what the first storage that has the key holds. An error ends the search.
func (r *router) Get(key string) (string, bool, error) {
	for _, s := range r.storages() {
		if v, found, err := s.Get(key); found || err != nil {
			return v, found, err
		}
	}
	return "", false, nil
}

// Set writes to the first storage.
func (r *router) Set(key, value string) error {
	r.service.mu.RLock()
	first, ok := r.service.storages[r.ids[0]]
	r.service.mu.RUnlock()
	if !ok {
		return fault.New(fault.NotFound, "environment storage backend not found").With("storage", r.ids[0])
	}
	return first.Set(key, value)
}

// All is the union, earlier storages winning; one that fails is left out.
func (r *router) All() (map[string]string, error) {
	out := map[string]string{}
	for _, s := range slices.Backward(r.storages()) {
		if values, err := s.All(); err == nil {
			maps.Copy(out, values)
		}
	}
	return out, nil
}

// hasStorage tells whether there is a storage of that id.
func (s *Service) hasStorage(id string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, ok := s.storages[id]
	return ok
}

// leads tells whether the storage from is, or asks, the storage to.
func (s *Service) leads(from, to string) bool {
	if from == to {
		return true
	}
	s.mu.RLock()
	r, ok := s.storages[from].(*router)
	s.mu.RUnlock()
	return ok && slices.ContainsFunc(r.ids, func(id string) bool { return s.leads(id, to) })
}
