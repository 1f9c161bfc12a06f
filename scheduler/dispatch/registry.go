// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// fastIDs is the number of command ids looked up in an array. The commands of
// the system itself all lie below it.
const fastIDs = 256

// Registry maps command ids to handlers. The zero value is an empty registry
// ready for use; a Registry must not be copied. All methods may be called
// concurrently.
type Registry struct {
	frozen atomic.Bool // set once by Freeze, under mu

	mu   sync.RWMutex // guards everything below until frozen is set
	fast [fastIDs]entry
	rest map[CommandID]entry
	size int
}

type entry struct {
	handler Handler
	owner   string
}

// NewRegistry returns an empty registry.
func NewRegistry() *Registry { return new(Registry) }

// Register makes h the handler of the commands with the given id. owner names
// the component for error messages. Register panics when h is nil, when the id
// is taken, and after [Registry.Freeze]: all of these are mistakes of the
// program, found at boot.
func (r *Registry) Register(owner string, id CommandID, h Handler) {
	if problem := r.register(owner, id, h); problem != "" {
		panic("dispatch: " + problem)
	}
}

func (r *Registry) register(owner string, id CommandID, h Handler) (problem string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h == nil {
		return fmt.Sprintf("nil handler for command %d of %q", id, owner)
	}
	if r.frozen.Load() {
		return fmt.Sprintf("cannot register handler after Freeze(): command %d of %q", id, owner)
	}
	if old := r.find(id); old.handler != nil {
		if old.owner == owner {
			return fmt.Sprintf("handler already registered for command %d by %q", id, owner)
		}
		return fmt.Sprintf("command ID %d already registered by %q, cannot register for %q", id, old.owner, owner)
	}
	e := entry{handler: h, owner: owner}
	if id < fastIDs {
		r.fast[id] = e
	} else {
		if r.rest == nil {
			r.rest = make(map[CommandID]entry)
		}
		r.rest[id] = e
	}
	r.size++
	return ""
}

// Freeze ends registration and makes look-ups lock-free. Further calls do
// nothing.
func (r *Registry) Freeze() {
	r.mu.Lock()
	r.frozen.Store(true)
	r.mu.Unlock()
}

// Frozen reports whether [Registry.Freeze] was called.
func (r *Registry) Frozen() bool { return r.frozen.Load() }

// Lookup returns the handler of the given id.
func (r *Registry) Lookup(id CommandID) (Handler, bool) {
	if !r.frozen.Load() {
		r.mu.RLock()
		defer r.mu.RUnlock()
	}
	e := r.find(id)
	return e.handler, e.handler != nil
}

// Owner returns the owner of the given id, or "" when it is free.
func (r *Registry) Owner(id CommandID) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.find(id).owner
}

// Len returns the number of registered handlers.
func (r *Registry) Len() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.size
}

func (r *Registry) find(id CommandID) entry {
	if id < fastIDs {
		return r.fast[id]
	}
	return r.rest[id]
}
