// SPDX-License-Identifier: Apache-2.0

package host

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// Supervisor is the part of the supervisor the kinds use: staging services
// inside a registry transaction.
type Supervisor interface {
	Register(id string, service supervisor.Service, lc supervisor.Lifecycle, deps []string) error
	Remove(id string) error
}

// HostListener turns process.host entries into supervised hosts. It takes part in the transactions of the
// registry: a host that an operation deletes goes only when the transaction is certain, so that a change that
// fails leaves it and its processes alone.
type HostListener struct {
	rt         Runtime
	supervisor Supervisor
	warn       func(registry.Entry, []fields.Warning)

	mu      sync.Mutex       // guards all below
	hosts   map[string]*Host // by entry id
	leaving map[string]*Host // deleted in the transaction under way
	fresh   map[string]bool  // created in it
}

// NewHostListener handles process.host entries. warn hears of fields the kind
// does not know.
func NewHostListener(rt Runtime, s Supervisor, warn func(registry.Entry, []fields.Warning)) *HostListener {
	return &HostListener{rt: rt, supervisor: s, warn: warn, hosts: map[string]*Host{}, leaving: map[string]*Host{}, fresh: map[string]bool{}}
}

// Begin opens a transaction.
func (l *HostListener) Begin(context.Context) error { return nil }

// Commit votes for it.
func (l *HostListener) Commit(context.Context) error { return nil }

// Discard forgets it: the operations were undone one by one.
func (l *HostListener) Discard(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.leaving)
	clear(l.fresh)
	return nil
}

// Committed removes the hosts that were deleted. Their processes end as on a stop.
func (l *HostListener) Committed(context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, h := range l.leaving {
		h.Close()
	}
	clear(l.leaving)
	clear(l.fresh)
}

// Create registers the host in the relay and as a service.
func (l *HostListener) Create(_ context.Context, e registry.Entry) error {
	config, unknown, err := decodeHost(e)
	if err != nil {
		return err
	}
	l.warn(e, unknown)
	id := e.ID.String()
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.leaving[id]
	if h == nil {
		h = New(id, l.rt, config)
		err = h.Open()
		l.fresh[id] = err == nil
	} else {
		err = h.Configure(config)
	}
	if err != nil {
		return err
	}
	if err := l.supervisor.Register(id, hostService{h}, config.Lifecycle, nil); err != nil {
		h.Close()
		return err
	}
	delete(l.leaving, id)
	l.hosts[id] = h
	return nil
}

// Update changes the number of workers, without touching processes. What else the entry says of the host cannot
// change while it exists.
func (l *HostListener) Update(_ context.Context, old, e registry.Entry) error {
	before, _, err := decodeHost(old)
	if err != nil {
		return err
	}
	after, unknown, err := decodeHost(e)
	if err != nil {
		return err
	}
	var problems []error
	for _, field := range []struct {
		path    string
		changed bool
	}{
		{"host.queue_size", before.QueueSize != after.QueueSize},
		{"host.local_queue_size", before.LocalQueueSize != after.LocalQueueSize},
		{"lifecycle", !reflect.DeepEqual(before.Lifecycle, after.Lifecycle)},
	} {
		if field.changed {
			problems = append(problems, &fields.Error{
				Path: "data." + field.path, Message: field.path + " of an existing host cannot be changed", Hint: "delete the entry and create it again",
			})
		}
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	l.warn(e, unknown)
	l.mu.Lock()
	defer l.mu.Unlock()
	if h := l.hosts[e.ID.String()]; h != nil {
		return h.Configure(after)
	}
	return nil
}

// Delete stops the host and removes it.
func (l *HostListener) Delete(_ context.Context, e registry.Entry) error {
	id := e.ID.String()
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.hosts[id]
	if h == nil {
		return nil
	}
	delete(l.hosts, id)
	if l.fresh[id] {
		delete(l.fresh, id)
		h.Close()
	} else {
		l.leaving[id] = h
	}
	return l.supervisor.Remove(id)
}

// hostService is a host as the supervisor sees it.
type hostService struct{ host *Host }

// Start runs the workers. Processes that nobody is responsible for act for whom ctx says.
func (s hostService) Start(ctx context.Context) (<-chan any, error) {
	s.host.ActFor(appctx.FrameFrom(ctx))
	if err := s.host.Run(); err != nil {
		return nil, err
	}
	status := make(chan any, 1)
	status <- fmt.Sprintf("%d workers", s.host.config.Load().Workers)
	return status, nil
}

// Stop ends the processes, then the workers.
func (s hostService) Stop(ctx context.Context) error { return s.host.Halt(ctx) }
