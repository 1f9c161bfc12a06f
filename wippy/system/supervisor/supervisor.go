// SPDX-License-Identifier: Apache-2.0

package supervisor

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// Supervisor starts, watches, restarts and stops services. All methods may be called concurrently. Make
// one with [New] and end it with [Supervisor.Shutdown].
type Supervisor struct {
	env        *environment
	references func(id string) []string

	ctx    context.Context // of everything that waits; ends with Shutdown
	cancel context.CancelFunc
	base   context.CancelFunc // ends the parent of all runs

	mu       sync.Mutex
	members  map[string]*member
	blocked  map[string]bool // auto-start services that were not tried because of a dependency
	changes  uint64          // counts the batches carried out
	tx       *batch          // open transaction
	queue    []*batch        // committed, not yet carried out
	draining chan struct{}   // non-nil while batches are carried out; closed afterwards
	closed   bool
}

// Option changes how [New] sets a supervisor up.
type Option func(*Supervisor)

// WithClock replaces the real time.
func WithClock(c Clock) Option { return func(s *Supervisor) { s.env.clock = c } }

// WithRandom replaces the source of jitter: a function that returns numbers in [0, 1) and may be called
// concurrently.
func WithRandom(f func() float64) Option { return func(s *Supervisor) { s.env.random = f } }

// WithPublisher sets who is told about changes of state.
func WithPublisher(p Publisher) Option { return func(s *Supervisor) { s.env.publisher = p } }

// WithLogger sets where failures are reported; by default nowhere.
func WithLogger(l *slog.Logger) Option { return func(s *Supervisor) { s.env.log = l } }

// WithAdvice sets a function that knows more about an error of a service: where in a program it came to be,
// "file:line:column", and what may help; "" is what it does not know. Reports of failures say it.
func WithAdvice(f func(err error) (at, hint string)) Option {
	return func(s *Supervisor) { s.env.advise = f }
}

// WithPlaces sets a function that returns where a service is declared, "file:line:column", or ""
// when it does not know. Reports of failures say it.
func WithPlaces(f func(id string) string) Option { return func(s *Supervisor) { s.env.place = f } }

// WithContext sets the parent of the contexts services run under. Its values reach them, its end does not:
// services end when they are stopped.
func WithContext(ctx context.Context) Option {
	return func(s *Supervisor) { s.env.base = context.WithoutCancel(ctx) }
}

// WithServiceContext sets a function that prepares the context of each run, for example with the
// actor of lc.Security.
func WithServiceContext(f func(ctx context.Context, id string, lc Lifecycle) context.Context) Option {
	return func(s *Supervisor) { s.env.decorate = f }
}

// WithReferences sets a function that returns the ids an entry refers to. Dependencies are followed through
// entries that are no services with it.
func WithReferences(f func(id string) []string) Option {
	return func(s *Supervisor) { s.references = f }
}

// New returns a supervisor without services. It has no goroutine of its own while nothing changes.
func New(opts ...Option) *Supervisor {
	s := &Supervisor{
		env: &environment{
			clock: systemClock{}, random: rand.Float64, publisher: nobody{}, base: context.Background(),
			decorate: func(ctx context.Context, _ string, _ Lifecycle) context.Context { return ctx },
			log:      slog.New(slog.DiscardHandler),
			place:    func(string) string { return "" },
			advise:   func(error) (at, hint string) { return "", "" },
		},
		members: map[string]*member{},
		blocked: map[string]bool{},
	}
	for _, o := range opts {
		o(s)
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.env.base, s.base = context.WithCancel(s.env.base)
	return s
}

type nobody struct{}

func (nobody) Publish(_, _, _ string, _ any) {}

// Start starts a service and the services it depends on, and returns when it runs, has given up, or ctx
// ends. A service that waits for a retry is waited for.
func (s *Supervisor) Start(ctx context.Context, id string) error {
	g, err := s.snapshot(id)
	if err != nil {
		return err
	}
	ctx, cancel := s.join(ctx)
	defer cancel()
	return s.launch(g, []string{id}).wait(ctx, []string{id})
}

// StartSoon is Start for who does not wait for success: it also returns, with no error, when an attempt has failed and
// others follow.
func (s *Supervisor) StartSoon(ctx context.Context, id string) error {
	g, err := s.snapshot(id)
	if err != nil {
		return err
	}
	ctx, cancel := s.join(ctx)
	defer cancel()
	l := s.launch(g, []string{id})
	if l.err != nil {
		return l.err
	}
	n := l.nodes[id]
	select {
	case <-n.done:
		return n.err
	case <-n.stumbled:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Stop stops a service and, before it, the services that depend on it. It returns when all have stopped,
// each within its own stop timeout, or ctx ends.
func (s *Supervisor) Stop(ctx context.Context, id string) error {
	g, err := s.snapshot(id)
	if err != nil {
		return err
	}
	ids := g.dependents([]string{id})
	s.mu.Lock()
	for _, id := range ids {
		delete(s.blocked, id)
	}
	s.mu.Unlock()
	return stopAll(ctx, g, ids, false)
}

// State returns the state of a service. The error is [ErrNotFound].
func (s *Supervisor) State(id string) (Status, error) {
	s.mu.Lock()
	m := s.members[id]
	s.mu.Unlock()
	if m == nil {
		return Status{}, ErrNotFound.With("service_id", id)
	}
	return m.status(), nil
}

// States returns the states of all services, sorted by id.
func (s *Supervisor) States() []Status {
	s.mu.Lock()
	members := make([]*member, 0, len(s.members))
	for _, m := range s.members {
		members = append(members, m)
	}
	s.mu.Unlock()
	out := make([]Status, len(members))
	for i, m := range members {
		out[i] = m.status()
	}
	slices.SortFunc(out, func(a, b Status) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// Settled returns when every committed transaction has been carried out: its removed services are down,
// and each required service has started, has failed for the first time, or cannot start at all.
func (s *Supervisor) Settled(ctx context.Context) error {
	s.mu.Lock()
	busy := s.draining
	s.mu.Unlock()
	if busy == nil {
		return nil
	}
	select {
	case <-busy:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Shutdown stops all services, dependents first, each within its stop timeout, and ends the supervisor:
// every later call that changes something returns [ErrStopped]. When ctx ends first, what still runs has
// its context cancelled. A second call does nothing.
func (s *Supervisor) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed, s.tx, s.queue = true, nil, nil
	g := s.graph()
	busy := s.draining
	s.mu.Unlock()

	s.cancel()
	ids := make([]string, 0, len(g.members))
	for id := range g.members {
		ids = append(ids, id)
	}
	err := stopAll(ctx, g, ids, true)
	if busy != nil {
		select {
		case <-busy:
		case <-ctx.Done():
		}
	}
	s.base()
	return err
}

// graph returns a copy of the services. It is called with mu held.
func (s *Supervisor) graph() *graph {
	members := make(map[string]*member, len(s.members))
	for id, m := range s.members {
		members[id] = m
	}
	return &graph{members: members, references: s.references}
}

// snapshot returns the graph for an operation on id.
func (s *Supervisor) snapshot(id string) (*graph, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrStopped
	}
	if s.members[id] == nil {
		return nil, ErrNotFound.With("service_id", id)
	}
	return s.graph(), nil
}

// join returns a context that also ends when the supervisor does.
func (s *Supervisor) join(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(s.ctx, func() { cancel(ErrStopped) })
	return ctx, func() { stop(); cancel(context.Canceled) }
}

// several returns the only error, or all of them under the error for many.
func several(many *fault.Error, errs []error) error {
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	}
	return many.Because(errors.Join(errs...)).With("failed_count", len(errs)).With("first_error", errs[0].Error())
}
