// SPDX-License-Identifier: Apache-2.0

package sql

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// Visit reads the rows of a query. It must not keep them.
type Visit func(rows *sql.Rows) error

// Result is what a statement without rows did. A figure the database does not have is 0.
type Result struct{ LastInsertID, RowsAffected int64 }

// Database is one entry: a pool of connections. All methods may be called concurrently.
type Database struct {
	id      string
	dialect string

	mu      sync.Mutex // guards all below
	config  config
	pool    *pool // what operations run on; nil while the database is down
	kept    *pool // of a database in memory that is stopped
	handles int
	stopped bool          // no new handles
	free    chan struct{} // closed when the last handle is released; nil unless somebody waits
}

// newDatabase opens a database. Only SQLite connects now.
func newDatabase(ctx context.Context, id string, c config) (*Database, error) {
	p, err := openPool(ctx, c)
	if err != nil {
		return nil, err
	}
	return &Database{id: id, dialect: c.dialect, config: c, pool: p}, nil
}

// ID returns the id of the entry.
func (d *Database) ID() string { return d.id }

// Type returns SQLite, Postgres or MySQL.
func (d *Database) Type() string { return d.dialect }

// Acquire makes a handle: a stop of the database waits until it is released. The error is ErrClosed. release may be
// called more than once.
func (d *Database) Acquire() (release func(), err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped || d.pool == nil {
		return nil, ErrClosed
	}
	d.handles++
	return sync.OnceFunc(func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.handles--
		if d.handles == 0 && d.free != nil {
			close(d.free)
			d.free = nil
		}
	}), nil
}

// Stats returns the figures of the pool; they are zero while the database is down.
func (d *Database) Stats() sql.DBStats {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pool == nil {
		return sql.DBStats{}
	}
	return d.pool.stats()
}

// borrow gets a connection of the pool, in its turn. Who waits for one when the pool changes goes on with the new one.
// The caller makes the pool forget it with leave. Errors are those of [Fault].
func (d *Database) borrow(ctx context.Context) (*pool, error) {
	for {
		d.mu.Lock()
		p := d.pool
		d.mu.Unlock()
		if p == nil {
			return nil, ErrClosed
		}
		// A pool is retired after it was replaced.
		if err := p.enter(ctx, false); !errors.Is(err, errRetired) {
			return p, outcome(ctx, err)
		}
	}
}

// Query runs a statement on any connection and gives its rows to visit. Errors are those of [Fault] and of visit.
func (d *Database) Query(ctx context.Context, text string, args []any, visit Visit) error {
	p, err := d.borrow(ctx)
	if err != nil {
		return err
	}
	defer p.leave()
	ctx, cancel := p.bind(ctx)
	defer cancel()
	err = query(ctx, p.db, d.dialect, text, args, visit)
	if d.dialect == Postgres && stalePlan(err) {
		err = query(ctx, p.db, d.dialect, text, args, visit)
	}
	return outcome(ctx, err)
}

// Exec runs a statement on any connection. Errors are those of [Fault].
func (d *Database) Exec(ctx context.Context, text string, args []any) (Result, error) {
	p, err := d.borrow(ctx)
	if err != nil {
		return Result{}, err
	}
	defer p.leave()
	ctx, cancel := p.bind(ctx)
	defer cancel()
	var r Result
	if parts := script(d.dialect, text, args); len(parts) > 1 {
		r, err = d.script(ctx, p, parts)
	} else {
		r, err = exec(ctx, p.db, d.dialect, text, args)
	}
	if d.dialect == Postgres && stalePlan(err) {
		r, err = exec(ctx, p.db, d.dialect, text, args)
	}
	return r, outcome(ctx, err)
}

// script runs several statements on one connection.
func (d *Database) script(ctx context.Context, p *pool, parts []part) (Result, error) {
	conn, err := p.db.Conn(ctx)
	if err != nil {
		return Result{}, err
	}
	defer conn.Close()
	return runScript(ctx, conn, parts)
}

// ping proves that the database can be reached.
func (d *Database) ping(ctx context.Context) error {
	p, err := d.borrow(ctx)
	if err != nil {
		return err
	}
	defer p.leave()
	if err := p.db.PingContext(ctx); err != nil {
		return fault.Wrap(fault.Unavailable, "failed to ping database", err).Transient()
	}
	return nil
}

// reopen brings a database up that was stopped.
func (d *Database) reopen(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = false
	if d.pool != nil {
		return nil
	}
	if d.kept != nil {
		d.pool, d.kept = d.kept, nil
		return nil
	}
	p, err := openPool(ctx, d.config)
	if err != nil {
		return err
	}
	d.pool = p
	return nil
}

// stop gives out no more handles, waits until they are released or ctx ends, and takes the pool down. What still
// runs on it then is cancelled. A database in memory keeps its content.
func (d *Database) stop(ctx context.Context) error {
	d.mu.Lock()
	d.stopped = true
	var free chan struct{}
	if d.handles > 0 {
		if d.free == nil {
			d.free = make(chan struct{})
		}
		free = d.free
	}
	d.mu.Unlock()
	if free != nil {
		select {
		case <-free:
		case <-ctx.Done():
		}
	}
	d.mu.Lock()
	p := d.pool
	d.pool = nil
	if d.config.memory && p != nil {
		d.kept, p = p, nil
	}
	d.mu.Unlock()
	if p == nil {
		return nil
	}
	return p.shut(ctx)
}

// discard ends the database for good: nothing new runs on it, and it closes with the last operation.
func (d *Database) discard() (closing []*pool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = true
	for _, p := range []*pool{d.pool, d.kept} {
		if p != nil {
			closing = append(closing, p)
		}
	}
	d.pool, d.kept = nil, nil
	return closing
}

// configure changes the limits and, unless fresh is nil, what is connected to. It returns the pools that are no
// longer needed.
func (d *Database) configure(c config, fresh *pool) (old []*pool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.config = c
	if fresh != nil {
		switch {
		case d.pool != nil:
			old = append(old, d.pool)
			d.pool = fresh
		case c.memory: // down, and so is the new one
			old = append(old, d.kept)
			d.kept = fresh
		default:
			old = append(old, d.kept, fresh)
			d.kept = nil
		}
	}
	for _, p := range []*pool{d.pool, d.kept} {
		if p != nil {
			p.limit(c.pool)
		}
	}
	return old
}

// current returns the configuration.
func (d *Database) current() config {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.config
}
