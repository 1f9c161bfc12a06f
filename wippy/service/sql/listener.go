// SPDX-License-Identifier: Apache-2.0

package sql

import (
	"context"
	"errors"
	"sync"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/service/host"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// Deps is what the listener works with.
type Deps struct {
	Databases  *Table
	Supervisor host.Supervisor
	Warn       func(registry.Entry, []fields.Warning)
	Dir        string // where relative paths of SQLite files begin, "" for the working directory
}

// Listener keeps the databases. It takes part in the transactions of the registry: what an operation removes or
// replaces goes only when the transaction is certain, so that a change that fails leaves every database alone, also
// one in memory.
type Listener struct {
	deps Deps

	mu        sync.Mutex // guards all below
	databases map[string]*Database
	leaving   map[string]*Database // deleted in the transaction under way
	fresh     map[string]bool      // created in it
	staged    map[string]change    // updated in it
	closing   map[*pool]bool       // still in use
}

// change is what an update does once it is certain.
type change struct {
	config config
	pool   *pool // nil when only limits change
}

// NewListener returns a listener without databases.
func NewListener(deps Deps) *Listener {
	return &Listener{
		deps: deps, databases: map[string]*Database{}, leaving: map[string]*Database{},
		fresh: map[string]bool{}, staged: map[string]change{}, closing: map[*pool]bool{},
	}
}

// Check implements fields.Checker.
func (l *Listener) Check(e registry.Entry) ([]fields.Warning, error) {
	_, unknown, err := decode(e, l.deps.Dir)
	return unknown, err
}

// Create opens a database.
func (l *Listener) Create(ctx context.Context, e registry.Entry) error {
	c, unknown, err := decode(e, l.deps.Dir)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	id := e.ID.String()
	if l.databases[id] != nil {
		return fault.New(fault.AlreadyExists, "service already exists").With("service", id)
	}
	if d := l.leaving[id]; d != nil && d.dialect == c.dialect {
		// It was deleted in the same transaction, or that is being undone.
		if err := l.stage(ctx, d, c); err != nil {
			return err
		}
		if err := l.deps.Supervisor.Register(id, service{d}, c.lifecycle, nil); err != nil {
			return err
		}
		delete(l.leaving, id)
		l.databases[id] = d
		l.deps.Databases.add(d)
		return nil
	}
	d, err := newDatabase(ctx, id, c)
	if err != nil {
		return fields.At(place(c), err)
	}
	if err := l.deps.Supervisor.Register(id, service{d}, c.lifecycle, nil); err != nil {
		l.end(d)
		return err
	}
	l.deps.Warn(e, unknown)
	l.databases[id] = d
	l.fresh[id] = true
	l.deps.Databases.add(d)
	return nil
}

// Refresh gives a database the values its entry has now, which may come from environment variables. One that is
// changing anyway is left alone.
func (l *Listener) Refresh(ctx context.Context, e registry.Entry) error {
	c, _, err := decode(e, l.deps.Dir)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	id := e.ID.String()
	d := l.databases[id]
	if _, changing := l.staged[id]; d == nil || changing || c.dialect != d.dialect || c.dsn == d.current().dsn {
		return nil
	}
	p, err := openPool(ctx, c)
	if err != nil {
		return err
	}
	for _, old := range d.configure(c, p) {
		l.retire(old)
	}
	return nil
}

// place is the field that says what is connected to.
func place(c config) string {
	if c.dialect == SQLite {
		return "file"
	}
	return "options"
}

// Update prepares the change of a database; it counts when the transaction is certain.
func (l *Listener) Update(ctx context.Context, _, e registry.Entry) error {
	c, unknown, err := decode(e, l.deps.Dir)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	d := l.databases[e.ID.String()]
	if d == nil {
		return fault.New(fault.NotFound, "service not found").With("service", e.ID.String())
	}
	l.deps.Warn(e, unknown)
	return l.stage(ctx, d, c)
}

// stage prepares a change of d, in the place of one prepared earlier.
func (l *Listener) stage(ctx context.Context, d *Database, c config) error {
	next := change{config: c}
	if c.dsn != d.current().dsn {
		p, err := openPool(ctx, c)
		if err != nil {
			return fields.At(place(c), err)
		}
		next.pool = p
	}
	l.unstage(d.id)
	l.staged[d.id] = next
	return nil
}

// unstage drops a change that was prepared.
func (l *Listener) unstage(id string) {
	if c, ok := l.staged[id]; ok {
		delete(l.staged, id)
		l.retire(c.pool)
	}
}

// Delete removes a database once the transaction is certain.
func (l *Listener) Delete(_ context.Context, e registry.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := e.ID.String()
	d := l.databases[id]
	if d == nil {
		return fault.New(fault.NotFound, "service not found").With("service", id)
	}
	l.unstage(id)
	delete(l.databases, id)
	l.deps.Databases.remove(d)
	if l.fresh[id] {
		delete(l.fresh, id)
		l.end(d)
	} else {
		l.leaving[id] = d
	}
	return l.deps.Supervisor.Remove(id)
}

// end closes a database that nobody uses, any other with the last operation on it.
func (l *Listener) end(d *Database) {
	for _, p := range d.discard() {
		l.retire(p)
	}
}

// retire closes a pool, which may be nil, when nobody uses it any more.
func (l *Listener) retire(p *pool) {
	if p == nil {
		return
	}
	p.retire()
	for p := range l.closing {
		select {
		case <-p.closed:
			delete(l.closing, p)
		default:
		}
	}
	l.closing[p] = true
}

// Begin opens a transaction.
func (l *Listener) Begin(context.Context) error { return nil }

// Commit votes for it.
func (l *Listener) Commit(context.Context) error { return nil }

// Discard forgets it: the operations were undone one by one.
func (l *Listener) Discard(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.staged {
		l.unstage(id)
	}
	clear(l.leaving)
	clear(l.fresh)
	return nil
}

// Committed carries out what was prepared.
func (l *Listener) Committed(context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, c := range l.staged {
		if d := l.databases[id]; d != nil {
			for _, p := range d.configure(c.config, c.pool) {
				l.retire(p)
			}
		} else {
			l.retire(c.pool)
		}
	}
	for _, d := range l.leaving {
		l.end(d)
	}
	clear(l.staged)
	clear(l.leaving)
	clear(l.fresh)
}

// Close closes all databases and returns when they are closed. When ctx ends first, what runs on them is cancelled.
func (l *Listener) Close(ctx context.Context) error {
	l.mu.Lock()
	for _, d := range l.databases {
		l.deps.Databases.remove(d)
		l.end(d)
	}
	clear(l.databases)
	var pools []*pool
	for p := range l.closing {
		pools = append(pools, p)
	}
	clear(l.closing)
	l.mu.Unlock()
	var errs []error
	for _, p := range pools {
		errs = append(errs, p.shut(ctx))
	}
	return errors.Join(errs...)
}

// service is a database as the supervisor sees it.
type service struct{ d *Database }

// Start proves that the database can be reached.
func (s service) Start(ctx context.Context) (<-chan any, error) {
	if err := s.d.reopen(ctx); err != nil {
		return nil, fault.Wrap(fault.Unavailable, "failed to open database", err).Transient()
	}
	return nil, s.d.ping(ctx)
}

// Stop takes the database down.
func (s service) Stop(ctx context.Context) error { return s.d.stop(ctx) }
