// SPDX-License-Identifier: Apache-2.0

// Package group makes entries of the kind pg.scope the scopes of process groups.
//
// A scope can be used as soon as its entry is there. When it is stopped as a service everybody leaves, and joining is
// Unavailable until it runs again. The fields about other nodes are accepted; groups are those of one node.
package group

import (
	"context"
	"sync"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/service/host"
	"github.com/wippyrun/kit/wippy/system/groups"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// Kind is the kind of this package.
const Kind = "pg.scope"

// Deps is what the listener works with.
type Deps struct {
	Scopes     *groups.Registry
	Processes  groups.Processes
	Supervisor host.Supervisor
	Warn       func(registry.Entry, []fields.Warning)
}

// Listener keeps the scopes as the entries say.
type Listener struct {
	deps Deps

	mu     sync.Mutex // guards scopes
	scopes map[string]*service
}

// NewListener returns a listener without entries.
func NewListener(deps Deps) *Listener { return &Listener{deps: deps, scopes: map[string]*service{}} }

func decode(e registry.Entry) (groups.Limits, supervisor.Lifecycle, []fields.Warning, error) {
	r := fields.New(e.Data)
	limits := groups.Limits{Groups: r.Int("max_groups", 0), Members: r.Int("max_members_per_group", 0)}
	for name, n := range map[string]int{"max_groups": limits.Groups, "max_members_per_group": limits.Members} {
		if n < 0 {
			r.Reject(name, name+" must not be negative")
		}
	}
	for _, name := range []string{"protocol_timeout", "broadcast_timeout", "anti_entropy_interval",
		"circuit_breaker_reset_time", "retry_base_delay", "retry_max_delay"} {
		r.Duration(name, 0)
	}
	for _, name := range []string{"circuit_breaker_failures", "max_retries", "action_queue_size", "action_queue_max_size", "monitor_buffer"} {
		r.Int(name, 0)
	}
	lifecycle := host.Lifecycle(r)
	return limits, lifecycle, r.Unknown(), r.Err()
}

// Check implements fields.Checker.
func (l *Listener) Check(e registry.Entry) ([]fields.Warning, error) {
	_, _, unknown, err := decode(e)
	return unknown, err
}

// Create adds a scope.
func (l *Listener) Create(_ context.Context, e registry.Entry) error {
	limits, lifecycle, unknown, err := decode(e)
	if err != nil {
		return err
	}
	l.deps.Warn(e, unknown)
	id := e.ID.String()
	s := &service{scope: groups.NewScope(l.deps.Processes, limits)}
	if err := l.deps.Supervisor.Register(id, s, lifecycle, nil); err != nil {
		return err
	}
	l.deps.Scopes.Add(id, s.scope)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.scopes[id] = s
	return nil
}

// Update changes the limits of a scope; members stay.
func (l *Listener) Update(_ context.Context, _, next registry.Entry) error {
	limits, _, unknown, err := decode(next)
	if err != nil {
		return err
	}
	l.deps.Warn(next, unknown)
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.scopes[next.ID.String()]; s != nil {
		s.scope.Configure(limits)
	}
	return nil
}

// Delete removes a scope. Everybody leaves when its service stops.
func (l *Listener) Delete(_ context.Context, e registry.Entry) error {
	id := e.ID.String()
	l.mu.Lock()
	s := l.scopes[id]
	delete(l.scopes, id)
	l.mu.Unlock()
	l.deps.Scopes.Remove(id)
	if s != nil {
		s.scope.Stop()
	}
	return l.deps.Supervisor.Remove(id)
}

// service is the scope as the supervisor sees it.
type service struct {
	scope *groups.Scope

	mu     sync.Mutex // guards status
	status chan any   // of the current run, nil while it is down
}

// Start opens the scope.
func (s *service) Start(context.Context) (<-chan any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scope.Resume()
	s.status = make(chan any)
	return s.status, nil
}

// Stop makes everybody leave.
func (s *service) Stop(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scope.Stop()
	if s.status != nil {
		close(s.status)
		s.status = nil
	}
	return nil
}
