// SPDX-License-Identifier: Apache-2.0

// Package env is the environment of an application: storages that hold values
// (`env.storage.*`) and the variables that give them public names
// (`env.variable`).
//
// A program reads variables, never a storage or the operating system directly,
// so what it can see is what its entries declare.
package env

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// Variable is a named value in a storage.
type Variable struct {
	ID       string // entry id, also its key in the storage when Name is empty
	Name     string // public name, may be empty
	Storage  string // entry id of the storage
	Default  string
	ReadOnly bool
}

func (v Variable) key() string {
	if v.Name != "" {
		return v.Name
	}
	return v.ID
}

// Service holds storages and variables. All methods may be called concurrently.
type Service struct {
	mu       sync.RWMutex
	storages map[string]Storage  // by entry id
	byID     map[string]Variable // by entry id
	byName   map[string]string   // public name → entry id
	watchers []func()
}

// New returns a service without storages or variables.
func New() *Service {
	return &Service{storages: map[string]Storage{}, byID: map[string]Variable{}, byName: map[string]string{}}
}

// AddStorage makes a storage reachable under its entry id, in place of an
// earlier one.
func (s *Service) AddStorage(id string, storage Storage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.storages[id] = storage
}

// RemoveStorage forgets a storage; its variables then answer NotFound.
func (s *Service) RemoveStorage(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.storages, id)
}

// AddVariable registers a variable, or replaces the one with the same entry id.
// A public name held by another variable gives AlreadyExists.
func (s *Service) AddVariable(v Variable) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if holder, taken := s.byName[v.Name]; v.Name != "" && taken && holder != v.ID {
		return fault.New(fault.AlreadyExists, "variable name already exists: "+v.Name).With("held_by", holder)
	}
	delete(s.byName, s.byID[v.ID].Name)
	s.byID[v.ID] = v
	if v.Name != "" {
		s.byName[v.Name] = v.ID
	}
	return nil
}

// RemoveVariable forgets a variable. Its stored value stays.
func (s *Service) RemoveVariable(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byName, s.byID[id].Name)
	delete(s.byID, id)
}

// find looks a variable up by public name, by name in namespace, by entry id.
func (s *Service) find(key, namespace string) (Variable, Storage, error) {
	if key == "" {
		return Variable{}, nil, fault.New(fault.Invalid, "empty key")
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	id, ok := s.byName[key]
	if !ok && !strings.Contains(key, ":") {
		id = namespace + ":" + key
	} else if !ok {
		id = key
	}
	v, ok := s.byID[id]
	if !ok {
		return Variable{}, nil, notFound(key)
	}
	storage, ok := s.storages[v.Storage]
	if !ok {
		return v, nil, fault.New(fault.NotFound, "environment storage backend not found").With("storage", v.Storage)
	}
	return v, storage, nil
}

func notFound(key string) error {
	return fault.New(fault.NotFound, "environment variable not found").With("variable", key)
}

// Get returns the value of a variable, its default when the storage has none
// or an empty one, or NotFound. namespace is that of the calling entry.
func (s *Service) Get(key, namespace string) (string, error) {
	v, storage, err := s.find(key, namespace)
	if err != nil {
		return "", err
	}
	value, found, err := storage.Get(v.key())
	if err != nil {
		return "", err
	}
	if found && value != "" {
		return value, nil
	}
	if v.Default != "" {
		return v.Default, nil
	}
	return "", notFound(key)
}

// Has tells whether a variable is registered under the name, with a value or without.
func (s *Service) Has(name string) bool {
	_, _, err := s.find(name, "")
	return err == nil
}

// Set stores the value of a variable.
func (s *Service) Set(key, namespace, value string) error {
	v, storage, err := s.find(key, namespace)
	if err != nil {
		return err
	}
	if v.ReadOnly {
		return fault.New(fault.PermissionDenied, "environment variable is read-only").With("variable", key)
	}
	if err := storage.Set(v.key(), value); err != nil {
		return err
	}
	s.mu.RLock()
	watchers := s.watchers
	s.mu.RUnlock()
	for _, f := range watchers {
		f()
	}
	return nil
}

// Watch calls f after each value that is set. f must not block. What changes otherwise, in a file for example, or by
// a change of entries, is not noticed here.
func (s *Service) Watch(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers = append(slices.Clone(s.watchers), f)
}

// All is the union of what all storages hold; a storage that fails is left out.
// Names in several storages come from the one last in id order.
func (s *Service) All() map[string]string {
	s.mu.RLock()
	storages := maps.Clone(s.storages)
	s.mu.RUnlock()
	out := map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(storages)) {
		if values, err := storages[id].All(); err == nil {
			maps.Copy(out, values)
		}
	}
	return out
}

var publicName = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
