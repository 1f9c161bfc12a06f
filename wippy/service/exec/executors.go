// SPDX-License-Identifier: Apache-2.0

package exec

import (
	"context"
	"sync"
	"time"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// Errors of [Executors].
var (
	// ErrExists means that the id has an executor.
	ErrExists = fault.New(fault.AlreadyExists, "executor already exists").Final()
	// ErrNotFound means that the id has none.
	ErrNotFound = fault.New(fault.NotFound, "executor not found").Final()
	// ErrStopped is for commands that would start after Stop.
	ErrStopped = fault.New(fault.Unavailable, "the runtime is stopping").Final()
	// ErrTooMany is for commands that would start while there are as many as there may be.
	ErrTooMany = fault.New(fault.RateLimited, "too many commands").Transient()
)

// Executors are those of one application, by entry id. All methods may be called concurrently.
type Executors struct {
	group running

	mu   sync.RWMutex // guards byID
	byID map[string]*Executor
}

// Option changes what [New] returns.
type Option func(*Executors)

// WithLimit bounds the commands that run at the same time, those with open streams that have not been started
// included. The default leaves two thirds of the file descriptors of this program to others.
func WithLimit(n int) Option { return func(e *Executors) { e.group.limit = n } }

// perCommand is how many file descriptors a command takes: three pipes, two handles, one to spare.
const perCommand = 6

// New returns a set without executors.
func New(opts ...Option) *Executors {
	e := &Executors{byID: map[string]*Executor{}}
	e.group = running{processes: map[*Process]struct{}{}, limit: max(descriptors()/3/perCommand, 16)}
	for _, o := range opts {
		o(e)
	}
	return e
}

// Add makes an executor.
func (e *Executors) Add(id string, c Config) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.byID[id] != nil {
		return ErrExists.With("id", id)
	}
	e.byID[id] = &Executor{config: c, group: &e.group}
	return nil
}

// Replace gives an id another executor. Whoever holds the old one keeps it.
func (e *Executors) Replace(id string, c Config) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.byID[id] == nil {
		return ErrNotFound.With("id", id)
	}
	e.byID[id] = &Executor{config: c, group: &e.group}
	return nil
}

// Remove forgets an executor. Its processes go on.
func (e *Executors) Remove(id string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.byID[id] == nil {
		return ErrNotFound.With("id", id)
	}
	delete(e.byID, id)
	return nil
}

// Get finds an executor.
func (e *Executors) Get(id string) (*Executor, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if x := e.byID[id]; x != nil {
		return x, nil
	}
	return nil, ErrNotFound.With("id", id)
}

// stopGrace is how long commands that run when the program stops may take to end; they were asked
// to when their owners ended, just before.
const stopGrace = time.Second

// Stop ends every command that still runs, by force in the end or when ctx ends, and refuses new
// ones. It returns when all have ended; an error says that some could not be killed.
func (e *Executors) Stop(ctx context.Context) error {
	var left []*Process
	for _, p := range e.group.stop() {
		p.End()
		if p.Started() { // the start may have failed meanwhile
			left = append(left, p)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, stopGrace)
	defer cancel()
	for _, p := range left {
		select {
		case <-p.ended:
		case <-ctx.Done():
		}
	}
	limit := time.NewTimer(stopGrace)
	defer limit.Stop()
	for _, p := range left {
		p.force()
	}
	for _, p := range left {
		select {
		case <-p.ended:
			p.force() // the orphans it may have left
		case <-limit.C:
			return fault.New(fault.Timeout, "commands did not end")
		}
	}
	return nil
}

// running are the processes that hold something: descriptors, or a command.
type running struct {
	mu        sync.Mutex // guards all below; taken with the lock of a process held
	processes map[*Process]struct{}
	limit     int
	stopped   bool
}

// add takes a process in, unless it is there already.
func (r *running) add(p *Process) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, known := r.processes[p]
	switch {
	case r.stopped:
		return ErrStopped
	case !known && len(r.processes) >= r.limit:
		return ErrTooMany.With("limit", r.limit)
	}
	r.processes[p] = struct{}{}
	return nil
}

func (r *running) remove(p *Process) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.processes, p)
}

func (r *running) stop() []*Process {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	left := make([]*Process, 0, len(r.processes))
	for p := range r.processes {
		left = append(left, p)
	}
	return left
}
