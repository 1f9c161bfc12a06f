// SPDX-License-Identifier: Apache-2.0

package host

import (
	"context"
	"fmt"
	"sync"

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

// HostListener turns process.host entries into supervised hosts.
type HostListener struct {
	rt         Runtime
	supervisor Supervisor
	warn       func(registry.Entry, []fields.Warning)

	mu    sync.Mutex // guards hosts
	hosts map[string]*Host
}

// NewHostListener handles process.host entries. warn hears of fields the kind
// does not know.
func NewHostListener(rt Runtime, s Supervisor, warn func(registry.Entry, []fields.Warning)) *HostListener {
	return &HostListener{rt: rt, supervisor: s, warn: warn, hosts: map[string]*Host{}}
}

// Create registers the host in the relay and as a service.
func (l *HostListener) Create(_ context.Context, e registry.Entry) error {
	config, unknown, err := decodeHost(e)
	if err != nil {
		return err
	}
	l.warn(e, unknown)
	id := e.ID.String()
	h := New(id, l.rt, config)
	if err := h.Open(); err != nil {
		return err
	}
	if err := l.supervisor.Register(id, hostService{h}, config.Lifecycle, nil); err != nil {
		h.Close()
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hosts[id] = h
	return nil
}

// Update replaces the host: its processes end as on a stop.
func (l *HostListener) Update(ctx context.Context, old, e registry.Entry) error {
	if _, _, err := decodeHost(e); err != nil {
		return err
	}
	if err := l.Delete(ctx, old); err != nil {
		return err
	}
	return l.Create(ctx, e)
}

// Delete stops the host and removes it.
func (l *HostListener) Delete(_ context.Context, e registry.Entry) error {
	id := e.ID.String()
	l.mu.Lock()
	h := l.hosts[id]
	delete(l.hosts, id)
	l.mu.Unlock()
	if h == nil {
		return nil
	}
	h.Close()
	return l.supervisor.Remove(id)
}

// hostService is a host as the supervisor sees it.
type hostService struct{ host *Host }

// Start runs the workers.
func (s hostService) Start(context.Context) (<-chan any, error) {
	if err := s.host.Run(); err != nil {
		return nil, err
	}
	status := make(chan any, 1)
	status <- fmt.Sprintf("%d workers", s.host.config.Workers)
	return status, nil
}

// Stop ends the processes, then the workers.
func (s hostService) Stop(ctx context.Context) error { return s.host.Halt(ctx) }
