// SPDX-License-Identifier: Apache-2.0

package host

import (
	"context"
	"sync"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/lifecycle"
	"github.com/wippyrun/kit/wippy/system/processes"
	"github.com/wippyrun/kit/wippy/system/supervisor"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// controlHost is the relay host of system processes; nothing can be spawned
// there.
const controlHost = "node:control"

// ServiceListener turns process.service entries into supervised processes.
type ServiceListener struct {
	processes  *processes.Manager
	send       func(*relay.Message) error
	supervisor Supervisor
	warn       func(registry.Entry, []fields.Warning)

	mu       sync.Mutex // guards services
	services map[string]*service
}

// NewServiceListener handles process.service entries. send delivers messages.
func NewServiceListener(p *processes.Manager, send func(*relay.Message) error, s Supervisor, warn func(registry.Entry, []fields.Warning)) *ServiceListener {
	return &ServiceListener{processes: p, send: send, supervisor: s, warn: warn, services: map[string]*service{}}
}

// serviceConfig is the decoded form of a process.service.
type serviceConfig struct {
	process, host string
	input         []payload.Payload
	lifecycle     supervisor.Lifecycle
}

func decodeService(e registry.Entry) (serviceConfig, []fields.Warning, error) {
	r := fields.New(e.Data)
	c := serviceConfig{process: r.Required("process"), host: r.Required("host"), lifecycle: Lifecycle(r)}
	for _, item := range r.List("input") {
		c.input = append(c.input, payload.Payload{Format: payload.Go, Data: item})
	}
	if c.host == controlHost {
		r.Reject("host", "invalid host: "+controlHost)
	}
	// A bare name means an entry of the same namespace.
	for _, id := range []*string{&c.process, &c.host} {
		if parsed := registry.ParseID(*id); *id != "" && parsed.Namespace == "" {
			*id = registry.ID{Namespace: e.ID.Namespace, Name: parsed.Name}.String()
		}
	}
	return c, r.Unknown(), r.Err()
}

// Create registers the service.
func (l *ServiceListener) Create(_ context.Context, e registry.Entry) error {
	config, unknown, err := decodeService(e)
	if err != nil {
		return err
	}
	l.warn(e, unknown)
	id := e.ID.String()
	s := &service{id: id, listener: l, config: config}
	if err := l.supervisor.Register(id, s, config.lifecycle, []string{config.host}); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.services[id] = s
	return nil
}

// Update stores the new configuration; the next start uses it.
func (l *ServiceListener) Update(_ context.Context, _, e registry.Entry) error {
	config, unknown, err := decodeService(e)
	if err != nil {
		return err
	}
	l.warn(e, unknown)
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.services[e.ID.String()]; s != nil {
		s.mu.Lock()
		s.config = config
		s.mu.Unlock()
	}
	return nil
}

// Delete stops the service and removes it.
func (l *ServiceListener) Delete(_ context.Context, e registry.Entry) error {
	id := e.ID.String()
	l.mu.Lock()
	delete(l.services, id)
	l.mu.Unlock()
	return l.supervisor.Remove(id)
}

// service runs one process and reports its end to the supervisor.
type service struct {
	id       string
	listener *ServiceListener

	mu     sync.Mutex // guards all below
	config serviceConfig
	pid    relay.PID     // the child of the current or last run
	ended  chan struct{} // closed when it has ended
}

// Start spawns the process, on whose behalf the service works. A spawn that fails is not tried again: the same
// entry would fail the same way.
func (s *service) Start(ctx context.Context) (<-chan any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := make(chan any, 1) // how it ended: there is room when nobody reads
	ended := make(chan struct{})
	var frame *appctx.Frame
	if own := appctx.FrameFrom(ctx); own != nil {
		frame = own.Propagate()
	}
	pid, err := s.listener.processes.Start(ctx, processes.Spawn{
		Host: s.config.host, Source: s.config.process, Input: s.config.input, Frame: frame,
		OnExit: func(r topology.Result) {
			status <- outcome(r)
			close(status)
			close(ended)
		},
	})
	if err != nil {
		return nil, fault.Wrap(fault.Unknown, "start process", err).Final()
	}
	s.pid, s.ended = pid, ended
	return status, nil
}

// outcome is what the supervisor is told about the end of the child: a normal
// one is the exit sentinel, which ends the service for good. A failure keeps its
// own retry flag: one that says "not retryable" ends the service too.
func outcome(r topology.Result) any {
	if r.Err == nil {
		return lifecycle.ErrExit
	}
	return fault.Wrap(fault.Unknown, "process failed", r.Err)
}

// Stop asks the child to end and waits for it until ctx ends. The child is then
// left to its host.
func (s *service) Stop(ctx context.Context) error {
	s.mu.Lock()
	pid, ended := s.pid, s.ended
	s.mu.Unlock()
	select {
	case <-ended:
		return nil
	default:
	}
	m := topology.NewCancel(relay.PID{}, pid, "service stopping")
	if err := s.listener.send(m); err != nil { // it has just ended
		m.Release()
	}
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
