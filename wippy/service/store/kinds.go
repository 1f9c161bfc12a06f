// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"time"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/service/host"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// KindMemory is the kind of a store in memory.
const KindMemory = "store.memory"

// Kinds lists the kinds of this package.
func Kinds() []string { return []string{KindMemory} }

// Defaults of a store.memory.
const (
	defaultLimit   = 10000
	defaultCleanup = 5 * time.Minute
)

// Listener turns entries into stores in memory, each a supervised service.
type Listener struct {
	table      *Table
	supervisor host.Supervisor
	warn       func(registry.Entry, []fields.Warning)
}

// NewListener puts the stores of entries into table while they run; warn hears of fields
// the kind does not know.
func NewListener(table *Table, s host.Supervisor, warn func(registry.Entry, []fields.Warning)) *Listener {
	return &Listener{table, s, warn}
}

// memoryConfig is the decoded form of a store.memory.
type memoryConfig struct {
	limit     int
	cleanup   time.Duration
	lifecycle supervisor.Lifecycle
}

func decode(e registry.Entry) (memoryConfig, []fields.Warning, error) {
	r := fields.New(e.Data)
	c := memoryConfig{limit: r.Int("max_size", 0), cleanup: r.Duration("cleanup_interval", defaultCleanup), lifecycle: host.Lifecycle(r)}
	if c.limit < 0 {
		r.Reject("max_size", "max_size must be non-negative")
	}
	if c.limit == 0 {
		c.limit = defaultLimit
	}
	if c.cleanup < 0 {
		r.Reject("cleanup_interval", "cleanup_interval must be non-negative")
	}
	return c, r.Unknown(), r.Err()
}

// Check implements fields.Checker.
func (l *Listener) Check(e registry.Entry) ([]fields.Warning, error) {
	_, unknown, err := decode(e)
	return unknown, err
}

// Create registers the service of an entry.
func (l *Listener) Create(_ context.Context, e registry.Entry) error {
	c, unknown, err := decode(e)
	if err != nil {
		return err
	}
	l.warn(e, unknown)
	id := e.ID.String()
	l.table.Declare(id)
	return l.supervisor.Register(id, &service{id: id, table: l.table, config: c}, c.lifecycle, nil)
}

// Update replaces the store by an empty one.
func (l *Listener) Update(ctx context.Context, old, next registry.Entry) error {
	if _, _, err := decode(next); err != nil {
		return err
	}
	if err := l.Delete(ctx, old); err != nil {
		return err
	}
	return l.Create(ctx, next)
}

// Delete stops the service and removes it.
func (l *Listener) Delete(_ context.Context, e registry.Entry) error {
	l.table.Forget(e.ID.String())
	return l.supervisor.Remove(e.ID.String())
}

// service is one store.memory. It implements supervisor.Service: the supervisor calls one
// method at a time.
type service struct {
	id     string
	table  *Table
	config memoryConfig
	store  *Memory       // of the run under way
	stop   chan struct{} // ends its sweeper
	swept  chan struct{} // closed when that has ended
}

// Start makes an empty store and lets programs find it.
func (s *service) Start(context.Context) (<-chan any, error) {
	m := NewMemory(s.config.limit)
	s.store, s.stop, s.swept = m, make(chan struct{}), make(chan struct{})
	go sweeper(m, s.config.cleanup, s.stop, s.swept)
	s.table.Add(s.id, m)
	status := make(chan any, 1)
	status <- fmt.Sprintf("at most %d keys", s.config.limit)
	return status, nil
}

// Stop forgets everything.
func (s *service) Stop(context.Context) error {
	s.table.Remove(s.id, s.store)
	close(s.stop)
	<-s.swept
	s.store.Close()
	return nil
}

// sweeper drops what has expired every now and then, so that it does not take memory; it is
// absent for readers anyhow.
func sweeper(m *Memory, every time.Duration, stop <-chan struct{}, done chan<- struct{}) {
	defer close(done)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			m.Sweep()
		case <-stop:
			return
		}
	}
}
