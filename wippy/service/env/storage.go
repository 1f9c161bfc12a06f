// SPDX-License-Identifier: Apache-2.0

package env

import (
	"maps"
	"os"
	"strings"
	"sync"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// Storage holds values by key. Implementations may be called concurrently and
// must not block for long.
type Storage interface {
	// Get returns the value of key and whether there is one.
	Get(key string) (value string, found bool, err error)
	// Set stores a value; a storage that cannot gives PermissionDenied.
	Set(key, value string) error
	// All returns a copy of everything the storage holds.
	All() (map[string]string, error)
}

func readOnly() error { return fault.New(fault.PermissionDenied, "storage is read-only") }

// OS is the environment of the operating system, read-only.
type OS struct{}

// Get reads one variable of the process environment.
func (OS) Get(key string) (string, bool, error) {
	v, ok := os.LookupEnv(key)
	return v, ok, nil
}

// Set refuses: programs do not change the environment they were started in.
func (OS) Set(string, string) error { return readOnly() }

// All lists the process environment.
func (OS) All() (map[string]string, error) {
	out := map[string]string{}
	for _, pair := range os.Environ() {
		if k, v, ok := strings.Cut(pair, "="); ok {
			out[k] = v
		}
	}
	return out, nil
}

// Memory keeps values for the life of its entry.
type Memory struct {
	mu     sync.RWMutex
	values map[string]string // guarded by mu
}

// NewMemory returns an empty volatile storage.
func NewMemory() *Memory { return &Memory{values: map[string]string{}} }

// Get reads a value set earlier.
func (m *Memory) Get(key string) (string, bool, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	v, ok := m.values[key]
	return v, ok, nil
}

// Set stores a value.
func (m *Memory) Set(key, value string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[key] = value
	return nil
}

// All copies everything that was set.
func (m *Memory) All() (map[string]string, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return maps.Clone(m.values), nil
}

// Static holds the values written in its entry, read-only.
type Static map[string]string

// Get reads one of the values.
func (s Static) Get(key string) (string, bool, error) {
	v, ok := s[key]
	return v, ok, nil
}

// Set refuses.
func (s Static) Set(string, string) error { return readOnly() }

// All copies the values.
func (s Static) All() (map[string]string, error) { return maps.Clone(map[string]string(s)), nil }
